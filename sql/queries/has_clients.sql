-- True if a program is connected that does more than keep the server running
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_stat_activity
    WHERE backend_type OPERATOR(pg_catalog.=) 'client backend'
        AND application_name OPERATOR(pg_catalog.<>) %(keeper)s
        AND pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
)
