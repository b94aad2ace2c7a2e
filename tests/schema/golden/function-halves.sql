CREATE OR REPLACE FUNCTION pgencoder.halves_search(query_dense halfvec, query_tokens halfvec[], k integer DEFAULT 10, candidates integer DEFAULT 100, filter text DEFAULT NULL::text, group_by text DEFAULT 'passage'::text, query_encoder jsonb DEFAULT NULL::jsonb)
 RETURNS TABLE(id bigint, passage integer, content text, score double precision, recall_rank integer, dense_score double precision)
 LANGUAGE plpgsql
 ROWS 10
 SET "hnsw.ef_search" TO '100'
 SET "hnsw.iterative_scan" TO 'relaxed_order'
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$DECLARE
    -- on separate lines, because it may end with a comment
    wanted CONSTANT pg_catalog.text := E'\n' OPERATOR(pg_catalog.||) coalesce(filter, 'true') OPERATOR(pg_catalog.||) E'\n';
    statement pg_catalog.text := CASE WHEN group_by OPERATOR(pg_catalog.=) 'passage' THEN 'SELECT k1, passage, content, score, recall_rank, dense_score FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config(''hnsw.ef_search'', least($4, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config(''hnsw.iterative_scan'', ''relaxed_order'', true) AS done
    WHERE true
), nearest AS MATERIALIZED (
    SELECT source.k1, passage, span, content, tokens, pgencoder.distance(dense, $1) AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::bigint AS k1 FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL
    ORDER BY distance LIMIT $4
), exact AS MATERIALIZED (
    SELECT source.k1, passage, span, content, tokens, pgencoder.distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::bigint AS k1 FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.<) $4
    ORDER BY distance LIMIT $4
), recall AS MATERIALIZED (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (
        SELECT DISTINCT ON (k1, passage) * FROM (TABLE nearest UNION ALL TABLE exact) AS stages
    ) AS found
), scored AS MATERIALIZED (
    SELECT k1, passage, span, content, recall_rank, OPERATOR(pg_catalog.-) distance AS dense_score, pgencoder.score($2, tokens) AS tokens_score FROM recall
)
SELECT k1, passage, span, content, score, recall_rank, dense_score FROM (SELECT *, tokens_score AS score FROM scored) AS fused
ORDER BY score DESC NULLS LAST, k1, passage LIMIT $3) AS hits ORDER BY score DESC NULLS LAST, k1, passage'
        WHEN group_by OPERATOR(pg_catalog.=) 'document' THEN 'SELECT k1, passage, content, score, recall_rank, dense_score FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config(''hnsw.ef_search'', least($4, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config(''hnsw.iterative_scan'', ''relaxed_order'', true) AS done
    WHERE true
), nearest AS MATERIALIZED (
    SELECT source.k1, passage, span, content, tokens, pgencoder.distance(dense, $1) AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::bigint AS k1 FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL
    ORDER BY distance LIMIT $4
), wider AS MATERIALIZED (
    SELECT source.k1, passage, span, content, tokens, pgencoder.distance(dense, $1) AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::bigint AS k1 FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1 FROM nearest) AS documents) OPERATOR(pg_catalog.<) $3
    ORDER BY distance LIMIT $4::bigint OPERATOR(pg_catalog.*) 10
), exact AS MATERIALIZED (
    SELECT source.k1, passage, span, content, tokens, pgencoder.distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::bigint AS k1 FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND ((SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.<) $4 OR (SELECT pg_catalog.count(*) FROM (SELECT k1 FROM nearest UNION SELECT k1 FROM wider) AS documents) OPERATOR(pg_catalog.<) $3)
    ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1 ORDER BY pgencoder.distance(dense, $1) OPERATOR(pg_catalog.+) 0) OPERATOR(pg_catalog.>) 1, distance LIMIT $4
), recall AS MATERIALIZED (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (
        SELECT DISTINCT ON (k1, passage) * FROM (TABLE nearest UNION ALL TABLE wider UNION ALL TABLE exact) AS stages
    ) AS found
), scored AS MATERIALIZED (
    SELECT k1, passage, span, content, recall_rank, OPERATOR(pg_catalog.-) distance AS dense_score, pgencoder.score($2, tokens) AS tokens_score FROM recall
)
SELECT k1, passage, span, content, score, recall_rank, dense_score FROM (SELECT DISTINCT ON (k1) * FROM (SELECT *, tokens_score AS score FROM scored) AS fused ORDER BY k1, score DESC NULLS LAST, passage) AS best
ORDER BY score DESC NULLS LAST, k1, passage LIMIT $3) AS hits ORDER BY score DESC NULLS LAST, k1, passage' END;
    own_encoder CONSTANT pg_catalog.jsonb := '{"model": "words", "dims": [32, 16]}';
BEGIN
    IF statement IS NULL THEN
        RAISE EXCEPTION 'group_by is %, not passage or document', coalesce(pg_catalog.quote_literal(group_by), 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF k IS NULL OR k OPERATOR(pg_catalog.<) 1 OR candidates IS NULL OR candidates OPERATOR(pg_catalog.<) 1 THEN
        RAISE EXCEPTION 'k and candidates must be at least 1, got % and %', k, candidates
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF pgencoder.comparable(query_encoder) OPERATOR(pg_catalog.<>) pgencoder.comparable(own_encoder) THEN
        RAISE EXCEPTION '% was encoded by %, the query by %', 'generation 1 of halves', own_encoder, query_encoder
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Encode the query with the model of the active generation.';
    END IF;
    PERFORM pgencoder.check_source('halves', 1, '"public"."halves"');
    RETURN QUERY EXECUTE statement USING query_dense, query_tokens, k, greatest(k, candidates);
END
$function$
