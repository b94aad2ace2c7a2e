CREATE OR REPLACE FUNCTION pgencoder.halves_search(query_dense halfvec, query_tokens halfvec[], k integer DEFAULT 10, candidates integer DEFAULT 100, filter text DEFAULT NULL::text, group_by text DEFAULT 'passage'::text, query_encoder jsonb DEFAULT NULL::jsonb)
 RETURNS TABLE(id bigint, passage integer, content text, score double precision, recall_rank integer, dense_score double precision)
 LANGUAGE plpgsql
 ROWS 10
 SET "hnsw.ef_search" TO '100'
 SET "hnsw.iterative_scan" TO 'relaxed_order'
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$-- The statement that is asked for most is planned once in a session. It has no variables by their names, which may be those of
-- columns, and its LIMIT is a literal: a plan for all values would leave the index aside. The others are put together.
#variable_conflict use_column
DECLARE
    statement pg_catalog.text;
    wanted pg_catalog.text;
    own_encoder CONSTANT pg_catalog.jsonb := '{"model": "words", "dims": [32, 16]}';
BEGIN
    IF (group_by OPERATOR(pg_catalog.=) ANY (ARRAY['passage', 'document'])) IS NOT TRUE THEN
        RAISE EXCEPTION 'group_by is %, not passage or document', coalesce(pg_catalog.quote_literal(group_by), 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF k IS NULL OR k OPERATOR(pg_catalog.<) 1 OR candidates IS NULL OR candidates OPERATOR(pg_catalog.<) 1 THEN
        RAISE EXCEPTION 'k and candidates must be at least 1, got % and %', k, candidates
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF query_encoder IS NOT NULL
        AND pgencoder._comparable(query_encoder) OPERATOR(pg_catalog.<>) pgencoder._comparable(own_encoder) THEN
        RAISE EXCEPTION '% was encoded by %, the query by %', 'generation 1 of halves', own_encoder, query_encoder
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Encode the query with the model of the active generation.';
    END IF;
    PERFORM pgencoder._check_source('halves', 1, '"public"."halves"');
    IF filter IS NULL AND group_by OPERATOR(pg_catalog.=) 'passage'
        AND greatest(k, candidates) OPERATOR(pg_catalog.=) 100 THEN
        RETURN QUERY SELECT k1, passage, content, score, recall_rank, dense_score FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least(100, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE true
), nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.tokens, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "searched"."id"::bigint AS k1 FROM "public"."halves" AS searched) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL
    ORDER BY distance LIMIT 100
), exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.tokens, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "searched"."id"::bigint AS k1 FROM "public"."halves" AS searched) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.<) 100
    ORDER BY distance LIMIT 100
), recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT * FROM nearest WHERE (SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.>=) 100 UNION ALL TABLE exact) AS found
), scored AS (
    SELECT k1, passage, span, content, recall_rank, OPERATOR(pg_catalog.-) distance AS dense_score, pgencoder._score($2, tokens) AS tokens_score FROM recall
)
SELECT k1, passage, span, content, score, recall_rank, dense_score FROM (SELECT *, tokens_score AS score FROM scored) AS fused
ORDER BY score DESC NULLS LAST, k1, passage LIMIT $3) AS hits ORDER BY score DESC NULLS LAST, k1, passage;
        RETURN;
    END IF;
    -- on separate lines, because it may end with a comment
    wanted := E'\n' OPERATOR(pg_catalog.||) coalesce(filter, 'true') OPERATOR(pg_catalog.||) E'\n';
    statement := CASE WHEN group_by OPERATOR(pg_catalog.=) 'passage' THEN 'SELECT k1, passage, content, score, recall_rank, dense_score FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config(''hnsw.ef_search'', least($4, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config(''hnsw.iterative_scan'', ''relaxed_order'', true) AS done
    WHERE true
), nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.tokens, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::bigint AS k1 FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL
    ORDER BY distance LIMIT $4
), exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.tokens, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::bigint AS k1 FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.<) $4
    ORDER BY distance LIMIT $4
), recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT * FROM nearest WHERE (SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.>=) $4 UNION ALL TABLE exact) AS found
), scored AS (
    SELECT k1, passage, span, content, recall_rank, OPERATOR(pg_catalog.-) distance AS dense_score, pgencoder._score($2, tokens) AS tokens_score FROM recall
)
SELECT k1, passage, span, content, score, recall_rank, dense_score FROM (SELECT *, tokens_score AS score FROM scored) AS fused
ORDER BY score DESC NULLS LAST, k1, passage LIMIT $3) AS hits ORDER BY score DESC NULLS LAST, k1, passage' ELSE 'SELECT k1, passage, content, score, recall_rank, dense_score FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config(''hnsw.ef_search'', least($4, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config(''hnsw.iterative_scan'', ''relaxed_order'', true) AS done
    WHERE true
), nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.tokens, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::bigint AS k1 FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL
    ORDER BY distance LIMIT $4
), wider AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.tokens, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::bigint AS k1 FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1 FROM nearest) AS documents) OPERATOR(pg_catalog.<) $3
    ORDER BY distance LIMIT $4::bigint OPERATOR(pg_catalog.*) 10
), exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.tokens, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::bigint AS k1 FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND ((SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.<) $4 OR (SELECT pg_catalog.count(*) FROM (SELECT k1 FROM nearest UNION SELECT k1 FROM wider) AS documents) OPERATOR(pg_catalog.<) $3)
    ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1 ORDER BY pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0) OPERATOR(pg_catalog.>) 1, distance LIMIT $4
), recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, passage) * FROM (TABLE nearest UNION ALL TABLE wider UNION ALL TABLE exact) AS stages) AS found
), scored AS (
    SELECT k1, passage, span, content, recall_rank, OPERATOR(pg_catalog.-) distance AS dense_score, pgencoder._score($2, tokens) AS tokens_score FROM recall
)
SELECT k1, passage, span, content, score, recall_rank, dense_score FROM (SELECT DISTINCT ON (k1) * FROM (SELECT *, tokens_score AS score FROM scored) AS fused ORDER BY k1, score DESC NULLS LAST, passage) AS best
ORDER BY score DESC NULLS LAST, k1, passage LIMIT $3) AS hits ORDER BY score DESC NULLS LAST, k1, passage' END;
    RETURN QUERY EXECUTE statement USING query_dense, query_tokens, k, greatest(k, candidates);
END
$function$
