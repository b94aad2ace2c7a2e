-- Any worker writes these rows. Times that Python cannot represent, NULLs and very long texts must not hide other rows.
SELECT w.id::pg_catalog.text, pg_catalog.left(w.host, %(most)s) AS host, w.pid,
    w.last_seen OPERATOR(pg_catalog.>) (pg_catalog.now() OPERATOR(pg_catalog.-) %(alive)s::interval) AS alive,
    ARRAY(
        SELECT pg_catalog.left(m.model, %(most)s) FROM pg_catalog.unnest(w.models) WITH ORDINALITY AS m (model, n)
        WHERE m.model IS NOT NULL ORDER BY m.n LIMIT 100
    ) AS models,
    pg_catalog.left(w.device, %(most)s) AS device,
    greatest(least(w.started_at, pg_catalog.now()), 'epoch') AS started_at,
    greatest(least(w.last_seen, pg_catalog.now()), 'epoch') AS last_seen,
    w.rows, w.passages, w.failures, pgencoder._rate(w.rates) AS rows_per_second, pg_catalog.left(w.problem, %(most)s) AS problem
FROM pgencoder.worker AS w ORDER BY w.last_seen DESC, w.id
