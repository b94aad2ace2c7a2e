SELECT k1, passage, pg_catalog.lower(span) AS span_start, pg_catalog.upper(span) AS span_end, content, score, relevance, recall_rank, dense_score, parts FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least(70, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE pgencoder._check_active("pgencoder"."bits_active"(),  E'{"collection": "bits", "generation": 1, "source": "\\"public\\".\\"bits\\"", "key": "\\"id\\"", "encoder": {"dims": [32, 16], "model": "words"}}'::pg_catalog.jsonb)
), nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."bits_1" AS passages JOIN (SELECT "id" AS k1 FROM "public"."bits") AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL
    ORDER BY distance LIMIT 70
), wider AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."bits_1" AS passages JOIN (SELECT "id" AS k1 FROM "public"."bits") AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1 FROM nearest) AS documents) OPERATOR(pg_catalog.<) 7
    ORDER BY distance LIMIT 70::bigint OPERATOR(pg_catalog.*) 10
), exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."bits_1" AS passages JOIN (SELECT "id" AS k1 FROM "public"."bits") AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND ((SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.<) 70 OR (SELECT pg_catalog.count(*) FROM (SELECT k1 FROM nearest UNION SELECT k1 FROM wider) AS documents) OPERATOR(pg_catalog.<) 7)
    ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1 ORDER BY pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0) OPERATOR(pg_catalog.>) 1, distance LIMIT 70
), recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, passage) * FROM (TABLE nearest UNION ALL TABLE wider UNION ALL TABLE exact) AS stages) AS found
), scored AS MATERIALIZED (
    SELECT k1, passage, span, content, recall_rank, OPERATOR(pg_catalog.-) distance AS dense_score FROM recall
)
SELECT k1, passage, span, content, score, relevance, recall_rank, dense_score AS dense_score, pg_catalog.jsonb_build_object('dense', pg_catalog.jsonb_build_object('score', dense_score, 'rank', dense_place)) AS parts
FROM (SELECT * FROM (SELECT DISTINCT ON (k1) * FROM (SELECT *, dense_score AS score, dense_relevance AS relevance FROM (SELECT *, least(greatest(dense_score, 0), 1) AS dense_relevance, CASE WHEN dense_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST) END AS dense_place FROM scored) AS measured) AS fused ORDER BY k1, score DESC NULLS LAST, passage) AS best ORDER BY score DESC NULLS LAST, k1, passage LIMIT 7) AS top) AS hits ORDER BY score DESC NULLS LAST, k1, passage
-- $1: Halfvec;

SELECT anon_1.k1 AS id, anon_1.passage, pg_catalog.lower(anon_1.span) AS span_start, pg_catalog.upper(anon_1.span) AS span_end, anon_1.content, anon_1.score, anon_1.relevance, anon_1.recall_rank, anon_1.dense_score, anon_1.parts 
FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least(%(candidates_1)s::INTEGER, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE pgencoder._check_active(pgencoder."bits_active"(), CAST(%(expected_1)s::VARCHAR AS pg_catalog.jsonb))
), nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) AS distance
    FROM pgencoder."bits_1" AS passages JOIN (SELECT public.bits.id AS k1 
FROM public.bits 
WHERE title = %(title_1)s::VARCHAR) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL
    ORDER BY distance LIMIT %(candidates_1)s::INTEGER
), wider AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) AS distance
    FROM pgencoder."bits_1" AS passages JOIN (SELECT public.bits.id AS k1 
FROM public.bits 
WHERE title = %(title_1)s::VARCHAR) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1 FROM nearest) AS documents) OPERATOR(pg_catalog.<) %(k_1)s::INTEGER
    ORDER BY distance LIMIT %(candidates_1)s::INTEGER::bigint OPERATOR(pg_catalog.*) 10
), exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) OPERATOR(pg_catalog.+) 0 AS distance
    FROM pgencoder."bits_1" AS passages JOIN (SELECT public.bits.id AS k1 
FROM public.bits 
WHERE title = %(title_1)s::VARCHAR) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND ((SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.<) %(candidates_1)s::INTEGER OR (SELECT pg_catalog.count(*) FROM (SELECT k1 FROM nearest UNION SELECT k1 FROM wider) AS documents) OPERATOR(pg_catalog.<) %(k_1)s::INTEGER)
    ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1 ORDER BY pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) OPERATOR(pg_catalog.+) 0) OPERATOR(pg_catalog.>) 1, distance LIMIT %(candidates_1)s::INTEGER
), recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, passage) * FROM (TABLE nearest UNION ALL TABLE wider UNION ALL TABLE exact) AS stages) AS found
), scored AS MATERIALIZED (
    SELECT k1, passage, span, content, recall_rank, OPERATOR(pg_catalog.-) distance AS dense_score FROM recall
)
SELECT k1, passage, span, content, score, relevance, recall_rank, dense_score AS dense_score, pg_catalog.jsonb_build_object('dense', pg_catalog.jsonb_build_object('score', dense_score, 'rank', dense_place)) AS parts
FROM (SELECT * FROM (SELECT DISTINCT ON (k1) * FROM (SELECT *, dense_score AS score, dense_relevance AS relevance FROM (SELECT *, least(greatest(dense_score, 0), 1) AS dense_relevance, CASE WHEN dense_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST) END AS dense_place FROM scored) AS measured) AS fused ORDER BY k1, score DESC NULLS LAST, passage) AS best ORDER BY score DESC NULLS LAST, k1, passage LIMIT %(k_1)s::INTEGER) AS top) AS anon_1 ORDER BY anon_1.score DESC NULLS LAST, anon_1.k1, anon_1.passage
-- candidates_1: 100
-- expected_1: {"collection": "bits", "generation": 1, "source": "\"public\".\"bits\"", "key": "\"id\"", "encoder": {"dims": [32, 16], "model": "words"}}
-- k_1: 10
-- query_dense_1: Numbers
-- title_1: a;

SELECT k1, passage, pg_catalog.lower(span) AS span_start, pg_catalog.upper(span) AS span_end, content, score, relevance, recall_rank, dense_score, parts FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least(100, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE pgencoder._check_active("pgencoder"."plain_active"(),  E'{"collection": "plain", "generation": 1, "source": "\\"public\\".\\"plain\\"", "key": "\\"id\\"", "encoder": {"dims": [32, 16], "model": "words"}}'::pg_catalog.jsonb)
), nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."plain_1" AS passages JOIN (SELECT "id" AS k1 FROM "public"."plain") AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL
    ORDER BY distance LIMIT 100
), wider AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."plain_1" AS passages JOIN (SELECT "id" AS k1 FROM "public"."plain") AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1 FROM nearest) AS documents) OPERATOR(pg_catalog.<) 10
    ORDER BY distance LIMIT 100::bigint OPERATOR(pg_catalog.*) 10
), exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."plain_1" AS passages JOIN (SELECT "id" AS k1 FROM "public"."plain") AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND ((SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.<) 100 OR (SELECT pg_catalog.count(*) FROM (SELECT k1 FROM nearest UNION SELECT k1 FROM wider) AS documents) OPERATOR(pg_catalog.<) 10)
    ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1 ORDER BY pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0) OPERATOR(pg_catalog.>) 1, distance LIMIT 100
), recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, passage) * FROM (TABLE nearest UNION ALL TABLE wider UNION ALL TABLE exact) AS stages) AS found
), scored AS MATERIALIZED (
    SELECT k1, passage, span, content, recall_rank, OPERATOR(pg_catalog.-) distance AS dense_score FROM recall
)
SELECT k1, passage, span, content, score, relevance, recall_rank, dense_score AS dense_score, pg_catalog.jsonb_build_object('dense', pg_catalog.jsonb_build_object('score', dense_score, 'rank', dense_place)) AS parts
FROM (SELECT * FROM (SELECT DISTINCT ON (k1) * FROM (SELECT *, dense_score AS score, dense_relevance AS relevance FROM (SELECT *, least(greatest(dense_score, 0), 1) AS dense_relevance, CASE WHEN dense_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST) END AS dense_place FROM scored) AS measured) AS fused ORDER BY k1, score DESC NULLS LAST, passage) AS best ORDER BY score DESC NULLS LAST, k1, passage LIMIT 10) AS top) AS hits ORDER BY score DESC NULLS LAST, k1, passage
-- $1: Halfvec;

SELECT k1, k2, passage, pg_catalog.lower(span) AS span_start, pg_catalog.upper(span) AS span_end, content, score, relevance, recall_rank, dense_score, parts FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least(100, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE pgencoder._check_active("pgencoder"."odd ""50%"" {$1}_active"(),  E'{"collection": "odd \\"50%\\" {$1}", "generation": 1, "source": "\\"it''s a \\"\\"schema\\"\\"\\".\\"odd \\"\\"50%\\"\\" {$1}\\"", "key": "\\"1\\", \\"passage_key\\"", "encoder": {"dims": [32, 16], "model": "words"}}'::pg_catalog.jsonb)
), nearest AS (
    SELECT source.k1, source.k2, passages.passage, passages.span, passages.content, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."odd ""50%"" {$1}_1" AS passages JOIN (SELECT "passage" AS k1, "$1" AS k2 FROM "it's a ""schema"""."odd ""50%"" {$1}") AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
    WHERE (SELECT done FROM setting) IS NOT NULL
    ORDER BY distance LIMIT 100
), wider AS (
    SELECT source.k1, source.k2, passages.passage, passages.span, passages.content, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."odd ""50%"" {$1}_1" AS passages JOIN (SELECT "passage" AS k1, "$1" AS k2 FROM "it's a ""schema"""."odd ""50%"" {$1}") AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
    WHERE (SELECT done FROM setting) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1, k2 FROM nearest) AS documents) OPERATOR(pg_catalog.<) 10
    ORDER BY distance LIMIT 100::bigint OPERATOR(pg_catalog.*) 10
), exact AS (
    SELECT source.k1, source.k2, passages.passage, passages.span, passages.content, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."odd ""50%"" {$1}_1" AS passages JOIN (SELECT "passage" AS k1, "$1" AS k2 FROM "it's a ""schema"""."odd ""50%"" {$1}") AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
    WHERE (SELECT done FROM setting) IS NOT NULL AND ((SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.<) 100 OR (SELECT pg_catalog.count(*) FROM (SELECT k1, k2 FROM nearest UNION SELECT k1, k2 FROM wider) AS documents) OPERATOR(pg_catalog.<) 10)
    ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1, source.k2 ORDER BY pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0) OPERATOR(pg_catalog.>) 1, distance LIMIT 100
), recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, k2, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, k2, passage) * FROM (TABLE nearest UNION ALL TABLE wider UNION ALL TABLE exact) AS stages) AS found
), scored AS MATERIALIZED (
    SELECT k1, k2, passage, span, content, recall_rank, OPERATOR(pg_catalog.-) distance AS dense_score FROM recall
)
SELECT k1, k2, passage, span, content, score, relevance, recall_rank, dense_score AS dense_score, pg_catalog.jsonb_build_object('dense', pg_catalog.jsonb_build_object('score', dense_score, 'rank', dense_place)) AS parts
FROM (SELECT * FROM (SELECT DISTINCT ON (k1, k2) * FROM (SELECT *, dense_score AS score, dense_relevance AS relevance FROM (SELECT *, least(greatest(dense_score, 0), 1) AS dense_relevance, CASE WHEN dense_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST) END AS dense_place FROM scored) AS measured) AS fused ORDER BY k1, k2, score DESC NULLS LAST, passage) AS best ORDER BY score DESC NULLS LAST, k1, k2, passage LIMIT 10) AS top) AS hits ORDER BY score DESC NULLS LAST, k1, k2, passage
-- $1: Halfvec;

SELECT bits.id, bits.title, anon_1.score 
FROM bits JOIN (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least(%(candidates_1)s::INTEGER, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE pgencoder._check_active(pgencoder."bits_active"(), CAST(%(expected_1)s::VARCHAR AS pg_catalog.jsonb))
), nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) AS distance
    FROM pgencoder."bits_passages" AS passages JOIN (SELECT bits.id AS k1 
FROM bits) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL
    ORDER BY distance LIMIT %(candidates_1)s::INTEGER
), wider AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) AS distance
    FROM pgencoder."bits_passages" AS passages JOIN (SELECT bits.id AS k1 
FROM bits) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1 FROM nearest) AS documents) OPERATOR(pg_catalog.<) %(k_1)s::INTEGER
    ORDER BY distance LIMIT %(candidates_1)s::INTEGER::bigint OPERATOR(pg_catalog.*) 10
), exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) OPERATOR(pg_catalog.+) 0 AS distance
    FROM pgencoder."bits_passages" AS passages JOIN (SELECT bits.id AS k1 
FROM bits) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND ((SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.<) %(candidates_1)s::INTEGER OR (SELECT pg_catalog.count(*) FROM (SELECT k1 FROM nearest UNION SELECT k1 FROM wider) AS documents) OPERATOR(pg_catalog.<) %(k_1)s::INTEGER)
    ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1 ORDER BY pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) OPERATOR(pg_catalog.+) 0) OPERATOR(pg_catalog.>) 1, distance LIMIT %(candidates_1)s::INTEGER
), recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, passage) * FROM (TABLE nearest UNION ALL TABLE wider UNION ALL TABLE exact) AS stages) AS found
), scored AS MATERIALIZED (
    SELECT k1, passage, span, content, recall_rank, OPERATOR(pg_catalog.-) distance AS dense_score FROM recall
)
SELECT k1, passage, span, content, score, relevance, recall_rank, dense_score AS dense_score, pg_catalog.jsonb_build_object('dense', pg_catalog.jsonb_build_object('score', dense_score, 'rank', dense_place)) AS parts
FROM (SELECT * FROM (SELECT DISTINCT ON (k1) * FROM (SELECT *, dense_score AS score, dense_relevance AS relevance FROM (SELECT *, least(greatest(dense_score, 0), 1) AS dense_relevance, CASE WHEN dense_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST) END AS dense_place FROM scored) AS measured) AS fused ORDER BY k1, score DESC NULLS LAST, passage) AS best ORDER BY score DESC NULLS LAST, k1, passage LIMIT %(k_1)s::INTEGER) AS top) AS anon_1 ON bits.id OPERATOR(pg_catalog.=) anon_1.k1 ORDER BY anon_1.score DESC NULLS LAST, anon_1.k1, anon_1.passage
-- candidates_1: 100
-- expected_1: {"key": "\"id\""}
-- k_1: 10
-- query_dense_1: Numbers;

SELECT anon_1.k1 AS id, anon_1.passage, pg_catalog.lower(anon_1.span) AS span_start, pg_catalog.upper(anon_1.span) AS span_end, anon_1.content, anon_1.score, anon_1.relevance, anon_1.recall_rank, anon_1.dense_score, anon_1.parts 
FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least(%(candidates_1)s::INTEGER, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE pgencoder._check_active(pgencoder."bits_active"(), CAST(%(expected_1)s::VARCHAR AS pg_catalog.jsonb))
), nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) AS distance
    FROM pgencoder."bits_passages" AS passages JOIN (SELECT public.bits.id AS k1 
FROM public.bits) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL
    ORDER BY distance LIMIT %(candidates_1)s::INTEGER
), wider AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) AS distance
    FROM pgencoder."bits_passages" AS passages JOIN (SELECT public.bits.id AS k1 
FROM public.bits) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1 FROM nearest) AS documents) OPERATOR(pg_catalog.<) %(k_1)s::INTEGER
    ORDER BY distance LIMIT %(candidates_1)s::INTEGER::bigint OPERATOR(pg_catalog.*) 10
), exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) OPERATOR(pg_catalog.+) 0 AS distance
    FROM pgencoder."bits_passages" AS passages JOIN (SELECT public.bits.id AS k1 
FROM public.bits) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND ((SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.<) %(candidates_1)s::INTEGER OR (SELECT pg_catalog.count(*) FROM (SELECT k1 FROM nearest UNION SELECT k1 FROM wider) AS documents) OPERATOR(pg_catalog.<) %(k_1)s::INTEGER)
    ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1 ORDER BY pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) OPERATOR(pg_catalog.+) 0) OPERATOR(pg_catalog.>) 1, distance LIMIT %(candidates_1)s::INTEGER
), recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, passage) * FROM (TABLE nearest UNION ALL TABLE wider UNION ALL TABLE exact) AS stages) AS found
), scored AS MATERIALIZED (
    SELECT k1, passage, span, content, recall_rank, OPERATOR(pg_catalog.-) distance AS dense_score FROM recall
)
SELECT k1, passage, span, content, score, relevance, recall_rank, dense_score AS dense_score, pg_catalog.jsonb_build_object('dense', pg_catalog.jsonb_build_object('score', dense_score, 'rank', dense_place)) AS parts
FROM (SELECT * FROM (SELECT DISTINCT ON (k1) * FROM (SELECT *, dense_score AS score, dense_relevance AS relevance FROM (SELECT *, least(greatest(dense_score, 0), 1) AS dense_relevance, CASE WHEN dense_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST) END AS dense_place FROM scored) AS measured) AS fused ORDER BY k1, score DESC NULLS LAST, passage) AS best ORDER BY score DESC NULLS LAST, k1, passage LIMIT %(k_1)s::INTEGER) AS top) AS anon_1 ORDER BY anon_1.score DESC NULLS LAST, anon_1.k1, anon_1.passage
-- candidates_1: 100
-- expected_1: {"key": "\"id\""}
-- k_1: 10
-- query_dense_1: Numbers;

SELECT anon_1.k1 AS passage_key, anon_1.k2 AS "1", anon_1.passage, pg_catalog.lower(anon_1.span) AS span_start, pg_catalog.upper(anon_1.span) AS span_end, anon_1.content, anon_1.score, anon_1.relevance, anon_1.recall_rank, anon_1.dense_score, anon_1.parts 
FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least(%(candidates_1)s::INTEGER, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE pgencoder._check_active(pgencoder."odd ""50%%"" {$1}_active"(), CAST(%(expected_1)s::VARCHAR AS pg_catalog.jsonb))
), nearest AS (
    SELECT source.k1, source.k2, passages.passage, passages.span, passages.content, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) AS distance
    FROM pgencoder."odd ""50%%"" {$1}_passages" AS passages JOIN (SELECT "it's a ""schema"""."odd ""50%%"" {$1}".passage AS k1, "it's a ""schema"""."odd ""50%%"" {$1}"."$1" AS k2 
FROM "it's a ""schema"""."odd ""50%%"" {$1}") AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
    WHERE (SELECT done FROM setting) IS NOT NULL
    ORDER BY distance LIMIT %(candidates_1)s::INTEGER
), wider AS (
    SELECT source.k1, source.k2, passages.passage, passages.span, passages.content, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) AS distance
    FROM pgencoder."odd ""50%%"" {$1}_passages" AS passages JOIN (SELECT "it's a ""schema"""."odd ""50%%"" {$1}".passage AS k1, "it's a ""schema"""."odd ""50%%"" {$1}"."$1" AS k2 
FROM "it's a ""schema"""."odd ""50%%"" {$1}") AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
    WHERE (SELECT done FROM setting) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1, k2 FROM nearest) AS documents) OPERATOR(pg_catalog.<) %(k_1)s::INTEGER
    ORDER BY distance LIMIT %(candidates_1)s::INTEGER::bigint OPERATOR(pg_catalog.*) 10
), exact AS (
    SELECT source.k1, source.k2, passages.passage, passages.span, passages.content, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) OPERATOR(pg_catalog.+) 0 AS distance
    FROM pgencoder."odd ""50%%"" {$1}_passages" AS passages JOIN (SELECT "it's a ""schema"""."odd ""50%%"" {$1}".passage AS k1, "it's a ""schema"""."odd ""50%%"" {$1}"."$1" AS k2 
FROM "it's a ""schema"""."odd ""50%%"" {$1}") AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
    WHERE (SELECT done FROM setting) IS NOT NULL AND ((SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.<) %(candidates_1)s::INTEGER OR (SELECT pg_catalog.count(*) FROM (SELECT k1, k2 FROM nearest UNION SELECT k1, k2 FROM wider) AS documents) OPERATOR(pg_catalog.<) %(k_1)s::INTEGER)
    ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1, source.k2 ORDER BY pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) OPERATOR(pg_catalog.+) 0) OPERATOR(pg_catalog.>) 1, distance LIMIT %(candidates_1)s::INTEGER
), recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, k2, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, k2, passage) * FROM (TABLE nearest UNION ALL TABLE wider UNION ALL TABLE exact) AS stages) AS found
), scored AS MATERIALIZED (
    SELECT k1, k2, passage, span, content, recall_rank, OPERATOR(pg_catalog.-) distance AS dense_score FROM recall
)
SELECT k1, k2, passage, span, content, score, relevance, recall_rank, dense_score AS dense_score, pg_catalog.jsonb_build_object('dense', pg_catalog.jsonb_build_object('score', dense_score, 'rank', dense_place)) AS parts
FROM (SELECT * FROM (SELECT DISTINCT ON (k1, k2) * FROM (SELECT *, dense_score AS score, dense_relevance AS relevance FROM (SELECT *, least(greatest(dense_score, 0), 1) AS dense_relevance, CASE WHEN dense_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST) END AS dense_place FROM scored) AS measured) AS fused ORDER BY k1, k2, score DESC NULLS LAST, passage) AS best ORDER BY score DESC NULLS LAST, k1, k2, passage LIMIT %(k_1)s::INTEGER) AS top) AS anon_1 ORDER BY anon_1.score DESC NULLS LAST, anon_1.k1, anon_1.k2, anon_1.passage
-- candidates_1: 100
-- expected_1: {"key": "\"1\", \"passage_key\""}
-- k_1: 10
-- query_dense_1: Numbers;

SELECT bits.id, bits.title, anon_1.score 
FROM bits JOIN (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least(%(candidates_1)s::INTEGER, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE pgencoder._check_active(pgencoder."bits_active"(), CAST(%(expected_1)s::VARCHAR AS pg_catalog.jsonb))
), nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) AS distance
    FROM pgencoder."bits_passages" AS passages JOIN (SELECT bits.id AS k1 
FROM bits 
WHERE bits.title = %(title_1)s::VARCHAR) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL
    ORDER BY distance LIMIT %(candidates_1)s::INTEGER
), wider AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) AS distance
    FROM pgencoder."bits_passages" AS passages JOIN (SELECT bits.id AS k1 
FROM bits 
WHERE bits.title = %(title_1)s::VARCHAR) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1 FROM nearest) AS documents) OPERATOR(pg_catalog.<) %(k_1)s::INTEGER
    ORDER BY distance LIMIT %(candidates_1)s::INTEGER::bigint OPERATOR(pg_catalog.*) 10
), exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) OPERATOR(pg_catalog.+) 0 AS distance
    FROM pgencoder."bits_passages" AS passages JOIN (SELECT bits.id AS k1 
FROM bits 
WHERE bits.title = %(title_1)s::VARCHAR) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND ((SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.<) %(candidates_1)s::INTEGER OR (SELECT pg_catalog.count(*) FROM (SELECT k1 FROM nearest UNION SELECT k1 FROM wider) AS documents) OPERATOR(pg_catalog.<) %(k_1)s::INTEGER)
    ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1 ORDER BY pgencoder._distance(dense, pgencoder._query_dense(CAST(%(query_dense_1)s AS real[]))) OPERATOR(pg_catalog.+) 0) OPERATOR(pg_catalog.>) 1, distance LIMIT %(candidates_1)s::INTEGER
), recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, passage) * FROM (TABLE nearest UNION ALL TABLE wider UNION ALL TABLE exact) AS stages) AS found
), scored AS MATERIALIZED (
    SELECT k1, passage, span, content, recall_rank, OPERATOR(pg_catalog.-) distance AS dense_score FROM recall
)
SELECT k1, passage, span, content, score, relevance, recall_rank, dense_score AS dense_score, pg_catalog.jsonb_build_object('dense', pg_catalog.jsonb_build_object('score', dense_score, 'rank', dense_place)) AS parts
FROM (SELECT * FROM (SELECT DISTINCT ON (k1) * FROM (SELECT *, dense_score AS score, dense_relevance AS relevance FROM (SELECT *, least(greatest(dense_score, 0), 1) AS dense_relevance, CASE WHEN dense_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST) END AS dense_place FROM scored) AS measured) AS fused ORDER BY k1, score DESC NULLS LAST, passage) AS best ORDER BY score DESC NULLS LAST, k1, passage LIMIT %(k_1)s::INTEGER) AS top) AS anon_1 ON bits.id OPERATOR(pg_catalog.=) anon_1.k1 ORDER BY anon_1.score DESC NULLS LAST, anon_1.k1, anon_1.passage
-- candidates_1: 100
-- expected_1: {"key": "\"id\""}
-- k_1: 10
-- query_dense_1: Numbers
-- title_1: a
