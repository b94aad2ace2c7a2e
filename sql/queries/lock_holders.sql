SELECT pg_catalog.string_agg(DISTINCT pg_catalog.format('%s (%s, %s)', l.pid, a.usename, coalesce(a.state, 'unknown')), ', ')
FROM pg_catalog.pg_locks AS l
JOIN pg_catalog.pg_database AS d ON d.oid OPERATOR(pg_catalog.=) l.database
JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) l.relation
JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) l.pid
WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() AND l.granted
    AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid() AND n.nspname OPERATOR(pg_catalog.=) 'pgencoder'
    AND ({table}::pg_catalog.text IS NULL OR c.relname OPERATOR(pg_catalog.=) {table}::pg_catalog.text)
