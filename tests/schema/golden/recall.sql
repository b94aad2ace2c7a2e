SELECT anon_1.k1, anon_1.passage, anon_1.span, anon_1.content, anon_1.tokens, anon_1.recall_rank, anon_1.dense_score 
FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least(%(candidates_1)s::INTEGER, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE pgencoder._check_active(pgencoder."bits_active"(), CAST(%(expected_1)s::VARCHAR AS pg_catalog.jsonb))
), nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.tokens, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) AS distance
    FROM pgencoder."bits_passages" AS passages JOIN (SELECT public.bits.id AS k1 
FROM public.bits) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL
    ORDER BY distance LIMIT %(candidates_1)s::INTEGER
), exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.tokens, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) OPERATOR(pg_catalog.+) 0 AS distance
    FROM pgencoder."bits_passages" AS passages JOIN (SELECT public.bits.id AS k1 
FROM public.bits) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.<) %(candidates_1)s::INTEGER
    ORDER BY distance LIMIT %(candidates_1)s::INTEGER
), recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT * FROM nearest WHERE (SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.>=) %(candidates_1)s::INTEGER UNION ALL TABLE exact) AS found
)
SELECT k1, passage, span, content, tokens, recall_rank, OPERATOR(pg_catalog.-) distance AS dense_score FROM recall) AS anon_1
-- candidates_1: 70
-- expected_1: {"key": "\"id\""}
-- k_1: 70
-- query_dense_1: Numbers;

SELECT anon_1.k1, anon_1.passage, anon_1.span, anon_1.content, anon_1.tokens, anon_1.recall_rank, anon_1.dense_score 
FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least(%(candidates_1)s::INTEGER, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE pgencoder._check_active(pgencoder."bits_active"(), CAST(%(expected_1)s::VARCHAR AS pg_catalog.jsonb))
), nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.tokens, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) AS distance
    FROM pgencoder."bits_passages" AS passages JOIN (SELECT bits.id AS k1 
FROM bits 
WHERE bits.title = %(title_1)s::VARCHAR) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL
    ORDER BY distance LIMIT %(candidates_1)s::INTEGER
), exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.tokens, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) OPERATOR(pg_catalog.+) 0 AS distance
    FROM pgencoder."bits_passages" AS passages JOIN (SELECT bits.id AS k1 
FROM bits 
WHERE bits.title = %(title_1)s::VARCHAR) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.<) %(candidates_1)s::INTEGER
    ORDER BY distance LIMIT %(candidates_1)s::INTEGER
), recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT * FROM nearest WHERE (SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.>=) %(candidates_1)s::INTEGER UNION ALL TABLE exact) AS found
)
SELECT k1, passage, span, content, tokens, recall_rank, OPERATOR(pg_catalog.-) distance AS dense_score FROM recall) AS anon_1
-- candidates_1: 100
-- expected_1: {"key": "\"id\""}
-- k_1: 100
-- query_dense_1: Numbers
-- title_1: a;

SELECT anon_1.k1, anon_1.k2, anon_1.passage, anon_1.span, anon_1.content, anon_1.tokens, anon_1.recall_rank, anon_1.dense_score 
FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least(%(candidates_1)s::INTEGER, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE pgencoder._check_active(pgencoder."odd ""50%%"" {$1}_active"(), CAST(%(expected_1)s::VARCHAR AS pg_catalog.jsonb))
), nearest AS (
    SELECT source.k1, source.k2, passages.passage, passages.span, passages.content, passages.tokens, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) AS distance
    FROM pgencoder."odd ""50%%"" {$1}_passages" AS passages JOIN (SELECT "it's a ""schema"""."odd ""50%%"" {$1}".passage AS k1, "it's a ""schema"""."odd ""50%%"" {$1}"."$1" AS k2 
FROM "it's a ""schema"""."odd ""50%%"" {$1}") AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
    WHERE (SELECT done FROM setting) IS NOT NULL
    ORDER BY distance LIMIT %(candidates_1)s::INTEGER
), exact AS (
    SELECT source.k1, source.k2, passages.passage, passages.span, passages.content, passages.tokens, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) OPERATOR(pg_catalog.+) 0 AS distance
    FROM pgencoder."odd ""50%%"" {$1}_passages" AS passages JOIN (SELECT "it's a ""schema"""."odd ""50%%"" {$1}".passage AS k1, "it's a ""schema"""."odd ""50%%"" {$1}"."$1" AS k2 
FROM "it's a ""schema"""."odd ""50%%"" {$1}") AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
    WHERE (SELECT done FROM setting) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.<) %(candidates_1)s::INTEGER
    ORDER BY distance LIMIT %(candidates_1)s::INTEGER
), recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, k2, passage)::int AS recall_rank
    FROM (SELECT * FROM nearest WHERE (SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.>=) %(candidates_1)s::INTEGER UNION ALL TABLE exact) AS found
)
SELECT k1, k2, passage, span, content, tokens, recall_rank, OPERATOR(pg_catalog.-) distance AS dense_score FROM recall) AS anon_1
-- candidates_1: 100
-- expected_1: {"key": "\"1\", \"passage_key\""}
-- k_1: 100
-- query_dense_1: Numbers;

SELECT pgencoder._score(pgencoder._query_tokens(CAST(%(query_tokens_1)s AS real[]), %(param_1)s::INTEGER), tokens) AS _score_1
-- param_1: 16
-- query_tokens_1: Numbers
