-- The number of rows that wait to be encoded, and of rows whose passages are up to date; both are counted up to a limit
SELECT
    (SELECT pg_catalog.count(*) FROM (
        SELECT FROM {queue} AS queue WHERE queue.run_after OPERATOR(pg_catalog.<) 'infinity' LIMIT {most}
    ) AS found),
    (SELECT pg_catalog.count(*) FROM (
        SELECT FROM {passages} AS passage WHERE passage.passage OPERATOR(pg_catalog.=) 0
            AND NOT EXISTS (SELECT FROM {queue} AS queue WHERE {same}) LIMIT {most}
    ) AS found)
