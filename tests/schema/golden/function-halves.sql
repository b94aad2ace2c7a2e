CREATE OR REPLACE FUNCTION pgencoder.halves_search(query_dense halfvec, query_tokens halfvec[], k integer DEFAULT 10, candidates integer DEFAULT 100, filter text DEFAULT NULL::text, group_by text DEFAULT 'passage'::text, query_encoder jsonb DEFAULT NULL::jsonb, query_text text DEFAULT NULL::text, fusion text DEFAULT NULL::text, weights jsonb DEFAULT NULL::jsonb, boost text DEFAULT NULL::text, min_relevance double precision DEFAULT NULL::double precision, query_sparse sparsevec DEFAULT NULL::sparsevec)
 RETURNS TABLE(id bigint, passage integer, content text, score double precision, relevance double precision, recall_rank integer, dense_score double precision, parts jsonb)
 LANGUAGE plpgsql
 ROWS 10
 SET "hnsw.ef_search" TO '100'
 SET "hnsw.iterative_scan" TO 'relaxed_order'
 SET jit TO 'off'
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$-- The statement that is asked for most is planned once in a session. It has no variables by their names, which may be those of
-- columns, and its LIMIT is a literal: a plan for all values would leave the index aside. The others are put together.
#variable_conflict use_column
DECLARE
    statement pg_catalog.text;
    wanted pg_catalog.text;
    boosted pg_catalog.text;
    fused pg_catalog.text;
    relevant pg_catalog.text;
    missing pg_catalog.text;
    is_usual CONSTANT boolean := fusion IS NULL AND weights IS NULL AND boost IS NULL AND min_relevance IS NULL;
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
    -- without words and sparse vectors, what ranks without them is better than the fusion
    fusion := coalesce(fusion, CASE WHEN query_text IS NULL AND query_sparse IS NULL AND weights IS NULL
            THEN CASE WHEN query_tokens IS NULL AND query_dense IS NOT NULL THEN 'dense'
                ELSE 'maxsim' END
        WHEN weights IS NULL THEN 'zscore' ELSE 'zscore' END);
    PERFORM pgencoder._check_fusion(fusion, weights, '{dense,lexical,maxsim}');
    missing := CASE WHEN query_dense IS NULL AND query_tokens IS NULL AND query_text IS NULL AND query_sparse IS NULL
        THEN 'query_dense, query_tokens, query_text or query_sparse' ELSE CASE WHEN fusion OPERATOR(pg_catalog.=) 'dense' AND query_dense IS NULL THEN 'query_dense' WHEN fusion OPERATOR(pg_catalog.=) 'lexical' AND query_text IS NULL THEN 'query_text' WHEN fusion OPERATOR(pg_catalog.=) 'maxsim' AND query_tokens IS NULL THEN 'query_tokens' END END;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'there is nothing to rank by: % is NULL', missing USING ERRCODE = 'null_value_not_allowed',
            HINT = 'Give it, or choose another fusion.';
    END IF;
    weights := coalesce(weights, '{"dense": 1.0, "lexical": 0.5, "maxsim": 1.0}');
    IF filter IS NULL AND is_usual AND fusion OPERATOR(pg_catalog.=) 'zscore'
        AND group_by OPERATOR(pg_catalog.=) 'passage' AND greatest(k, candidates) OPERATOR(pg_catalog.=) 100 THEN
        RETURN QUERY SELECT k1, passage, content, score, relevance, recall_rank, dense_score, parts FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least(100, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE true
), lexical_asked AS MATERIALIZED (SELECT * FROM "pgencoder"."halves_lexical"($8) WHERE (SELECT done FROM setting) IS NOT NULL), dense_nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "searched"."id"::bigint AS k1 FROM "public"."halves" AS searched) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL
    ORDER BY distance LIMIT 100
), dense_exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "searched"."id"::bigint AS k1 FROM "public"."halves" AS searched) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.<) 100
    ORDER BY distance LIMIT 100
), dense_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT * FROM dense_nearest WHERE (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.>=) 100 UNION ALL TABLE dense_exact) AS found
), lexical_chosen AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config('pgencoder.lexical_weights', asked.weights::pg_catalog.text, true), pg_catalog.set_config('pgencoder.lexical_any_1', pg_catalog.array_to_string(asked.any_1, ','), true), pg_catalog.set_config('pgencoder.lexical_any_2', pg_catalog.array_to_string(asked.any_2, ','), true), pg_catalog.set_config('pgencoder.lexical_any_3', pg_catalog.array_to_string(asked.any_3, ','), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL), lexical_nearest AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.distance
    FROM (
        SELECT source.k1, passages.passage, passages.distance
        FROM "pgencoder"."halves_by_lexical" AS passages JOIN (SELECT "searched"."id"::bigint AS k1 FROM "public"."halves" AS searched) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL
        ORDER BY distance LIMIT 100
    ) AS found JOIN "pgencoder"."halves_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_widened AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config('pgencoder.lexical_weights', asked.weights::pg_catalog.text, true), pg_catalog.set_config('pgencoder.lexical_any_1', pg_catalog.array_to_string(asked.every, ','), true), pg_catalog.set_config('pgencoder.lexical_any_2', pg_catalog.array_to_string(asked.every, ','), true), pg_catalog.set_config('pgencoder.lexical_any_3', pg_catalog.array_to_string(asked.every, ','), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL AND NOT (SELECT asked.complete FROM lexical_asked AS asked) AND (SELECT pg_catalog.count(*) FROM lexical_nearest) OPERATOR(pg_catalog.<) $3), lexical_exact AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.distance
    FROM (
        SELECT source.k1, passages.passage, passages.distance
        FROM "pgencoder"."halves_by_lexical" AS passages JOIN (SELECT "searched"."id"::bigint AS k1 FROM "public"."halves" AS searched) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_widened) IS NOT NULL
        ORDER BY distance LIMIT 100
    ) AS found JOIN "pgencoder"."halves_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, passage) * FROM (TABLE lexical_nearest UNION ALL TABLE lexical_exact) AS stages) AS found
), recall AS MATERIALIZED (
    SELECT DISTINCT ON (k1, passage) k1, passage, span, content, dense, lexical, tokens, pg_catalog.min(recall_rank) OVER passage AS recall_rank, pg_catalog.min(dense_distance) OVER passage AS dense_distance, pg_catalog.min(dense_rank) OVER passage AS dense_rank, pg_catalog.min(lexical_distance) OVER passage AS lexical_distance, pg_catalog.min(lexical_rank) OVER passage AS lexical_rank
    FROM (SELECT k1, passage, span, content, dense, lexical, tokens, recall_rank, distance AS dense_distance, recall_rank AS dense_rank, NULL::double precision AS lexical_distance, NULL::int AS lexical_rank FROM dense_recall UNION ALL SELECT k1, passage, span, content, dense, lexical, tokens, recall_rank, NULL::double precision AS dense_distance, NULL::int AS dense_rank, distance AS lexical_distance, recall_rank AS lexical_rank FROM lexical_recall) AS recalls
    WINDOW passage AS (PARTITION BY k1, passage)
), scored AS MATERIALIZED (
    SELECT k1, passage, span, content, recall_rank, coalesce(OPERATOR(pg_catalog.-) dense_distance, OPERATOR(pg_catalog.-) pgencoder._distance(dense, $1)) AS dense_score, (SELECT pg_catalog.sum((term.impact OPERATOR(pg_catalog.*) 2.2::double precision) OPERATOR(pg_catalog.*) (
    counted.times OPERATOR(pg_catalog./) (counted.times OPERATOR(pg_catalog.+) (1.2::double precision OPERATOR(pg_catalog.*)
        (0.25::double precision OPERATOR(pg_catalog.+) (0.75::double precision OPERATOR(pg_catalog.*)
            (passage.length OPERATOR(pg_catalog./) asked.mean_length)))))))
FROM lexical_asked AS asked,
    LATERAL (SELECT pgencoder._bm25_length(lexical) AS length OFFSET 0) AS passage,
    ROWS FROM (pg_catalog.unnest(asked.units), pg_catalog.unnest(asked.impacts)) AS term (unit, impact),
    LATERAL (SELECT OPERATOR(pg_catalog.-) pgencoder._distance(lexical, term.unit) AS weight OFFSET 0) AS found,
    LATERAL (SELECT pg_catalog.round((found.weight OPERATOR(pg_catalog.*) (1.2::double precision OPERATOR(pg_catalog.*)
        (0.25::double precision OPERATOR(pg_catalog.+) (0.0075::double precision OPERATOR(pg_catalog.*) passage.length))))
        OPERATOR(pg_catalog./) (1 OPERATOR(pg_catalog.-) found.weight)) AS times OFFSET 0) AS counted) AS lexical_score, pgencoder._score($2, tokens) AS tokens_score FROM recall
)
SELECT k1, passage, span, content, score, relevance, recall_rank, dense_score AS dense_score, pg_catalog.jsonb_build_object('dense', pg_catalog.jsonb_build_object('score', dense_score, 'rank', dense_place), 'lexical', pg_catalog.jsonb_build_object('score', lexical_score, 'rank', lexical_place), 'maxsim', pg_catalog.jsonb_build_object('score', tokens_score, 'rank', tokens_place)) AS parts
FROM (SELECT * FROM (SELECT *, (((1.0 OPERATOR(pg_catalog.*) CASE WHEN (pg_catalog.max(dense_score) OVER ()) OPERATOR(pg_catalog.>) (pg_catalog.min(dense_score) OVER ()) AND (pg_catalog.stddev_pop(dense_score) OVER ()) OPERATOR(pg_catalog.>) 0 AND (pg_catalog.stddev_pop(dense_score) OVER ()) OPERATOR(pg_catalog.<) 'infinity' THEN (coalesce(dense_score, (pg_catalog.min(dense_score) OVER ())) OPERATOR(pg_catalog.-) (pg_catalog.avg(dense_score) OVER ())) OPERATOR(pg_catalog./) (pg_catalog.stddev_pop(dense_score) OVER ()) ELSE 0 END) OPERATOR(pg_catalog.+) (0.5 OPERATOR(pg_catalog.*) CASE WHEN (pg_catalog.max(lexical_score) OVER ()) OPERATOR(pg_catalog.>) (pg_catalog.min(lexical_score) OVER ()) AND (pg_catalog.stddev_pop(lexical_score) OVER ()) OPERATOR(pg_catalog.>) 0 AND (pg_catalog.stddev_pop(lexical_score) OVER ()) OPERATOR(pg_catalog.<) 'infinity' THEN (coalesce(lexical_score, (pg_catalog.min(lexical_score) OVER ())) OPERATOR(pg_catalog.-) (pg_catalog.avg(lexical_score) OVER ())) OPERATOR(pg_catalog./) (pg_catalog.stddev_pop(lexical_score) OVER ()) ELSE 0 END) OPERATOR(pg_catalog.+) (1.0 OPERATOR(pg_catalog.*) CASE WHEN (pg_catalog.max(tokens_score) OVER ()) OPERATOR(pg_catalog.>) (pg_catalog.min(tokens_score) OVER ()) AND (pg_catalog.stddev_pop(tokens_score) OVER ()) OPERATOR(pg_catalog.>) 0 AND (pg_catalog.stddev_pop(tokens_score) OVER ()) OPERATOR(pg_catalog.<) 'infinity' THEN (coalesce(tokens_score, (pg_catalog.min(tokens_score) OVER ())) OPERATOR(pg_catalog.-) (pg_catalog.avg(tokens_score) OVER ())) OPERATOR(pg_catalog./) (pg_catalog.stddev_pop(tokens_score) OVER ()) ELSE 0 END)) OPERATOR(pg_catalog./) (1.0 OPERATOR(pg_catalog.+) 0.5 OPERATOR(pg_catalog.+) 1.0)) AS score, CASE WHEN (CASE WHEN dense_relevance IS NULL THEN 0 ELSE 1.0 END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE 0.5 END OPERATOR(pg_catalog.+) CASE WHEN tokens_relevance IS NULL THEN 0 ELSE 1.0 END) OPERATOR(pg_catalog.>) 0 THEN (CASE WHEN dense_relevance IS NULL THEN 0 ELSE (1.0 OPERATOR(pg_catalog.*) dense_relevance) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE (0.5 OPERATOR(pg_catalog.*) lexical_relevance) END OPERATOR(pg_catalog.+) CASE WHEN tokens_relevance IS NULL THEN 0 ELSE (1.0 OPERATOR(pg_catalog.*) tokens_relevance) END) OPERATOR(pg_catalog./) (CASE WHEN dense_relevance IS NULL THEN 0 ELSE 1.0 END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE 0.5 END OPERATOR(pg_catalog.+) CASE WHEN tokens_relevance IS NULL THEN 0 ELSE 1.0 END) END AS relevance FROM (SELECT *, least(greatest(dense_score, 0), 1) AS dense_relevance, (lexical_score OPERATOR(pg_catalog./) (SELECT asked.highest FROM lexical_asked AS asked)) AS lexical_relevance, least(greatest((tokens_score OPERATOR(pg_catalog./) greatest(pg_catalog.cardinality($2), 1)), 0), 1) AS tokens_relevance, CASE WHEN dense_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST) END AS dense_place, CASE WHEN lexical_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY lexical_score DESC NULLS LAST) END AS lexical_place, CASE WHEN tokens_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY tokens_score DESC NULLS LAST) END AS tokens_place FROM scored) AS measured) AS fused ORDER BY score DESC NULLS LAST, k1, passage LIMIT $3) AS top) AS hits ORDER BY score DESC NULLS LAST, k1, passage;
        RETURN;
    END IF;
    -- on separate lines, because it may end with a comment
    wanted := E'\n' OPERATOR(pg_catalog.||) coalesce(filter, 'true') OPERATOR(pg_catalog.||) E'\n';
    boosted := E'\n' OPERATOR(pg_catalog.||) coalesce(boost, '0') OPERATOR(pg_catalog.||) E'\n';
    fused := CASE WHEN fusion OPERATOR(pg_catalog.=) 'zscore' THEN '(((coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) OPERATOR(pg_catalog.*) CASE WHEN (pg_catalog.max(dense_score) OVER ()) OPERATOR(pg_catalog.>) (pg_catalog.min(dense_score) OVER ()) AND (pg_catalog.stddev_pop(dense_score) OVER ()) OPERATOR(pg_catalog.>) 0 AND (pg_catalog.stddev_pop(dense_score) OVER ()) OPERATOR(pg_catalog.<) ''infinity'' THEN (coalesce(dense_score, (pg_catalog.min(dense_score) OVER ())) OPERATOR(pg_catalog.-) (pg_catalog.avg(dense_score) OVER ())) OPERATOR(pg_catalog./) (pg_catalog.stddev_pop(dense_score) OVER ()) ELSE 0 END) OPERATOR(pg_catalog.+) (coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) OPERATOR(pg_catalog.*) CASE WHEN (pg_catalog.max(lexical_score) OVER ()) OPERATOR(pg_catalog.>) (pg_catalog.min(lexical_score) OVER ()) AND (pg_catalog.stddev_pop(lexical_score) OVER ()) OPERATOR(pg_catalog.>) 0 AND (pg_catalog.stddev_pop(lexical_score) OVER ()) OPERATOR(pg_catalog.<) ''infinity'' THEN (coalesce(lexical_score, (pg_catalog.min(lexical_score) OVER ())) OPERATOR(pg_catalog.-) (pg_catalog.avg(lexical_score) OVER ())) OPERATOR(pg_catalog./) (pg_catalog.stddev_pop(lexical_score) OVER ()) ELSE 0 END) OPERATOR(pg_catalog.+) (coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0) OPERATOR(pg_catalog.*) CASE WHEN (pg_catalog.max(tokens_score) OVER ()) OPERATOR(pg_catalog.>) (pg_catalog.min(tokens_score) OVER ()) AND (pg_catalog.stddev_pop(tokens_score) OVER ()) OPERATOR(pg_catalog.>) 0 AND (pg_catalog.stddev_pop(tokens_score) OVER ()) OPERATOR(pg_catalog.<) ''infinity'' THEN (coalesce(tokens_score, (pg_catalog.min(tokens_score) OVER ())) OPERATOR(pg_catalog.-) (pg_catalog.avg(tokens_score) OVER ())) OPERATOR(pg_catalog./) (pg_catalog.stddev_pop(tokens_score) OVER ()) ELSE 0 END)) OPERATOR(pg_catalog./) (coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) OPERATOR(pg_catalog.+) coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) OPERATOR(pg_catalog.+) coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0)))' WHEN fusion OPERATOR(pg_catalog.=) 'rrf' THEN '(((coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) OPERATOR(pg_catalog.*) CASE WHEN dense_score IS NULL THEN 0 ELSE 1.0::double precision OPERATOR(pg_catalog./) (60 OPERATOR(pg_catalog.+) (pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST))) END) OPERATOR(pg_catalog.+) (coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) OPERATOR(pg_catalog.*) CASE WHEN lexical_score IS NULL THEN 0 ELSE 1.0::double precision OPERATOR(pg_catalog./) (60 OPERATOR(pg_catalog.+) (pg_catalog.rank() OVER (ORDER BY lexical_score DESC NULLS LAST))) END) OPERATOR(pg_catalog.+) (coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0) OPERATOR(pg_catalog.*) CASE WHEN tokens_score IS NULL THEN 0 ELSE 1.0::double precision OPERATOR(pg_catalog./) (60 OPERATOR(pg_catalog.+) (pg_catalog.rank() OVER (ORDER BY tokens_score DESC NULLS LAST))) END)) OPERATOR(pg_catalog./) (coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) OPERATOR(pg_catalog.+) coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) OPERATOR(pg_catalog.+) coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0)))' WHEN fusion OPERATOR(pg_catalog.=) 'dense' THEN 'dense_score' WHEN fusion OPERATOR(pg_catalog.=) 'lexical' THEN 'lexical_score' WHEN fusion OPERATOR(pg_catalog.=) 'maxsim' THEN 'tokens_score' END;
    relevant := CASE WHEN fusion OPERATOR(pg_catalog.=) 'zscore' THEN 'CASE WHEN (CASE WHEN dense_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN tokens_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0) END) OPERATOR(pg_catalog.>) 0 THEN (CASE WHEN dense_relevance IS NULL THEN 0 ELSE (coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) OPERATOR(pg_catalog.*) dense_relevance) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE (coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) OPERATOR(pg_catalog.*) lexical_relevance) END OPERATOR(pg_catalog.+) CASE WHEN tokens_relevance IS NULL THEN 0 ELSE (coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0) OPERATOR(pg_catalog.*) tokens_relevance) END) OPERATOR(pg_catalog./) (CASE WHEN dense_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN tokens_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0) END) END' WHEN fusion OPERATOR(pg_catalog.=) 'rrf' THEN 'CASE WHEN (CASE WHEN dense_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN tokens_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0) END) OPERATOR(pg_catalog.>) 0 THEN (CASE WHEN dense_relevance IS NULL THEN 0 ELSE (coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) OPERATOR(pg_catalog.*) dense_relevance) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE (coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) OPERATOR(pg_catalog.*) lexical_relevance) END OPERATOR(pg_catalog.+) CASE WHEN tokens_relevance IS NULL THEN 0 ELSE (coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0) OPERATOR(pg_catalog.*) tokens_relevance) END) OPERATOR(pg_catalog./) (CASE WHEN dense_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN tokens_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0) END) END' WHEN fusion OPERATOR(pg_catalog.=) 'dense' THEN 'dense_relevance' WHEN fusion OPERATOR(pg_catalog.=) 'lexical' THEN 'lexical_relevance' WHEN fusion OPERATOR(pg_catalog.=) 'maxsim' THEN 'tokens_relevance' END;
    statement := CASE WHEN group_by OPERATOR(pg_catalog.=) 'passage' THEN 'SELECT k1, passage, content, score, relevance, recall_rank, dense_score, parts FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config(''hnsw.ef_search'', least($4, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config(''hnsw.iterative_scan'', ''relaxed_order'', true) AS done
    WHERE true
), lexical_asked AS MATERIALIZED (SELECT * FROM "pgencoder"."halves_lexical"($5) WHERE (SELECT done FROM setting) IS NOT NULL), dense_nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL
    ORDER BY distance LIMIT $4
), dense_exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.<) $4
    ORDER BY distance LIMIT $4
), dense_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT * FROM dense_nearest WHERE (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.>=) $4 UNION ALL TABLE dense_exact) AS found
), lexical_chosen AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config(''pgencoder.lexical_weights'', asked.weights::pg_catalog.text, true), pg_catalog.set_config(''pgencoder.lexical_any_1'', pg_catalog.array_to_string(asked.any_1, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_2'', pg_catalog.array_to_string(asked.any_2, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_3'', pg_catalog.array_to_string(asked.any_3, '',''), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL), lexical_nearest AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."halves_by_lexical" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL
        ORDER BY distance LIMIT $4
    ) AS found JOIN "pgencoder"."halves_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_widened AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config(''pgencoder.lexical_weights'', asked.weights::pg_catalog.text, true), pg_catalog.set_config(''pgencoder.lexical_any_1'', pg_catalog.array_to_string(asked.every, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_2'', pg_catalog.array_to_string(asked.every, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_3'', pg_catalog.array_to_string(asked.every, '',''), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL AND NOT (SELECT asked.complete FROM lexical_asked AS asked) AND (SELECT pg_catalog.count(*) FROM lexical_nearest) OPERATOR(pg_catalog.<) $3), lexical_exact AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."halves_by_lexical" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_widened) IS NOT NULL
        ORDER BY distance LIMIT $4
    ) AS found JOIN "pgencoder"."halves_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, passage) * FROM (TABLE lexical_nearest UNION ALL TABLE lexical_exact) AS stages) AS found
), recall AS MATERIALIZED (
    SELECT DISTINCT ON (k1, passage) k1, passage, span, content, dense, lexical, tokens, boost, pg_catalog.min(recall_rank) OVER passage AS recall_rank, pg_catalog.min(dense_distance) OVER passage AS dense_distance, pg_catalog.min(dense_rank) OVER passage AS dense_rank, pg_catalog.min(lexical_distance) OVER passage AS lexical_distance, pg_catalog.min(lexical_rank) OVER passage AS lexical_rank
    FROM (SELECT k1, passage, span, content, dense, lexical, tokens, boost, recall_rank, distance AS dense_distance, recall_rank AS dense_rank, NULL::double precision AS lexical_distance, NULL::int AS lexical_rank FROM dense_recall UNION ALL SELECT k1, passage, span, content, dense, lexical, tokens, boost, recall_rank, NULL::double precision AS dense_distance, NULL::int AS dense_rank, distance AS lexical_distance, recall_rank AS lexical_rank FROM lexical_recall) AS recalls
    WINDOW passage AS (PARTITION BY k1, passage)
), scored AS MATERIALIZED (
    SELECT k1, passage, span, content, recall_rank, boost, coalesce(OPERATOR(pg_catalog.-) dense_distance, OPERATOR(pg_catalog.-) pgencoder._distance(dense, $1)) AS dense_score, (SELECT pg_catalog.sum((term.impact OPERATOR(pg_catalog.*) 2.2::double precision) OPERATOR(pg_catalog.*) (
    counted.times OPERATOR(pg_catalog./) (counted.times OPERATOR(pg_catalog.+) (1.2::double precision OPERATOR(pg_catalog.*)
        (0.25::double precision OPERATOR(pg_catalog.+) (0.75::double precision OPERATOR(pg_catalog.*)
            (passage.length OPERATOR(pg_catalog./) asked.mean_length)))))))
FROM lexical_asked AS asked,
    LATERAL (SELECT pgencoder._bm25_length(lexical) AS length OFFSET 0) AS passage,
    ROWS FROM (pg_catalog.unnest(asked.units), pg_catalog.unnest(asked.impacts)) AS term (unit, impact),
    LATERAL (SELECT OPERATOR(pg_catalog.-) pgencoder._distance(lexical, term.unit) AS weight OFFSET 0) AS found,
    LATERAL (SELECT pg_catalog.round((found.weight OPERATOR(pg_catalog.*) (1.2::double precision OPERATOR(pg_catalog.*)
        (0.25::double precision OPERATOR(pg_catalog.+) (0.0075::double precision OPERATOR(pg_catalog.*) passage.length))))
        OPERATOR(pg_catalog./) (1 OPERATOR(pg_catalog.-) found.weight)) AS times OFFSET 0) AS counted) AS lexical_score, pgencoder._score($2, tokens) AS tokens_score FROM recall
)
SELECT k1, passage, span, content, score, relevance, recall_rank, dense_score AS dense_score, pg_catalog.jsonb_build_object(''dense'', pg_catalog.jsonb_build_object(''score'', dense_score, ''rank'', dense_place), ''lexical'', pg_catalog.jsonb_build_object(''score'', lexical_score, ''rank'', lexical_place), ''maxsim'', pg_catalog.jsonb_build_object(''score'', tokens_score, ''rank'', tokens_place)) AS parts
FROM (SELECT * FROM (SELECT *, (' OPERATOR(pg_catalog.||) fused OPERATOR(pg_catalog.||) ') OPERATOR(pg_catalog.+) coalesce(boost, 0) AS score, ' OPERATOR(pg_catalog.||) relevant OPERATOR(pg_catalog.||) ' AS relevance FROM (SELECT *, least(greatest(dense_score, 0), 1) AS dense_relevance, (lexical_score OPERATOR(pg_catalog./) (SELECT asked.highest FROM lexical_asked AS asked)) AS lexical_relevance, least(greatest((tokens_score OPERATOR(pg_catalog./) greatest(pg_catalog.cardinality($2), 1)), 0), 1) AS tokens_relevance, CASE WHEN dense_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST) END AS dense_place, CASE WHEN lexical_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY lexical_score DESC NULLS LAST) END AS lexical_place, CASE WHEN tokens_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY tokens_score DESC NULLS LAST) END AS tokens_place FROM scored) AS measured) AS fused WHERE relevance OPERATOR(pg_catalog.>=) coalesce($7, ''-infinity'') ORDER BY score DESC NULLS LAST, k1, passage LIMIT $3) AS top) AS hits ORDER BY score DESC NULLS LAST, k1, passage' ELSE 'SELECT k1, passage, content, score, relevance, recall_rank, dense_score, parts FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config(''hnsw.ef_search'', least($4, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config(''hnsw.iterative_scan'', ''relaxed_order'', true) AS done
    WHERE true
), lexical_asked AS MATERIALIZED (SELECT * FROM "pgencoder"."halves_lexical"($5) WHERE (SELECT done FROM setting) IS NOT NULL), dense_nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL
    ORDER BY distance LIMIT $4
), dense_wider AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1 FROM dense_nearest) AS documents) OPERATOR(pg_catalog.<) $3
    ORDER BY distance LIMIT $4::bigint OPERATOR(pg_catalog.*) 10
), dense_exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND ((SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.<) $4 OR (SELECT pg_catalog.count(*) FROM (SELECT k1 FROM dense_nearest UNION SELECT k1 FROM dense_wider) AS documents) OPERATOR(pg_catalog.<) $3)
    ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1 ORDER BY pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0) OPERATOR(pg_catalog.>) 1, distance LIMIT $4
), dense_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, passage) * FROM (TABLE dense_nearest UNION ALL TABLE dense_wider UNION ALL TABLE dense_exact) AS stages) AS found
), lexical_chosen AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config(''pgencoder.lexical_weights'', asked.weights::pg_catalog.text, true), pg_catalog.set_config(''pgencoder.lexical_any_1'', pg_catalog.array_to_string(asked.any_1, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_2'', pg_catalog.array_to_string(asked.any_2, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_3'', pg_catalog.array_to_string(asked.any_3, '',''), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL), lexical_nearest AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."halves_by_lexical" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL
        ORDER BY distance LIMIT $4
    ) AS found JOIN "pgencoder"."halves_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_wider AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."halves_by_lexical" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM lexical_nearest) OPERATOR(pg_catalog.>=) $4 AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1 FROM lexical_nearest) AS documents) OPERATOR(pg_catalog.<) $3
        ORDER BY distance LIMIT $4::bigint OPERATOR(pg_catalog.*) 10
    ) AS found JOIN "pgencoder"."halves_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_widened AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config(''pgencoder.lexical_weights'', asked.weights::pg_catalog.text, true), pg_catalog.set_config(''pgencoder.lexical_any_1'', pg_catalog.array_to_string(asked.every, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_2'', pg_catalog.array_to_string(asked.every, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_3'', pg_catalog.array_to_string(asked.every, '',''), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL AND NOT (SELECT asked.complete FROM lexical_asked AS asked) AND (SELECT pg_catalog.count(*) FROM (SELECT k1 FROM lexical_nearest UNION SELECT k1 FROM lexical_wider) AS documents) OPERATOR(pg_catalog.<) $3), lexical_exact AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."halves_by_lexical" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_widened) IS NOT NULL
        ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1 ORDER BY passages.distance) OPERATOR(pg_catalog.>) 1, distance LIMIT $4
    ) AS found JOIN "pgencoder"."halves_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, passage) * FROM (TABLE lexical_nearest UNION ALL TABLE lexical_wider UNION ALL TABLE lexical_exact) AS stages) AS found
), recall AS MATERIALIZED (
    SELECT DISTINCT ON (k1, passage) k1, passage, span, content, dense, lexical, tokens, boost, pg_catalog.min(recall_rank) OVER passage AS recall_rank, pg_catalog.min(dense_distance) OVER passage AS dense_distance, pg_catalog.min(dense_rank) OVER passage AS dense_rank, pg_catalog.min(lexical_distance) OVER passage AS lexical_distance, pg_catalog.min(lexical_rank) OVER passage AS lexical_rank
    FROM (SELECT k1, passage, span, content, dense, lexical, tokens, boost, recall_rank, distance AS dense_distance, recall_rank AS dense_rank, NULL::double precision AS lexical_distance, NULL::int AS lexical_rank FROM dense_recall UNION ALL SELECT k1, passage, span, content, dense, lexical, tokens, boost, recall_rank, NULL::double precision AS dense_distance, NULL::int AS dense_rank, distance AS lexical_distance, recall_rank AS lexical_rank FROM lexical_recall) AS recalls
    WINDOW passage AS (PARTITION BY k1, passage)
), scored AS MATERIALIZED (
    SELECT k1, passage, span, content, recall_rank, boost, coalesce(OPERATOR(pg_catalog.-) dense_distance, OPERATOR(pg_catalog.-) pgencoder._distance(dense, $1)) AS dense_score, (SELECT pg_catalog.sum((term.impact OPERATOR(pg_catalog.*) 2.2::double precision) OPERATOR(pg_catalog.*) (
    counted.times OPERATOR(pg_catalog./) (counted.times OPERATOR(pg_catalog.+) (1.2::double precision OPERATOR(pg_catalog.*)
        (0.25::double precision OPERATOR(pg_catalog.+) (0.75::double precision OPERATOR(pg_catalog.*)
            (passage.length OPERATOR(pg_catalog./) asked.mean_length)))))))
FROM lexical_asked AS asked,
    LATERAL (SELECT pgencoder._bm25_length(lexical) AS length OFFSET 0) AS passage,
    ROWS FROM (pg_catalog.unnest(asked.units), pg_catalog.unnest(asked.impacts)) AS term (unit, impact),
    LATERAL (SELECT OPERATOR(pg_catalog.-) pgencoder._distance(lexical, term.unit) AS weight OFFSET 0) AS found,
    LATERAL (SELECT pg_catalog.round((found.weight OPERATOR(pg_catalog.*) (1.2::double precision OPERATOR(pg_catalog.*)
        (0.25::double precision OPERATOR(pg_catalog.+) (0.0075::double precision OPERATOR(pg_catalog.*) passage.length))))
        OPERATOR(pg_catalog./) (1 OPERATOR(pg_catalog.-) found.weight)) AS times OFFSET 0) AS counted) AS lexical_score, pgencoder._score($2, tokens) AS tokens_score FROM recall
)
SELECT k1, passage, span, content, score, relevance, recall_rank, dense_score AS dense_score, pg_catalog.jsonb_build_object(''dense'', pg_catalog.jsonb_build_object(''score'', dense_score, ''rank'', dense_place), ''lexical'', pg_catalog.jsonb_build_object(''score'', lexical_score, ''rank'', lexical_place), ''maxsim'', pg_catalog.jsonb_build_object(''score'', tokens_score, ''rank'', tokens_place)) AS parts
FROM (SELECT * FROM (SELECT DISTINCT ON (k1) * FROM (SELECT *, (' OPERATOR(pg_catalog.||) fused OPERATOR(pg_catalog.||) ') OPERATOR(pg_catalog.+) coalesce(boost, 0) AS score, ' OPERATOR(pg_catalog.||) relevant OPERATOR(pg_catalog.||) ' AS relevance FROM (SELECT *, least(greatest(dense_score, 0), 1) AS dense_relevance, (lexical_score OPERATOR(pg_catalog./) (SELECT asked.highest FROM lexical_asked AS asked)) AS lexical_relevance, least(greatest((tokens_score OPERATOR(pg_catalog./) greatest(pg_catalog.cardinality($2), 1)), 0), 1) AS tokens_relevance, CASE WHEN dense_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST) END AS dense_place, CASE WHEN lexical_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY lexical_score DESC NULLS LAST) END AS lexical_place, CASE WHEN tokens_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY tokens_score DESC NULLS LAST) END AS tokens_place FROM scored) AS measured) AS fused WHERE relevance OPERATOR(pg_catalog.>=) coalesce($7, ''-infinity'') ORDER BY k1, score DESC NULLS LAST, passage) AS best ORDER BY score DESC NULLS LAST, k1, passage LIMIT $3) AS top) AS hits ORDER BY score DESC NULLS LAST, k1, passage' END;
    RETURN QUERY EXECUTE statement USING query_dense, query_tokens, k, greatest(k, candidates), query_text, weights, min_relevance, query_sparse;
END
$function$
