-- What a worker would write of each row, with random vectors of length 1
INSERT INTO {passages} (id, passage, span, content, content_hash, truncated, row_hash, dense{columns})
SELECT r.id, 0, pg_catalog.int4range(0, pg_catalog.length(r.body)), r.body, h.hash, false, h.hash,
    {vector}.l2_normalize(ARRAY(
        SELECT pg_catalog.random() OPERATOR(pg_catalog.-) 0.5 FROM pg_catalog.generate_series(1, {dims})
        WHERE r.id OPERATOR(pg_catalog.>) 0)::real[]::{vector}.halfvec){columns}
FROM {table} AS r,
    LATERAL (SELECT pg_catalog.sha256(pg_catalog.convert_to(r.body, 'UTF8')) AS hash) AS h{calls}
