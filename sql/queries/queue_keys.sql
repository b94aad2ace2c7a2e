WITH changed AS MATERIALIZED (SELECT DISTINCT * FROM ({keys}) AS changed({key}) ORDER BY {order}),
{queues}
SELECT pg_catalog.count(*) FROM changed
