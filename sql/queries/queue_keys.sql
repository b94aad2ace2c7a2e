WITH changed AS MATERIALIZED (SELECT * FROM (/* keys */) AS changed({key}) ORDER BY {order}),
{queues}
SELECT count(*) FROM changed
