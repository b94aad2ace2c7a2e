-- Counts the keys that wait in a generation but not in the active one, or that only the active one has passages of
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE waiting.run_after OPERATOR(pg_catalog.=) 'infinity')
FROM {queue} AS waiting
WHERE NOT EXISTS (SELECT FROM {active_queue} AS active WHERE {waits_in_active})
    OR EXISTS (SELECT FROM {active} AS passage WHERE {is_in_active})
    AND NOT EXISTS (SELECT FROM {new} AS passage WHERE {is_in_active})
