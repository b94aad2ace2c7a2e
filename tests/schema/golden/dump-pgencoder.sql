SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

CREATE SCHEMA pgencoder;

COMMENT ON SCHEMA pgencoder IS 'pgencoder; made the extension vector';

CREATE FUNCTION pgencoder._attached_table(passages oid) RETURNS oid
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    AS $$
BEGIN
    RETURN (
        SELECT d.refobjid FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_depend d
            ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_policy'::pg_catalog.regclass::pg_catalog.oid
            AND d.objid OPERATOR(pg_catalog.=) p.oid
            AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
            AND d.refobjid OPERATOR(pg_catalog.<>) p.polrelid
        WHERE p.polrelid OPERATOR(pg_catalog.=) passages
            AND p.polname::pg_catalog.text OPERATOR(pg_catalog.^@) 'pgencoder detach '
        LIMIT 1
    );
END
$$;

COMMENT ON FUNCTION pgencoder._attached_table(passages oid) IS 'The table that a passages table was made for, even if it is renamed; NULL if it was dropped';

CREATE FUNCTION pgencoder._terms(config regconfig, content text) RETURNS TABLE(term integer, count integer)
    LANGUAGE sql IMMUTABLE STRICT ROWS 20 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT hashed.term,
     (sum(hashed.count))::integer AS sum
    FROM ( SELECT ((((concat('x', substr(encode(sha256(convert_to(found.lexeme, 'UTF8'::name)), 'hex'::text), 1, 8)))::bit(32))::integer & 536870911) + 1) AS "?column?",
             found.count
            FROM ( SELECT word.lexeme,
                     cardinality(word.positions) AS cardinality
                    FROM unnest(to_tsvector(_terms.config, regexp_replace(regexp_replace(_terms.content, '([[:alnum:]])[_/\\:@#+-]+(?=[[:alnum:]])'::text, '\1 '::text, 'g'::text), '([[:alpha:]])[.]+(?=[[:alnum:]])|([[:digit:]])[.]+(?=[[:alpha:]])'::text, '\1\2 '::text, 'g'::text))) word(lexeme, positions, weights)
                 UNION ALL
                  SELECT lower(compound.compound[1]) AS lower,
                     1
                    FROM regexp_matches(_terms.content, '((?:[[:alnum:]]+[._/\\:@#+-]+)+[[:alnum:]]+|[[:alnum:]]+[+#]+)'::text, 'g'::text) compound(compound)) found(lexeme, count)) hashed(term, count)
   GROUP BY hashed.term;
END;

COMMENT ON FUNCTION pgencoder._terms(config regconfig, content text) IS 'The terms of a text, each with the number of times that it occurs';

CREATE FUNCTION pgencoder._bm25(config regconfig, content text, OUT weights public.sparsevec, OUT terms integer[]) RETURNS record
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT (concat('{', string_agg(concat(weighted.term, ':', weighted.weight, ','), ''::text ORDER BY weighted.term), '536870913:', COALESCE(max(weighted.length), (0)::bigint), '}/536870913'))::public.sparsevec AS concat,
     COALESCE(array_agg((((weighted.term - 1) << 3) | width_bucket(weighted.weight, ARRAY[(0.5)::real, (0.62)::real, (0.7)::real, (0.76)::real, (0.82)::real, (0.87)::real, (0.92)::real])) ORDER BY weighted.term), '{}'::integer[]) AS "coalesce"
    FROM ( SELECT counted.term,
             counted.length,
             (((counted.count)::double precision / ((counted.count)::double precision + ((1.2)::double precision * ((0.25 + (0.0075 * (counted.length)::numeric)))::double precision))))::real AS weight
            FROM ( SELECT t.term,
                     t.count,
                     sum(t.count) OVER () AS length
                    FROM pgencoder._terms(_bm25.config, _bm25.content) t(term, count)
                   ORDER BY t.count DESC, t.term
                  LIMIT 15000) counted) weighted;
END;

COMMENT ON FUNCTION pgencoder._bm25(config regconfig, content text, OUT weights public.sparsevec, OUT terms integer[]) IS 'What is stored of a passage for BM25: the weights of its terms, and the terms for an index';

CREATE FUNCTION pgencoder._bm25_length(weights public.sparsevec) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ((0)::double precision - (weights OPERATOR(public.<#>) '{536870913:1}/536870913'::public.sparsevec));

COMMENT ON FUNCTION pgencoder._bm25_length(weights public.sparsevec) IS 'The number of terms of a passage that is stored for BM25, each as often as it occurs';

CREATE FUNCTION pgencoder._check_active(active jsonb, expected jsonb) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
DECLARE
    encoder pg_catalog.jsonb;
    others pg_catalog.jsonb;
BEGIN
    -- nearly always, and each search pays for it
    IF active OPERATOR(pg_catalog.=) expected THEN
        RETURN pgencoder._check_source(active OPERATOR(pg_catalog.->>) 'collection',
            (active OPERATOR(pg_catalog.->>) 'generation')::int, active OPERATOR(pg_catalog.->>) 'source');
    END IF;
    encoder := expected OPERATOR(pg_catalog.->) 'encoder';
    others := expected OPERATOR(pg_catalog.-) 'encoder';
    IF pgencoder._comparable(encoder)
        OPERATOR(pg_catalog.<>) pgencoder._comparable(active OPERATOR(pg_catalog.->) 'encoder') THEN
        RAISE EXCEPTION 'generation % of % was encoded by %, the query by %', active OPERATOR(pg_catalog.->>) 'generation',
            active OPERATOR(pg_catalog.->>) 'collection', active OPERATOR(pg_catalog.->) 'encoder', encoder
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Encode the query with the model of the active generation.';
    END IF;
    IF NOT (active OPERATOR(pg_catalog.@>) others) THEN
        RAISE EXCEPTION 'the collection % has %, not %', active OPERATOR(pg_catalog.->>) 'collection',
            active OPERATOR(pg_catalog.-) 'encoder', others
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Name the collection of the table that is meant: select(..., collection=...).';
    END IF;
    RETURN pgencoder._check_source(active OPERATOR(pg_catalog.->>) 'collection',
        (active OPERATOR(pg_catalog.->>) 'generation')::int, active OPERATOR(pg_catalog.->>) 'source');
END
$$;

COMMENT ON FUNCTION pgencoder._check_active(active jsonb, expected jsonb) IS 'Returns true, or raises an error if the active generation, as <name>_active() describes it, has another number, encoder, source table or key than the given ones, or if another table has the name of its table now';

CREATE FUNCTION pgencoder._check_free(collection text, generation integer) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
    -- those of indexes are of the representations, which are in the catalogue already
    indexes CONSTANT pg_catalog.text := coalesce((
        SELECT pg_catalog.string_agg('|' OPERATOR(pg_catalog.||) r.name, '' ORDER BY r.name)
        FROM pgencoder.representation r
        WHERE r.collection OPERATOR(pg_catalog.=) _check_free.collection AND r.indexed
            AND (_check_free.generation IS NULL OR r.generation OPERATOR(pg_catalog.=) _check_free.generation)
    ), '');
    suffix CONSTANT pg_catalog.text := CASE WHEN generation IS NULL
        THEN '^_(active|by_lexical|by_sparse|changed|lexical|passages|read|rows|scan|search|sparse|visible)$|^_[0-9]+' ELSE pg_catalog.concat('^_', generation) END;
    taken pg_catalog.text;
BEGIN
    SELECT pg_catalog.min(there.name) INTO taken
    FROM (
        SELECT c.relname::pg_catalog.text, c.relkind OPERATOR(pg_catalog.=) 'i', false FROM pg_catalog.pg_class c
        WHERE c.relnamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
        UNION ALL
        SELECT p.proname::pg_catalog.text, false, true FROM pg_catalog.pg_proc p
        WHERE p.pronamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
        UNION ALL
        SELECT t.typname::pg_catalog.text, false, false FROM pg_catalog.pg_type t
        WHERE t.typnamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
    ) AS there (name, is_index, is_function),
        LATERAL (SELECT pg_catalog.substr(there.name, pg_catalog.length(collection) OPERATOR(pg_catalog.+) 1)) AS rest (name)
    WHERE there.name OPERATOR(pg_catalog.^@) collection
        -- an index and a function may have the same name: the index a_1_lexical is of a, the function of a_1
        AND rest.name OPERATOR(pg_catalog.~) pg_catalog.concat(suffix, '(_(build|count|queue|terms|write',
            CASE WHEN NOT there.is_function THEN indexes END, '))?$')
        AND NOT (there.is_index AND rest.name OPERATOR(pg_catalog.~) '^_(lexical|sparse)$');
    IF taken IS NOT NULL THEN
        RAISE EXCEPTION 'a collection % would make pgencoder.%, which is there already',
            pg_catalog.quote_literal(collection), pg_catalog.quote_ident(taken)
            USING ERRCODE = 'duplicate_object', HINT = 'Give another name.';
    END IF;
END
$_$;

COMMENT ON FUNCTION pgencoder._check_free(collection text, generation integer) IS 'Raises an error if the schema has a name that a collection needs, for a generation or, with NULL, for all to come';

CREATE FUNCTION pgencoder._check_fusion(fusion text, weights jsonb, scores text[]) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    IF fusion OPERATOR(pg_catalog.<>) ALL (ARRAY['zscore', 'rrf']) AND fusion OPERATOR(pg_catalog.<>) ALL (scores) THEN
        RAISE EXCEPTION 'fusion is %, not zscore, rrf or one of %', pg_catalog.quote_literal(fusion),
            pg_catalog.array_to_string(scores, ', ') USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF weights IS NULL THEN
        RETURN;
    END IF;
    IF fusion OPERATOR(pg_catalog.=) ANY (scores) THEN
        RAISE EXCEPTION 'weights are for zscore and rrf; % takes one score alone', fusion
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF pg_catalog.jsonb_typeof(weights) OPERATOR(pg_catalog.<>) 'object' OR EXISTS (
        SELECT FROM pg_catalog.jsonb_each(weights) AS w
        WHERE w.key OPERATOR(pg_catalog.<>) ALL (scores) OR pg_catalog.jsonb_typeof(w.value) OPERATOR(pg_catalog.<>) 'number'
            OR w.value OPERATOR(pg_catalog.<) '0'::pg_catalog.jsonb
    ) OR NOT EXISTS (
        SELECT FROM pg_catalog.jsonb_each(weights) AS w WHERE w.value OPERATOR(pg_catalog.>) '0'::pg_catalog.jsonb
    ) THEN
        RAISE EXCEPTION 'weights are %, not numbers of at least 0, one of them above 0, by the names %', weights,
            pg_catalog.array_to_string(scores, ', ') USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;

COMMENT ON FUNCTION pgencoder._check_fusion(fusion text, weights jsonb, scores text[]) IS 'Raises an error for a fusion that a search cannot do, or for weights that are none';

CREATE FUNCTION pgencoder._check_source(collection text, generation integer, source text) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
DECLARE
    named CONSTANT pg_catalog.oid := pg_catalog.to_regclass(source);
BEGIN
    IF named OPERATOR(pg_catalog.=) pgencoder._attached_table(
        pg_catalog.to_regclass(pg_catalog.format('pgencoder.%I', pg_catalog.concat(collection, '_', generation)))
    ) THEN
        RETURN true;
    END IF;
    IF named IS NULL THEN
        RAISE EXCEPTION 'the table % of the collection % is gone', source, pg_catalog.quote_literal(collection)
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = pg_catalog.concat(
                'Bring it back and run: pgencoder repair ', collection, '; or: pgencoder detach ', collection);
    END IF;
    RAISE EXCEPTION 'the table % is not the one that the collection % was attached to', source,
        pg_catalog.quote_literal(collection)
        USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = pg_catalog.concat('Run: pgencoder repair ', collection);
END
$$;

COMMENT ON FUNCTION pgencoder._check_source(collection text, generation integer, source text) IS 'Returns true, or raises an error if the table of that name is not the one that the collection was attached to';

CREATE FUNCTION pgencoder._choose_terms(terms integer[], impacts double precision[], counts integer[], passages double precision, budget double precision, usual double precision[], OUT any_1 integer[], OUT any_2 integer[], OUT any_3 integer[], OUT every integer[], OUT complete boolean) RETURNS record
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    most CONSTANT int := 16;  -- common terms that are looked at
    room double precision := budget;
    rare int := 0;
    common int := 0;
    typical double precision[];
    -- of the levels of the common terms, the strongest first
    level_terms int[];
    levels int[];
    factors double precision[];
    sets int[];
    lowest int[];
    hits double precision[];
    begun boolean[];
    closed boolean[];
    own int;
    hit double precision;
    expected double precision;
    bound double precision;
    smallest double precision;
    chosen int[];
    chosen_sets int[];
BEGIN
    FOR n IN 1 .. pg_catalog.cardinality(terms) LOOP
        EXIT WHEN counts[n][1] OPERATOR(pg_catalog.>) room;
        room := room OPERATOR(pg_catalog.-) counts[n][1];
        rare := n;
    END LOOP;
    complete := rare OPERATOR(pg_catalog.=) pg_catalog.cardinality(terms);
    every := ARRAY(SELECT ((term OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog.<<) 3) OPERATOR(pg_catalog.|) level
        FROM pg_catalog.unnest(terms) AS term, pg_catalog.generate_series(0, 7) AS level);
    IF complete THEN
        any_1 := every;
        any_2 := every;
        any_3 := every;
        RETURN;
    END IF;
    room := greatest(room, budget OPERATOR(pg_catalog./) 2);
    common := least(pg_catalog.cardinality(terms) OPERATOR(pg_catalog.-) rare, most);
    impacts := impacts[rare OPERATOR(pg_catalog.+) 1 : pg_catalog.cardinality(impacts)];
    counts := counts[rare OPERATOR(pg_catalog.+) 1 : rare OPERATOR(pg_catalog.+) common];
    -- what a passage with a good score usually has of each term
    typical := ARRAY(SELECT impacts[n] OPERATOR(pg_catalog.*) usual[greatest(1, (SELECT pg_catalog.max(level)
            FROM pg_catalog.generate_series(1, 8) AS level
            WHERE counts[n][level] OPERATOR(pg_catalog.>=) (0.03 OPERATOR(pg_catalog.*) passages)))]
        FROM pg_catalog.generate_series(1, common) AS n ORDER BY n);
    SELECT pg_catalog.array_agg(n ORDER BY weight DESC, n), pg_catalog.array_agg(level ORDER BY weight DESC, n),
            pg_catalog.array_agg(factor ORDER BY weight DESC, n)
        INTO level_terms, levels, factors
        FROM (
            -- how much rarer it becomes, with this level, that a passage has none of a set
            SELECT n, level, impacts[n] OPERATOR(pg_catalog.*) usual[level],
                greatest(passages OPERATOR(pg_catalog.-) counts[n][level], 0) OPERATOR(pg_catalog./)
                    greatest(passages OPERATOR(pg_catalog.-) coalesce(counts[n][level OPERATOR(pg_catalog.+) 1], 0), 1)
            FROM pg_catalog.generate_series(1, common) AS n, pg_catalog.generate_series(1, 8) AS level
            WHERE counts[n][level] OPERATOR(pg_catalog.>) 0
        ) AS there (n, level, weight, factor);
    FOR many IN 1 .. least(common, 3) LOOP
        -- dealt forth and back, so that the sets are about equally rare
        sets := ARRAY(SELECT CASE WHEN ((n OPERATOR(pg_catalog./) many) OPERATOR(pg_catalog.%) 2) OPERATOR(pg_catalog.=) 0
                THEN (n OPERATOR(pg_catalog.%) many) OPERATOR(pg_catalog.+) 1
                ELSE many OPERATOR(pg_catalog.-) (n OPERATOR(pg_catalog.%) many) END
            FROM pg_catalog.generate_series(0, common OPERATOR(pg_catalog.-) 1) AS n ORDER BY n);
        lowest := pg_catalog.array_fill(9, ARRAY[common]);
        closed := pg_catalog.array_fill(false, ARRAY[common]);
        begun := pg_catalog.array_fill(false, ARRAY[many]);
        hits := pg_catalog.array_fill(
            pg_catalog.power(room OPERATOR(pg_catalog./) passages, 1.0 OPERATOR(pg_catalog./) many), ARRAY[many]);
        FOR i IN 1 .. pg_catalog.cardinality(levels) LOOP
            CONTINUE WHEN closed[level_terms[i]];
            own := sets[level_terms[i]];
            hit := CASE WHEN begun[own] THEN 1 OPERATOR(pg_catalog.-) hits[own] ELSE 1 END;
            hit := 1 OPERATOR(pg_catalog.-) (hit OPERATOR(pg_catalog.*) factors[i]);
            expected := (passages OPERATOR(pg_catalog.*) hit) OPERATOR(pg_catalog./) hits[own];
            FOR each IN 1 .. many LOOP
                expected := expected OPERATOR(pg_catalog.*) hits[each];
            END LOOP;
            IF begun[own] AND expected OPERATOR(pg_catalog.>) room THEN
                closed[level_terms[i]] := true;
            ELSE
                begun[own] := true;
                hits[own] := hit;
                lowest[level_terms[i]] := levels[i];
            END IF;
        END LOOP;
        -- the best score that a passage usually has that lacks one of the sets
        bound := (SELECT pg_catalog.max(score) FROM (
            SELECT pg_catalog.sum(CASE WHEN sets[n] OPERATOR(pg_catalog.<>) own_set THEN typical[n]
                WHEN lowest[n] OPERATOR(pg_catalog.=) 1 THEN 0
                ELSE least(typical[n], impacts[n] OPERATOR(pg_catalog.*) usual[lowest[n] OPERATOR(pg_catalog.-) 1]) END)
            FROM pg_catalog.generate_series(1, many) AS own_set, pg_catalog.generate_series(1, common) AS n
            GROUP BY own_set
        ) AS missed (score));
        IF smallest IS NULL OR bound OPERATOR(pg_catalog.<) (0.98 OPERATOR(pg_catalog.*) smallest) THEN
            smallest := bound;
            chosen := lowest;
            chosen_sets := sets;
        END IF;
    END LOOP;
    SELECT pg_catalog.array_agg(element) FILTER (WHERE own_set OPERATOR(pg_catalog.=) ANY (ARRAY[0, 1])),
            pg_catalog.array_agg(element) FILTER (WHERE own_set OPERATOR(pg_catalog.=) ANY (ARRAY[0, 2])),
            pg_catalog.array_agg(element) FILTER (WHERE own_set OPERATOR(pg_catalog.=) ANY (ARRAY[0, 3]))
        INTO any_1, any_2, any_3
        FROM (
            SELECT ((terms[n] OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog.<<) 3) OPERATOR(pg_catalog.|) (level OPERATOR(pg_catalog.-) 1),
                CASE WHEN n OPERATOR(pg_catalog.<=) rare THEN 0 ELSE chosen_sets[n OPERATOR(pg_catalog.-) rare] END
            FROM pg_catalog.generate_series(1, rare OPERATOR(pg_catalog.+) common) AS n,
                pg_catalog.generate_series(1, 8) AS level
            WHERE n OPERATOR(pg_catalog.<=) rare OR level OPERATOR(pg_catalog.>=) chosen[n OPERATOR(pg_catalog.-) rare]
        ) AS taken (element, own_set);
    -- a set that has no common terms would exclude all without a rare one
    any_2 := CASE WHEN 2 OPERATOR(pg_catalog.=) ANY (chosen_sets) THEN any_2 ELSE any_1 END;
    any_3 := CASE WHEN 3 OPERATOR(pg_catalog.=) ANY (chosen_sets) THEN any_3 ELSE any_1 END;
END
$$;

COMMENT ON FUNCTION pgencoder._choose_terms(terms integer[], impacts double precision[], counts integer[], passages double precision, budget double precision, usual double precision[], OUT any_1 integer[], OUT any_2 integer[], OUT any_3 integer[], OUT every integer[], OUT complete boolean) IS 'Three sets of elements of terms: a passage with one of each is a candidate; complete: if these are all that match';

CREATE FUNCTION pgencoder._comparable(encoder jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN (jsonb_typeof(encoder) = 'object'::text) THEN (encoder - ARRAY(SELECT names.name FROM (VALUES ('model'::text,'weights'::text), ('token_model'::text,'token_weights'::text), ('sparse_model'::text,'sparse_weights'::text)) names(name, hash) WHERE (NOT (COALESCE((_comparable.encoder -> names.hash), 'null'::jsonb) = ANY (ARRAY['null'::jsonb, '""'::jsonb, '[]'::jsonb, '{}'::jsonb, 'false'::jsonb, '0'::jsonb]))))) ELSE encoder END;

COMMENT ON FUNCTION pgencoder._comparable(encoder jsonb) IS 'The part of a fingerprint that is equal for equal encoders; without the names of models whose weights have a hash, because the path of the weights does not matter';

CREATE FUNCTION pgencoder._distance(dense public.halfvec, query public.halfvec) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (dense OPERATOR(public.<#>) query);

COMMENT ON FUNCTION pgencoder._distance(dense public.halfvec, query public.halfvec) IS 'The negative inner product; inlined, so that ORDER BY uses the HNSW index, in whatever schema pgvector is';

CREATE FUNCTION pgencoder._distance(one public.sparsevec, other public.sparsevec) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (one OPERATOR(public.<#>) other);

COMMENT ON FUNCTION pgencoder._distance(one public.sparsevec, other public.sparsevec) IS 'The negative inner product of sparse vectors';

CREATE FUNCTION pgencoder._drop_generation(collection text, generation integer) RETURNS void
    LANGUAGE plpgsql STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    passages CONSTANT pg_catalog.text := pg_catalog.concat(collection, '_', generation);
    queue CONSTANT pg_catalog.text := passages OPERATOR(pg_catalog.||) '_queue';
    write CONSTANT pg_catalog.text := passages OPERATOR(pg_catalog.||) '_write';
    build CONSTANT pg_catalog.text := passages OPERATOR(pg_catalog.||) '_build';
    count CONSTANT pg_catalog.text := passages OPERATOR(pg_catalog.||) '_count';
    terms CONSTANT pg_catalog.text := passages OPERATOR(pg_catalog.||) '_terms';
BEGIN
    EXECUTE pg_catalog.format('DROP VIEW IF EXISTS pgencoder.%I', write);
    EXECUTE pg_catalog.format('DROP TABLE IF EXISTS pgencoder.%I, pgencoder.%I, pgencoder.%I', passages, queue, terms);
    EXECUTE pg_catalog.format('DROP FUNCTION IF EXISTS pgencoder.%I(), pgencoder.%I(), pgencoder.%I()', write, build, count);
    DELETE FROM pgencoder.generation g WHERE g.collection OPERATOR(pg_catalog.=) _drop_generation.collection
        AND g.number OPERATOR(pg_catalog.=) _drop_generation.generation;
END
$$;

COMMENT ON FUNCTION pgencoder._drop_generation(collection text, generation integer) IS 'Removes the tables and functions of a generation, and its row in the catalogue; the triggers must not queue for it';

CREATE FUNCTION pgencoder._reject_tokens(query anyarray, document anyarray) RETURNS double precision
    LANGUAGE plpgsql PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    at int;
BEGIN
    at := pg_catalog.array_position(array(SELECT pg_catalog.unnest(query)), NULL);
    IF at IS NOT NULL THEN
        RAISE EXCEPTION 'query token % is NULL', at USING ERRCODE = 'null_value_not_allowed';
    END IF;
    at := pg_catalog.array_position(array(SELECT pg_catalog.unnest(document)), NULL);
    IF at IS NOT NULL THEN
        RAISE EXCEPTION 'document token % is NULL', at USING ERRCODE = 'null_value_not_allowed';
    END IF;
    RAISE EXCEPTION 'query tokens have 0 dimensions' USING ERRCODE = 'data_exception';
END
$$;

COMMENT ON FUNCTION pgencoder._reject_tokens(query anyarray, document anyarray) IS 'Raises an error that names the token that is NULL';

CREATE FUNCTION pgencoder._maxsim_sql(query bit[], document bit[]) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT COST 40000 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT
         CASE
             WHEN bool_and(pass.complete) THEN ((cardinality(_maxsim_sql.query))::double precision - (((2)::double precision * sum(pass.distance)) / (min(length(eight.q1)))::double precision))
             WHEN (count(*) > 0) THEN pgencoder._reject_tokens(_maxsim_sql.query, _maxsim_sql.document)
             ELSE NULL::double precision
         END AS "case"
    FROM ( SELECT checked.valid,
             checked.q[n.n] AS q1,
             checked.q[(n.n + 1)] AS q2,
             checked.q[(n.n + 2)] AS q3,
             checked.q[(n.n + 3)] AS q4,
             checked.q[(n.n + 4)] AS q5,
             checked.q[(n.n + 5)] AS q6,
             checked.q[(n.n + 6)] AS q7,
             checked.q[(n.n + 7)] AS q8
            FROM ( SELECT flat.q,
                     ((array_position(flat.q, NULL::"bit") IS NULL) AND (length(flat.q[1]) > 0)) AS valid
                    FROM ( SELECT ARRAY( SELECT unnest(_maxsim_sql.query) AS unnest) AS q
                          OFFSET 0) flat
                  OFFSET 0) checked,
             LATERAL generate_series(1, cardinality(checked.q), 8) n(n)
          OFFSET 0) eight,
     LATERAL ( SELECT (eight.valid AND (count(token.token) = count(*))) AS complete,
             (((((((min((token.token OPERATOR(public.<~>) eight.q1)) + COALESCE(min((token.token OPERATOR(public.<~>) eight.q2)), (0)::double precision)) + COALESCE(min((token.token OPERATOR(public.<~>) eight.q3)), (0)::double precision)) + COALESCE(min((token.token OPERATOR(public.<~>) eight.q4)), (0)::double precision)) + COALESCE(min((token.token OPERATOR(public.<~>) eight.q5)), (0)::double precision)) + COALESCE(min((token.token OPERATOR(public.<~>) eight.q6)), (0)::double precision)) + COALESCE(min((token.token OPERATOR(public.<~>) eight.q7)), (0)::double precision)) + COALESCE(min((token.token OPERATOR(public.<~>) eight.q8)), (0)::double precision)) AS distance
            FROM unnest(_maxsim_sql.document) token(token)) pass;
END;

COMMENT ON FUNCTION pgencoder._maxsim_sql(query bit[], document bit[]) IS 'maxsim() in pure SQL';

CREATE FUNCTION pgencoder._maxsim_pairs_sql(query bit[], document bit[]) RETURNS TABLE(query_token integer, document_token integer, similarity double precision)
    LANGUAGE sql IMMUTABLE STRICT COST 80000 ROWS 32 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT (q.i)::integer AS i,
     (best.j)::integer AS j,
     ((1)::double precision - (((2)::double precision * best.distance) / (length(q.v))::double precision))
    FROM unnest(_maxsim_pairs_sql.query) WITH ORDINALITY q(v, i),
     LATERAL ( SELECT t.j,
             (t.d OPERATOR(public.<~>) q.v) AS distance
            FROM unnest(_maxsim_pairs_sql.document) WITH ORDINALITY t(d, j)
           ORDER BY (t.d OPERATOR(public.<~>) q.v), t.j
          LIMIT 1) best
   WHERE (pgencoder._maxsim_sql(_maxsim_pairs_sql.query, _maxsim_pairs_sql.document) IS NOT NULL)
   ORDER BY ((q.i)::integer);
END;

COMMENT ON FUNCTION pgencoder._maxsim_pairs_sql(query bit[], document bit[]) IS 'maxsim_pairs() in pure SQL';

CREATE FUNCTION pgencoder._maxsim_pairs_sql(query public.halfvec[], document bit[]) RETURNS TABLE(query_token integer, document_token integer, similarity double precision)
    LANGUAGE plpgsql IMMUTABLE STRICT COST 80000 ROWS 32 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RAISE EXCEPTION 'maxsim_pairs(halfvec[], bit[]) needs the extension pgencoder_native'
        USING ERRCODE = 'feature_not_supported',
              HINT = 'Without it, give the query as bits too: pgencoder.binary_quantize(query).';
END
$$;

COMMENT ON FUNCTION pgencoder._maxsim_pairs_sql(query public.halfvec[], document bit[]) IS 'maxsim_pairs() in pure SQL';

CREATE FUNCTION pgencoder._maxsim_sql(query public.halfvec[], document public.halfvec[]) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT COST 40000 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT
         CASE
             WHEN bool_and(pass.complete) THEN (- sum(pass.distance))
             WHEN (count(*) > 0) THEN pgencoder._reject_tokens(_maxsim_sql.query, _maxsim_sql.document)
             ELSE NULL::double precision
         END AS "case"
    FROM ( SELECT checked.valid,
             checked.q[n.n] AS q1,
             checked.q[(n.n + 1)] AS q2,
             checked.q[(n.n + 2)] AS q3,
             checked.q[(n.n + 3)] AS q4,
             checked.q[(n.n + 4)] AS q5,
             checked.q[(n.n + 5)] AS q6,
             checked.q[(n.n + 6)] AS q7,
             checked.q[(n.n + 7)] AS q8
            FROM ( SELECT flat.q,
                     (array_position(flat.q, NULL::public.halfvec) IS NULL) AS valid
                    FROM ( SELECT ARRAY( SELECT unnest(_maxsim_sql.query) AS unnest) AS q
                          OFFSET 0) flat
                  OFFSET 0) checked,
             LATERAL generate_series(1, cardinality(checked.q), 8) n(n)
          OFFSET 0) eight,
     LATERAL ( SELECT (eight.valid AND (count(token.token) = count(*))) AS complete,
             (((((((min((token.token OPERATOR(public.<#>) eight.q1)) + COALESCE(min((token.token OPERATOR(public.<#>) eight.q2)), (0)::double precision)) + COALESCE(min((token.token OPERATOR(public.<#>) eight.q3)), (0)::double precision)) + COALESCE(min((token.token OPERATOR(public.<#>) eight.q4)), (0)::double precision)) + COALESCE(min((token.token OPERATOR(public.<#>) eight.q5)), (0)::double precision)) + COALESCE(min((token.token OPERATOR(public.<#>) eight.q6)), (0)::double precision)) + COALESCE(min((token.token OPERATOR(public.<#>) eight.q7)), (0)::double precision)) + COALESCE(min((token.token OPERATOR(public.<#>) eight.q8)), (0)::double precision)) AS distance
            FROM unnest(_maxsim_sql.document) token(token)) pass;
END;

COMMENT ON FUNCTION pgencoder._maxsim_sql(query public.halfvec[], document public.halfvec[]) IS 'maxsim() in pure SQL';

CREATE FUNCTION pgencoder._maxsim_pairs_sql(query public.halfvec[], document public.halfvec[]) RETURNS TABLE(query_token integer, document_token integer, similarity double precision)
    LANGUAGE sql IMMUTABLE STRICT COST 80000 ROWS 32 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT (q.i)::integer AS i,
     (best.j)::integer AS j,
     (- best.distance)
    FROM unnest(_maxsim_pairs_sql.query) WITH ORDINALITY q(v, i),
     LATERAL ( SELECT t.j,
             (t.d OPERATOR(public.<#>) q.v) AS distance
            FROM unnest(_maxsim_pairs_sql.document) WITH ORDINALITY t(d, j)
           ORDER BY (t.d OPERATOR(public.<#>) q.v), t.j
          LIMIT 1) best
   WHERE (pgencoder._maxsim_sql(_maxsim_pairs_sql.query, _maxsim_pairs_sql.document) IS NOT NULL)
   ORDER BY ((q.i)::integer);
END;

COMMENT ON FUNCTION pgencoder._maxsim_pairs_sql(query public.halfvec[], document public.halfvec[]) IS 'maxsim_pairs() in pure SQL';

CREATE FUNCTION pgencoder._maxsim_sql(query public.vector[], document public.vector[]) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT COST 40000 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT
         CASE
             WHEN bool_and(pass.complete) THEN (- sum(pass.distance))
             WHEN (count(*) > 0) THEN pgencoder._reject_tokens(_maxsim_sql.query, _maxsim_sql.document)
             ELSE NULL::double precision
         END AS "case"
    FROM ( SELECT checked.valid,
             checked.q[n.n] AS q1,
             checked.q[(n.n + 1)] AS q2,
             checked.q[(n.n + 2)] AS q3,
             checked.q[(n.n + 3)] AS q4,
             checked.q[(n.n + 4)] AS q5,
             checked.q[(n.n + 5)] AS q6,
             checked.q[(n.n + 6)] AS q7,
             checked.q[(n.n + 7)] AS q8
            FROM ( SELECT flat.q,
                     (array_position(flat.q, NULL::public.vector) IS NULL) AS valid
                    FROM ( SELECT ARRAY( SELECT unnest(_maxsim_sql.query) AS unnest) AS q
                          OFFSET 0) flat
                  OFFSET 0) checked,
             LATERAL generate_series(1, cardinality(checked.q), 8) n(n)
          OFFSET 0) eight,
     LATERAL ( SELECT (eight.valid AND (count(token.token) = count(*))) AS complete,
             (((((((min((token.token OPERATOR(public.<#>) eight.q1)) + COALESCE(min((token.token OPERATOR(public.<#>) eight.q2)), (0)::double precision)) + COALESCE(min((token.token OPERATOR(public.<#>) eight.q3)), (0)::double precision)) + COALESCE(min((token.token OPERATOR(public.<#>) eight.q4)), (0)::double precision)) + COALESCE(min((token.token OPERATOR(public.<#>) eight.q5)), (0)::double precision)) + COALESCE(min((token.token OPERATOR(public.<#>) eight.q6)), (0)::double precision)) + COALESCE(min((token.token OPERATOR(public.<#>) eight.q7)), (0)::double precision)) + COALESCE(min((token.token OPERATOR(public.<#>) eight.q8)), (0)::double precision)) AS distance
            FROM unnest(_maxsim_sql.document) token(token)) pass;
END;

COMMENT ON FUNCTION pgencoder._maxsim_sql(query public.vector[], document public.vector[]) IS 'maxsim() in pure SQL';

CREATE FUNCTION pgencoder._maxsim_pairs_sql(query public.vector[], document public.vector[]) RETURNS TABLE(query_token integer, document_token integer, similarity double precision)
    LANGUAGE sql IMMUTABLE STRICT COST 80000 ROWS 32 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT (q.i)::integer AS i,
     (best.j)::integer AS j,
     (- best.distance)
    FROM unnest(_maxsim_pairs_sql.query) WITH ORDINALITY q(v, i),
     LATERAL ( SELECT t.j,
             (t.d OPERATOR(public.<#>) q.v) AS distance
            FROM unnest(_maxsim_pairs_sql.document) WITH ORDINALITY t(d, j)
           ORDER BY (t.d OPERATOR(public.<#>) q.v), t.j
          LIMIT 1) best
   WHERE (pgencoder._maxsim_sql(_maxsim_pairs_sql.query, _maxsim_pairs_sql.document) IS NOT NULL)
   ORDER BY ((q.i)::integer);
END;

COMMENT ON FUNCTION pgencoder._maxsim_pairs_sql(query public.vector[], document public.vector[]) IS 'maxsim_pairs() in pure SQL';

CREATE FUNCTION pgencoder._maxsim_sql(query public.halfvec[], document bit[]) RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE STRICT COST 40000 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RAISE EXCEPTION 'maxsim(halfvec[], bit[]) needs the extension pgencoder_native'
        USING ERRCODE = 'feature_not_supported',
              HINT = 'Without it, give the query as bits too: pgencoder.binary_quantize(query).';
END
$$;

COMMENT ON FUNCTION pgencoder._maxsim_sql(query public.halfvec[], document bit[]) IS 'maxsim() in pure SQL';

CREATE FUNCTION pgencoder._missing_parts(collection text, generation integer, passages oid) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT pg_catalog.string_agg(part, ', ') FROM (
        SELECT pg_catalog.concat('the ', wanted.kind, ' ', wanted.name)
        FROM (
            SELECT made.kind, pg_catalog.concat(collection, '_', generation, made.suffix)
            FROM (VALUES ('table', ''), ('table', '_queue'), ('table', '_terms'), ('view', '_write')) AS made (kind, suffix)
            UNION ALL
            SELECT 'view', pg_catalog.concat(collection, made.suffix)
            FROM pg_catalog.unnest(ARRAY['_by_lexical', '_by_sparse']) AS made (suffix)
        ) AS wanted (kind, name)
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_class c
            WHERE c.relnamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
                AND c.relname OPERATOR(pg_catalog.=) wanted.name
        )
        UNION ALL
        SELECT pg_catalog.format('the column %s of %s_%s', wanted.name, collection, generation)
        FROM (
            SELECT pg_catalog.unnest(
                ARRAY['passage', 'span', 'content', 'content_hash', 'truncated', 'row_hash'])
            UNION ALL
            SELECT r.name FROM pgencoder.representation r
            WHERE r.collection OPERATOR(pg_catalog.=) _missing_parts.collection
                AND r.generation OPERATOR(pg_catalog.=) _missing_parts.generation
            UNION ALL
            SELECT k.name FROM pgencoder.collection_key k WHERE k.collection OPERATOR(pg_catalog.=) _missing_parts.collection
        ) AS wanted (name)
        WHERE passages IS NOT NULL AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) passages
                AND a.attname OPERATOR(pg_catalog.=) wanted.name AND NOT a.attisdropped
        )
        UNION ALL
        SELECT pg_catalog.concat('the function ', wanted.name)
        FROM (
            SELECT pg_catalog.concat(collection, made.suffix)
            FROM pg_catalog.unnest(ARRAY['_changed', '_read', '_scan', '_visible', '_rows', '_lexical', '_sparse']) AS made (suffix)
            UNION ALL
            SELECT pg_catalog.concat(collection, '_', generation, made.suffix)
            FROM pg_catalog.unnest(ARRAY['_write', '_build', '_count']) AS made (suffix)
        ) AS wanted (name)
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_proc p
            WHERE p.pronamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
                AND p.proname OPERATOR(pg_catalog.=) wanted.name
        )
        UNION ALL
        SELECT pg_catalog.format('row level security of %s_%s', collection, generation) FROM pg_catalog.pg_class c
        WHERE c.oid OPERATOR(pg_catalog.=) passages AND NOT c.relrowsecurity
    ) AS missing (part)
$$;

COMMENT ON FUNCTION pgencoder._missing_parts(collection text, generation integer, passages oid) IS 'The objects of a generation that are missing; NULL if none is';

CREATE FUNCTION pgencoder._query_dense(dims real[]) RETURNS public.halfvec
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (dims)::public.halfvec;

COMMENT ON FUNCTION pgencoder._query_dense(dims real[]) IS 'A vector from an array of numbers, which every driver can send without pgvector';

CREATE FUNCTION pgencoder._query_sparse(query text) RETURNS public.sparsevec
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (query)::public.sparsevec;

COMMENT ON FUNCTION pgencoder._query_sparse(query text) IS 'A sparse vector from its text, which every driver can send without pgvector';

CREATE FUNCTION pgencoder._query_tokens(numbers real[], dims integer) RETURNS public.halfvec[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT ARRAY( SELECT ((_query_tokens.numbers)[first.first:((first.first + _query_tokens.dims) - 1)])::public.halfvec AS numbers
            FROM generate_series(1, cardinality(_query_tokens.numbers), GREATEST(_query_tokens.dims, 1)) first(first)
           ORDER BY first.first) AS "array";
END;

COMMENT ON FUNCTION pgencoder._query_tokens(numbers real[], dims integer) IS 'Token vectors from one array with all their numbers, which every driver can send without pgvector';

CREATE FUNCTION pgencoder._rate(rates jsonb, passages text DEFAULT NULL::text) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT COALESCE(sum(
         CASE
             WHEN (each.number > (0)::numeric) THEN (LEAST(each.number, '1000000000'::numeric))::double precision
             ELSE NULL::double precision
         END), (0)::double precision) AS "coalesce"
    FROM ( SELECT
                 CASE
                     WHEN (jsonb_typeof(rate.value) = 'number'::text) THEN (rate.value)::numeric
                     ELSE NULL::numeric
                 END AS number
            FROM jsonb_each(
                 CASE
                     WHEN (jsonb_typeof(_rate.rates) = 'object'::text) THEN _rate.rates
                     ELSE NULL::jsonb
                 END) rate(name, value)
           WHERE ((_rate.passages IS NULL) OR (rate.name = _rate.passages))) each;
END;

COMMENT ON FUNCTION pgencoder._rate(rates jsonb, passages text) IS 'The rows per second of a worker, for one passages table or for all';

CREATE FUNCTION pgencoder._read_failed() RETURNS TABLE(collection text, generation integer, key jsonb, error text, attempts integer, retry_at timestamp with time zone, changed_at timestamp with time zone)
    LANGUAGE plpgsql STABLE ROWS 10
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
    each pg_catalog.record;
BEGIN
    FOR each IN SELECT g.collection AS name, g.number FROM pgencoder.generation g
        WHERE pg_catalog.to_regclass(pg_catalog.format('pgencoder.%I', pg_catalog.concat(g.collection, '_', g.number, '_queue')))
            IS NOT NULL
        ORDER BY 1, 2
    LOOP
        RETURN QUERY EXECUTE pg_catalog.format(
            'SELECT $1, $2, pg_catalog.to_jsonb(q) OPERATOR(pg_catalog.-) ARRAY[''seq'', ''attempts'', ''run_after'',
                ''claimed_until'', ''last_error'', ''changed_at''], pg_catalog.left(q.last_error, 10000), q.attempts,
                CASE WHEN q.run_after OPERATOR(pg_catalog.<) ''infinity'' THEN
                    greatest(least(q.run_after, pg_catalog.now() OPERATOR(pg_catalog.+) interval ''1 year''), ''epoch'') END,
                greatest(least(q.changed_at, pg_catalog.now()), ''epoch'')
            FROM pgencoder.%I q WHERE q.last_error IS NOT NULL',
            each.name OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) each.number OPERATOR(pg_catalog.||) '_queue'
        ) USING each.name, each.number;
    END LOOP;
END
$_$;

COMMENT ON FUNCTION pgencoder._read_failed() IS 'The rows of the view pgencoder.failed';

CREATE FUNCTION pgencoder._read_status() RETURNS TABLE(collection text, generation integer, state text, model text, source_rows bigint, passages bigint, coverage double precision, queued bigint, in_flight bigint, failed bigint, lag_seconds double precision, rows_per_second double precision, workers bigint, indexed boolean, truncated bigint, bytes bigint, problem text, unknown bigint)
    LANGUAGE plpgsql STABLE ROWS 10
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    each pg_catalog.record;
    relation pg_catalog.text;
    pending bigint;
BEGIN
    FOR each IN
        SELECT g.*, c.source_schema, c.source_table,
            g.collection OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) g.number AS name
        FROM pgencoder.generation g JOIN pgencoder.collection c ON c.name OPERATOR(pg_catalog.=) g.collection
        ORDER BY g.collection, g.number
    LOOP
        collection := each.collection;
        generation := each.number;
        state := each.state;
        model := pg_catalog.concat_ws(' + ', each.encoder OPERATOR(pg_catalog.->>) 'model',
            each.encoder OPERATOR(pg_catalog.->>) 'token_model', each.encoder OPERATOR(pg_catalog.->>) 'sparse_model');
        indexed := NOT EXISTS (
            SELECT FROM pgencoder.representation r
            WHERE r.collection OPERATOR(pg_catalog.=) each.collection AND r.generation OPERATOR(pg_catalog.=) each.number
                AND r.indexed AND pg_catalog.to_regclass(pg_catalog.format(
                    'pgencoder.%I', pg_catalog.concat(each.name, '_', r.name))) IS NULL
        );
        problem := coalesce(pgencoder._source_problem(each.collection), pgencoder._source_warning(each.collection));
        source_rows := NULL;
        -- only the table itself: a view in its place, or its policies, would run its owner's code with the caller's rights
        IF EXISTS (
            SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n
                ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
            WHERE n.nspname OPERATOR(pg_catalog.=) each.source_schema
                AND c.relname OPERATOR(pg_catalog.=) each.source_table
                AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[])
                AND c.oid OPERATOR(pg_catalog.=) pgencoder._attached_table((
                    SELECT p.oid FROM pg_catalog.pg_class p
                    WHERE p.relnamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
                        AND p.relname OPERATOR(pg_catalog.=) each.name
                ))
                AND NOT pg_catalog.row_security_active(c.oid)
                AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
        ) THEN
            EXECUTE pg_catalog.format(
                'SELECT pg_catalog.count(*) FROM %I.%I', each.source_schema, each.source_table) INTO source_rows;
        END IF;
        SELECT coalesce(pg_catalog.sum(pgencoder._rate(w.rates, each.name)), 0), pg_catalog.count(*)
        INTO rows_per_second, workers
        FROM pgencoder.worker w
        WHERE w.last_seen OPERATOR(pg_catalog.>) (pg_catalog.now() OPERATOR(pg_catalog.-) interval '30 seconds');
        passages := 0;
        truncated := 0;
        unknown := 0;
        queued := 0;
        in_flight := 0;
        failed := 0;
        lag_seconds := 0;
        coverage := NULL;
        bytes := coalesce(pg_catalog.pg_table_size(
            pg_catalog.to_regclass(pg_catalog.format('pgencoder.%I', each.name))), 0);
        IF NOT EXISTS (
            SELECT FROM pg_catalog.unnest(ARRAY['', '_write', '_queue']) AS suffix
            WHERE pg_catalog.to_regclass(pg_catalog.format(
                'pgencoder.%I', each.name OPERATOR(pg_catalog.||) suffix)) IS NULL
        ) THEN
            -- the policy hides passages from a worker that may not read the source
            relation := pg_catalog.format('pgencoder.%I', each.name OPERATOR(pg_catalog.||) '_write');
            IF NOT pg_catalog.has_table_privilege(relation, 'SELECT') THEN
                relation := pg_catalog.format('pgencoder.%I', each.name);
            END IF;
            EXECUTE pg_catalog.format(
                'SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE truncated) FROM %s', relation
            ) INTO passages, truncated;
            IF EXISTS (
                SELECT FROM pg_catalog.pg_attribute a WHERE a.attname OPERATOR(pg_catalog.=) 'mostly_unknown'
                    AND a.attrelid OPERATOR(pg_catalog.=) relation::pg_catalog.regclass
            ) THEN  -- an old view lacks the column if it could not be replaced
                EXECUTE pg_catalog.format('SELECT pg_catalog.count(*) FROM %s WHERE mostly_unknown', relation)
                INTO unknown;
            END IF;
            EXECUTE pg_catalog.format(
                'SELECT pg_catalog.count(*),
                    pg_catalog.count(*) FILTER (WHERE run_after OPERATOR(pg_catalog.<) ''infinity''
                        AND (claimed_until OPERATOR(pg_catalog.>) pg_catalog.now()) IS NOT TRUE),
                    pg_catalog.count(*) FILTER (WHERE claimed_until OPERATOR(pg_catalog.>) pg_catalog.now()),
                    pg_catalog.count(*) FILTER (WHERE run_after OPERATOR(pg_catalog.=) ''infinity''),
                    extract(epoch FROM pg_catalog.now() OPERATOR(pg_catalog.-) greatest(least(pg_catalog.now(),
                        pg_catalog.min(changed_at) FILTER (WHERE run_after OPERATOR(pg_catalog.<) ''infinity'')), ''epoch''))
                FROM pgencoder.%I', each.name OPERATOR(pg_catalog.||) '_queue'
            ) INTO pending, queued, in_flight, failed, lag_seconds;
            IF each.queued_at IS NULL THEN
                EXECUTE pg_catalog.format(
                    'SELECT pg_catalog.count(*) FROM %s WHERE passage OPERATOR(pg_catalog.=) 0', relation) INTO pending;
                pending := source_rows OPERATOR(pg_catalog.-) pending;
            END IF;
            coverage := CASE WHEN source_rows OPERATOR(pg_catalog.=) 0 THEN 1
                ELSE greatest(source_rows OPERATOR(pg_catalog.-) pending, 0)
                    OPERATOR(pg_catalog./) source_rows::double precision END;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;

COMMENT ON FUNCTION pgencoder._read_status() IS 'The rows of the view pgencoder.status';

CREATE FUNCTION pgencoder.binary_quantize(tokens public.halfvec[]) RETURNS bit[]
    LANGUAGE sql IMMUTABLE STRICT COST 1000 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT ARRAY( SELECT public.binary_quantize(t.token) AS binary_quantize
            FROM unnest(binary_quantize.tokens) WITH ORDINALITY t(token, n)
           ORDER BY t.n) AS "array";
END;

COMMENT ON FUNCTION pgencoder.binary_quantize(tokens public.halfvec[]) IS 'The signs of each token: 1 where positive';

CREATE FUNCTION pgencoder.kernel() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN 'sql'::text;

COMMENT ON FUNCTION pgencoder.kernel() IS 'Which functions maxsim() and maxsim_pairs() call: sql or native; use_kernel() changes it';

CREATE FUNCTION pgencoder.maxsim(query bit[], document bit[]) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT COST 40000 PARALLEL SAFE
    RETURN pgencoder._maxsim_sql(query, document);

COMMENT ON FUNCTION pgencoder.maxsim(query bit[], document bit[]) IS 'MaxSim of 1-bit tokens: sum over query tokens of the largest (d - 2 * hamming distance) / d';

CREATE FUNCTION pgencoder.maxsim(query public.halfvec[], document bit[]) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT COST 40000 PARALLEL SAFE
    RETURN pgencoder._maxsim_sql(query, document);

COMMENT ON FUNCTION pgencoder.maxsim(query public.halfvec[], document bit[]) IS 'Asymmetric MaxSim: the query keeps its floats, a document token is its signs, of length 1 (native kernel only)';

CREATE FUNCTION pgencoder._score(query public.halfvec[], document bit[]) RETURNS double precision
    LANGUAGE sql STABLE COST 40000 PARALLEL SAFE
    RETURN CASE WHEN (pgencoder.kernel() = 'native'::text) THEN pgencoder.maxsim(query, document) ELSE pgencoder.maxsim(pgencoder.binary_quantize(query), document) END;

COMMENT ON FUNCTION pgencoder._score(query public.halfvec[], document bit[]) IS 'MaxSim as searches use it for tokens of this type: symmetric in pure SQL, asymmetric in the native kernel';

CREATE FUNCTION pgencoder.maxsim(query public.halfvec[], document public.halfvec[]) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT COST 40000 PARALLEL SAFE
    RETURN pgencoder._maxsim_sql(query, document);

COMMENT ON FUNCTION pgencoder.maxsim(query public.halfvec[], document public.halfvec[]) IS 'sum over query tokens of the largest inner product with a document token (ColBERT, Khattab and Zaharia 2020)';

CREATE FUNCTION pgencoder._score(query public.halfvec[], document public.halfvec[]) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT COST 40000 PARALLEL SAFE
    RETURN pgencoder.maxsim(query, document);

COMMENT ON FUNCTION pgencoder._score(query public.halfvec[], document public.halfvec[]) IS 'MaxSim as searches use it for tokens of this type';

CREATE FUNCTION pgencoder._source_key(source oid) RETURNS TABLE(n integer, name text, type text, collate_as text, usable boolean)
    LANGUAGE sql STABLE STRICT ROWS 2 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    WITH RECURSIVE key (n, name, type, typmod, sorted, class) AS (
        SELECT k.n::int, a.attname::pg_catalog.text, a.atttypid, a.atttypmod, a.attcollation,
            (i.indclass::pg_catalog.oid[])[k.n OPERATOR(pg_catalog.-) 1]
        FROM pg_catalog.pg_index i CROSS JOIN pg_catalog.unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, n)
        JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid
            AND a.attnum OPERATOR(pg_catalog.=) k.attnum
        WHERE i.indrelid OPERATOR(pg_catalog.=) source AND i.indisprimary AND k.n OPERATOR(pg_catalog.<=) i.indnkeyatts
        UNION ALL
        SELECT key.n, key.name, t.typbasetype, t.typtypmod, key.sorted, key.class
        FROM key JOIN pg_catalog.pg_type t
            ON t.oid OPERATOR(pg_catalog.=) key.type AND t.typtype OPERATOR(pg_catalog.=) 'd'
    ), owner (super) AS (
        SELECT r.rolsuper FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) c.relowner
        WHERE c.oid OPERATOR(pg_catalog.=) source
    )
    SELECT key.n, key.name, pg_catalog.format_type(key.type, key.typmod),
        CASE WHEN key.sorted OPERATOR(pg_catalog.<>) t.typcollation THEN pg_catalog.format('%I.%I', cn.nspname, c.collname)
            ELSE '' END,
        CASE WHEN t.typtype OPERATOR(pg_catalog.=) 'e' THEN maker.rolsuper OR NOT (SELECT super FROM owner)
            ELSE t.typtype OPERATOR(pg_catalog.=) ANY (ARRAY['b', 'r', 'm']::pg_catalog."char"[])
                AND t.typnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace END
        AND t.typsend::pg_catalog.oid OPERATOR(pg_catalog.<>) 0 AND EXISTS (
            SELECT FROM pg_catalog.pg_opclass oc JOIN pg_catalog.pg_amop ao
                ON ao.amopfamily OPERATOR(pg_catalog.=) oc.opcfamily AND ao.amoplefttype OPERATOR(pg_catalog.=) oc.opcintype
                AND ao.amoprighttype OPERATOR(pg_catalog.=) oc.opcintype AND ao.amopstrategy OPERATOR(pg_catalog.=) 3
            JOIN pg_catalog.pg_operator o ON o.oid OPERATOR(pg_catalog.=) ao.amopopr
            WHERE oc.oid OPERATOR(pg_catalog.=) key.class
                AND o.oprnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace
        )
    FROM key JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) key.type AND t.typtype OPERATOR(pg_catalog.<>) 'd'
    JOIN pg_catalog.pg_roles maker ON maker.oid OPERATOR(pg_catalog.=) t.typowner
    LEFT JOIN pg_catalog.pg_collation c ON c.oid OPERATOR(pg_catalog.=) key.sorted
    LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid OPERATOR(pg_catalog.=) c.collnamespace
    ORDER BY key.n
$$;

COMMENT ON FUNCTION pgencoder._source_key(source oid) IS 'The primary key of a table as passages store it: names, types without domains, collations that differ from the type''s, and true for a type that can be a key';

CREATE FUNCTION pgencoder._source_problem(collection text) RETURNS text
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    known pg_catalog.record;
    each pg_catalog.record;
    source pg_catalog.text;
    named pg_catalog.oid;
    attached pg_catalog.oid;
    was pg_catalog.text;
    what pg_catalog.text;
    repair CONSTANT pg_catalog.text := pg_catalog.concat('; run: pgencoder repair ', collection);
    detach CONSTANT pg_catalog.text := pg_catalog.concat('pgencoder detach ', collection);
BEGIN
    SELECT * INTO known FROM pgencoder.collection c WHERE c.name OPERATOR(pg_catalog.=) _source_problem.collection;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname OPERATOR(pg_catalog.=) 'vector') THEN
        RETURN 'its vectors went with the extension vector, which this database has lost; run: pgencoder migrate';
    END IF;
    source := pg_catalog.format('%I.%I', known.source_schema, known.source_table);
    SELECT c.oid INTO named
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
        WHERE n.nspname OPERATOR(pg_catalog.=) known.source_schema AND c.relname OPERATOR(pg_catalog.=) known.source_table
            AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[]);
    FOR each IN
        SELECT g.number, pg_catalog.concat(g.collection, '_', g.number) AS name, (
            SELECT c.oid FROM pg_catalog.pg_class c
            WHERE c.relnamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
                AND c.relname OPERATOR(pg_catalog.=) pg_catalog.concat(g.collection, '_', g.number)
        ) AS passages
        FROM pgencoder.generation g WHERE g.collection OPERATOR(pg_catalog.=) known.name
        ORDER BY (g.state OPERATOR(pg_catalog.=) 'active') DESC, g.number
    LOOP
        attached := pgencoder._attached_table(each.passages);
        IF named IS NULL AND attached IS NULL THEN
            RETURN pg_catalog.format('its table %s is gone; bring it back and run: pgencoder repair %s; or: %s',
                source, known.name, detach);
        ELSIF named IS NULL THEN
            RETURN pg_catalog.format('its table %s is called %s now; rename it back; or: %s',
                source, attached::pg_catalog.regclass, detach);
        ELSIF attached IS NULL THEN
            RETURN pg_catalog.format('its table %s was dropped and made again, or generation %s has lost its policy%s',
                source, each.number, repair);
        ELSIF attached OPERATOR(pg_catalog.<>) named THEN
            RETURN pg_catalog.format('its table %s is not the one that was attached, which is called %s%s',
                source, attached::pg_catalog.regclass, repair);
        END IF;
        what := pgencoder._missing_parts(known.name, each.number, each.passages);
        IF what IS NOT NULL THEN
            RETURN pg_catalog.format('it has lost %s%s', what, repair);
        END IF;
    END LOOP;
    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(c), ', ') INTO what FROM pg_catalog.unnest(known.columns) AS c
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) named
                AND a.attname OPERATOR(pg_catalog.=) c AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
        );
    IF what IS NOT NULL THEN
        RETURN pg_catalog.format('its table %s has no column %s any more; bring it back, or detach the collection and attach'
            ' it with other columns: %s', source, what, detach);
    END IF;
    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(k.source), ', ' ORDER BY k.position) INTO was
        FROM pgencoder.collection_key k WHERE k.collection OPERATOR(pg_catalog.=) known.name;
    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(k.name), ', ' ORDER BY k.n) INTO what
        FROM pgencoder._source_key(named) k;
    IF (what OPERATOR(pg_catalog.=) was) IS NOT TRUE THEN
        RETURN pg_catalog.format('the primary key of %s is (%s), not (%s); detach the collection and attach it again: %s',
            source, what, was, detach);
    END IF;
    SELECT pg_catalog.string_agg(pg_catalog.concat(pg_catalog.quote_ident(k.name), ' ', k.type), ', ' ORDER BY k.n) INTO what
        FROM pgencoder._source_key(named) k WHERE NOT k.usable;
    IF what IS NOT NULL THEN
        RETURN pg_catalog.format('the key column %s of %s is of a type that cannot be a key; change that, or: %s',
            what, source, detach);
    END IF;
    SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' COLLATE ', k.type, CASE WHEN k.collate_as OPERATOR(pg_catalog.<>) ''
            THEN k.collate_as END), ', ' ORDER BY k.position) INTO was
        FROM pgencoder.collection_key k WHERE k.collection OPERATOR(pg_catalog.=) known.name;
    SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' COLLATE ', k.type, CASE WHEN k.collate_as OPERATOR(pg_catalog.<>) ''
            THEN k.collate_as END), ', ' ORDER BY k.n) INTO what
        FROM pgencoder._source_key(named) k;
    IF what OPERATOR(pg_catalog.<>) was THEN
        RETURN pg_catalog.format('the key of %s is of type %s now, not %s%s', source, what, was, repair);
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION pgencoder._source_problem(collection text) IS 'The reason why a collection cannot be encoded: its table is gone or replaced, or parts of it are missing; else NULL';

CREATE FUNCTION pgencoder._source_warning(collection text) RETURNS text
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    known pg_catalog.record;
    named pg_catalog.oid;
    changed pg_catalog.oid;
    what pg_catalog.text;
    repair CONSTANT pg_catalog.text := pg_catalog.concat('; run: pgencoder repair ', collection);
BEGIN
    SELECT * INTO known FROM pgencoder.collection c WHERE c.name OPERATOR(pg_catalog.=) _source_warning.collection;
    SELECT c.oid INTO named
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
        WHERE n.nspname OPERATOR(pg_catalog.=) known.source_schema AND c.relname OPERATOR(pg_catalog.=) known.source_table
            AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[]);
    SELECT p.oid INTO changed FROM pg_catalog.pg_proc p
        WHERE p.pronamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
            AND p.proname OPERATOR(pg_catalog.=) pg_catalog.concat(known.name, '_changed');
    IF named IS NULL OR changed IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT pg_catalog.string_agg(pg_catalog.format('%s of %s is %s', name, relation, state), ', ' ORDER BY relation, name)
    INTO what
    FROM (
        WITH RECURSIVE tree (oid) AS (
            SELECT named
            UNION
            SELECT i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent OPERATOR(pg_catalog.=) tree.oid
        )
        SELECT e.name, tree.oid::pg_catalog.regclass::pg_catalog.text, CASE WHEN t.oid IS NULL THEN 'missing'
            WHEN t.tgfoid OPERATOR(pg_catalog.<>) changed THEN 'of another function'
            WHEN t.tgtype OPERATOR(pg_catalog.<>) e.type THEN 'for another event'
            WHEN t.tgenabled OPERATOR(pg_catalog.=) 'D' THEN 'disabled'
            WHEN t.tgenabled OPERATOR(pg_catalog.=) 'R' THEN 'for replicas only' END
        FROM tree JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) tree.oid
            AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[])
        CROSS JOIN (
            SELECT pg_catalog.concat('pgencoder_', known.name, '_', event), type
            FROM (VALUES ('insert', 4), ('update', 16), ('delete', 8), ('truncate', 32)) AS events (event, type)
        ) AS e (name, type)
        LEFT JOIN pg_catalog.pg_trigger t
            ON t.tgrelid OPERATOR(pg_catalog.=) tree.oid AND t.tgname OPERATOR(pg_catalog.=) e.name
    ) AS triggers (name, relation, state) WHERE state IS NOT NULL;
    IF what IS NOT NULL THEN
        RETURN pg_catalog.format('changes of its table are not seen: the trigger %s%s', what, repair);
    END IF;
    SELECT pg_catalog.string_agg(DISTINCT p.proowner::pg_catalog.regrole::pg_catalog.text, ', ') INTO what
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_class c ON c.relowner OPERATOR(pg_catalog.<>) p.proowner
        WHERE c.oid OPERATOR(pg_catalog.=) named
            AND p.pronamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
            AND p.proname OPERATOR(pg_catalog.=) ANY (ARRAY[pg_catalog.concat(known.name, '_changed'),
                pg_catalog.concat(known.name, '_read'), pg_catalog.concat(known.name, '_scan')]);
    IF what IS NOT NULL THEN
        RETURN pg_catalog.format('its functions run as %s, who does not own its table%s', what, repair);
    END IF;
    SELECT pg_catalog.string_agg(pg_catalog.concat('the function ', f), ', ') INTO what
        FROM pg_catalog.unnest(ARRAY[pg_catalog.concat(known.name, '_search'), pg_catalog.concat(known.name, '_active')]) AS f
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_proc p
            WHERE p.pronamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
                AND p.proname OPERATOR(pg_catalog.=) f
        );
    IF what IS NOT NULL THEN
        RETURN pg_catalog.format('it has lost %s%s', what, repair);
    END IF;
    SELECT pg_catalog.string_agg(CASE WHEN s.setrole OPERATOR(pg_catalog.=) 0 THEN 'every role'
            ELSE s.setrole::pg_catalog.regrole::pg_catalog.text END, ', ') INTO what
        FROM pg_catalog.pg_db_role_setting s LEFT JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) s.setdatabase
        WHERE coalesce(d.datname, pg_catalog.current_database()) OPERATOR(pg_catalog.=) pg_catalog.current_database()
            AND 'session_replication_role=replica' OPERATOR(pg_catalog.=) ANY (s.setconfig);
    IF what IS NULL AND pg_catalog.current_setting('session_replication_role') OPERATOR(pg_catalog.=) 'replica' THEN
        what := 'this session';
    END IF;
    IF what IS NOT NULL THEN
        RETURN pg_catalog.format('session_replication_role is replica for %s, so triggers do not see its changes; reset that'
            ' and run: pgencoder reconcile %s', what, known.name);
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION pgencoder._source_warning(collection text) IS 'The reason why changes of a collection''s table may be missed: triggers are missing, off or replaced; else NULL';

CREATE FUNCTION pgencoder.bits_1_build() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$BEGIN
    CREATE INDEX IF NOT EXISTS "bits_1_dense" ON "pgencoder"."bits_1" USING hnsw ("dense" "public".halfvec_ip_ops);
    CREATE INDEX IF NOT EXISTS "bits_1_lexical" ON "pgencoder"."bits_1" USING gin ("lexical_terms" pg_catalog.array_ops) WITH (fastupdate = 'off');
    PERFORM "pgencoder"."bits_1_count"();
    ANALYZE "pgencoder"."bits_1";
END
$$;

COMMENT ON FUNCTION pgencoder.bits_1_build() IS 'pgencoder: bits, generation 1, for workers';

CREATE FUNCTION pgencoder.bits_1_count() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$BEGIN
    PERFORM FROM pgencoder.representation AS r
    WHERE r.collection OPERATOR(pg_catalog.=) 'bits' AND r.generation OPERATOR(pg_catalog.=) 1
        AND r.name OPERATOR(pg_catalog.=) 'lexical'
    FOR UPDATE SKIP LOCKED;
IF FOUND THEN  -- nobody else counts
    WITH counted AS MATERIALIZED (
        SELECT term.element, pg_catalog.count(*)::int AS passages
        FROM "pgencoder"."bits_1" AS passage, pg_catalog.unnest(passage."lexical_terms") AS term (element) GROUP BY term.element
    ), gone AS (
        DELETE FROM "pgencoder"."bits_1_terms" AS t WHERE t.representation OPERATOR(pg_catalog.=) 'lexical'
            AND NOT EXISTS (SELECT FROM counted WHERE counted.element OPERATOR(pg_catalog.=) t.element)
    )
    INSERT INTO "pgencoder"."bits_1_terms" AS t (representation, element, passages)
    SELECT 'lexical', counted.element, counted.passages FROM counted
    ON CONFLICT (representation, element) DO UPDATE SET passages = EXCLUDED.passages
        WHERE t.passages OPERATOR(pg_catalog.<>) EXCLUDED.passages;
    UPDATE pgencoder.representation AS r
        SET passages = counted.passages, mean_length = counted.length, counted_changes = (pg_catalog.pg_stat_get_tuples_inserted('"pgencoder"."bits_1"'::pg_catalog.regclass::pg_catalog.oid)
    OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_tuples_updated('"pgencoder"."bits_1"'::pg_catalog.regclass::pg_catalog.oid)
    OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_tuples_deleted('"pgencoder"."bits_1"'::pg_catalog.regclass::pg_catalog.oid))

        FROM (SELECT pg_catalog.count(*), coalesce(pg_catalog.avg(pgencoder._bm25_length(passage.lexical)), 0) FROM "pgencoder"."bits_1" AS passage)
            AS counted (passages, length)
        WHERE r.collection OPERATOR(pg_catalog.=) 'bits' AND r.generation OPERATOR(pg_catalog.=) 1
            AND r.name OPERATOR(pg_catalog.=) 'lexical';
    ANALYZE "pgencoder"."bits_1_terms";
END IF;

END
$$;

COMMENT ON FUNCTION pgencoder.bits_1_count() IS 'pgencoder: bits, generation 1, for workers';

CREATE FUNCTION pgencoder.bits_1_write() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$BEGIN
    INSERT INTO "pgencoder"."bits_1" ("id", "passage", "span", "content", "content_hash", "truncated", "row_hash", "mostly_unknown", "dense", "tokens", "lexical", "lexical_terms")
    SELECT "new"."id", "new"."passage", "new"."span", "new"."content", "new"."content_hash", "new"."truncated", "new"."row_hash", "new"."mostly_unknown", "new"."dense", "new"."tokens", "lexical", "lexical_terms" FROM (VALUES (1)) AS one (row), pgencoder._bm25('pg_catalog.english'::pg_catalog.regconfig, coalesce(NEW.whole, NEW.content)) AS "lexical_made" ("lexical", "lexical_terms");
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION pgencoder.bits_1_write() IS 'pgencoder: bits, generation 1, for workers';

CREATE FUNCTION pgencoder.bits_active() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN '{"key": "\"id\"", "source": "\"public\".\"bits\"", "encoder": {"dims": [32, 16], "model": "words"}, "collection": "bits", "generation": 1}'::jsonb;

COMMENT ON FUNCTION pgencoder.bits_active() IS 'pgencoder: bits, the active generation';

CREATE FUNCTION pgencoder.bits_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    AS $$DECLARE
    keys pg_catalog.text := CASE WHEN TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN 'SELECT "new"."id" FROM "new_rows" AS "new"'
        WHEN TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN 'SELECT "new"."id" FROM new_rows AS new
WHERE NOT EXISTS (
    SELECT FROM old_rows AS old
    WHERE "new"."id" OPERATOR(pg_catalog.=) "old"."id" AND pg_catalog.concat_ws('' '', "old"."title", "old"."body") OPERATOR(pg_catalog.=) pg_catalog.concat_ws('' '', "new"."title", "new"."body") COLLATE pg_catalog."C"
)
UNION
SELECT "old"."id" FROM old_rows AS old WHERE NOT EXISTS (SELECT FROM new_rows AS new WHERE "new"."id" OPERATOR(pg_catalog.=) "old"."id")
'
        WHEN TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN 'SELECT "old"."id" FROM "old_rows" AS "old"' END;
    queues CONSTANT pg_catalog.text := '"queue_1" AS (
    INSERT INTO "pgencoder"."bits_1_queue" AS queue ("id") SELECT * FROM changed
    ON CONFLICT ("id") DO UPDATE SET
        seq = EXCLUDED.seq, attempts = 0, run_after = EXCLUDED.run_after, claimed_until = NULL, last_error = NULL
)
';
    changed bigint := 1;
    lost pg_catalog.text;
BEGIN
    -- checked before, because catching the error would cost every statement a subtransaction
    IF TG_OP OPERATOR(pg_catalog.<>) 'TRUNCATE' THEN
        SELECT pg_catalog.string_agg(pg_catalog.quote_ident(needed), ', ') INTO lost
        FROM pg_catalog.unnest(CASE WHEN TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN ARRAY['id', 'title', 'body']::pg_catalog.text[]
            ELSE ARRAY['id']::pg_catalog.text[] END) AS needed
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) TG_RELID
                AND a.attname OPERATOR(pg_catalog.=) needed::pg_catalog.name AND NOT a.attisdropped
        );
        IF lost IS NOT NULL THEN
            RAISE EXCEPTION 'the table % has no column % any more, which the collection % is made of', TG_RELID::pg_catalog.regclass,
                lost, pg_catalog.quote_literal('bits') USING ERRCODE = 'undefined_column', HINT = pg_catalog.concat(
                    'Bring the column back; or run: pgencoder detach ', 'bits');
        END IF;
    END IF;
    IF TG_OP OPERATOR(pg_catalog.=) 'TRUNCATE' THEN
        INSERT INTO pgencoder.late (collection) VALUES ('bits');
    ELSIF pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.^@) 'read' THEN
        EXECUTE 'WITH changed AS MATERIALIZED (SELECT DISTINCT * FROM (' OPERATOR(pg_catalog.||) keys OPERATOR(pg_catalog.||) ') AS changed("id") ORDER BY 1),
' OPERATOR(pg_catalog.||) queues OPERATOR(pg_catalog.||) '
SELECT pg_catalog.count(*) FROM changed
' INTO changed;
    ELSE
        BEGIN
            EXECUTE 'WITH changed AS MATERIALIZED (SELECT DISTINCT * FROM (' OPERATOR(pg_catalog.||) keys OPERATOR(pg_catalog.||) ') AS changed("id") ORDER BY 1),
' OPERATOR(pg_catalog.||) queues OPERATOR(pg_catalog.||) '
SELECT pg_catalog.count(*) FROM changed
' INTO changed;
        EXCEPTION WHEN serialization_failure THEN
            -- A worker has claimed a key after this transaction's snapshot, so the transaction cannot change the key's
            -- row in the queue. The application must not fail for that.
            EXECUTE 'INSERT INTO pgencoder.late (collection, key)
SELECT ''bits'', ARRAY[pg_catalog.concat("id")] FROM (' OPERATOR(pg_catalog.||) keys OPERATOR(pg_catalog.||) ') AS changed("id")
';
        END;
    END IF;
    -- only if a worker waits for it: NOTIFY lets commits wait for each other, and forbids PREPARE TRANSACTION
    IF changed OPERATOR(pg_catalog.>) 0
        AND pg_catalog.current_setting('max_prepared_transactions') OPERATOR(pg_catalog.=) '0'
        AND EXISTS (
            SELECT FROM pgencoder.worker WHERE waiting
                AND last_seen OPERATOR(pg_catalog.>) (pg_catalog.now() OPERATOR(pg_catalog.-) interval '1 minute')
        ) THEN
        PERFORM pg_catalog.pg_notify('pgencoder', 'bits');
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION pgencoder.bits_changed() IS 'pgencoder: bits, queues what changes';

CREATE FUNCTION pgencoder.bits_lexical(query text) RETURNS TABLE(weights public.sparsevec, units public.sparsevec[], impacts double precision[], mean_length double precision, highest double precision, any_1 integer[], any_2 integer[], any_3 integer[], every integer[], complete boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $_$BEGIN
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT t.term, t.count AS weight FROM pgencoder._terms('pg_catalog.english'::pg_catalog.regconfig, $1) AS t
        -- a sparsevec has at most 16,000 elements
        ORDER BY t.count DESC, t.term LIMIT 15000
    ), counted AS MATERIALIZED (
        SELECT l.term, l.weight, pg_catalog.array_agg(l.passages ORDER BY l.level) AS counts
        FROM (
            SELECT a.term, a.weight, level, (pg_catalog.sum(coalesce((
                -- no join, which might read the whole table
                SELECT c.passages FROM "pgencoder"."bits_1_terms" AS c WHERE c.representation OPERATOR(pg_catalog.=) 'lexical'
                    AND c.element OPERATOR(pg_catalog.=) (
                        ((a.term OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog.<<) 3) OPERATOR(pg_catalog.|) level)
                ), 0)) OVER (PARTITION BY a.term ORDER BY level DESC))::int AS passages
            FROM asked AS a CROSS JOIN pg_catalog.generate_series(0, 7) AS level
        ) AS l
        GROUP BY l.term, l.weight
    ), weighted AS (
        SELECT c.term, c.counts, r.passages, r.mean_length, c.weight OPERATOR(pg_catalog.*) pg_catalog.ln(
            1 OPERATOR(pg_catalog.+) ((greatest(r.passages OPERATOR(pg_catalog.-) c.counts[1], 0) OPERATOR(pg_catalog.+) 0.5)
                OPERATOR(pg_catalog./) (c.counts[1] OPERATOR(pg_catalog.+) 0.5)))::double precision AS impact
        FROM counted AS c, pgencoder.representation AS r
        WHERE r.collection OPERATOR(pg_catalog.=) 'bits' AND r.generation OPERATOR(pg_catalog.=) 1
            AND r.name OPERATOR(pg_catalog.=) 'lexical'
    ), query AS (
        SELECT pg_catalog.concat('{', pg_catalog.string_agg(pg_catalog.concat(w.term, ':', w.impact::real), ','),
                '}/536870913')::"public".sparsevec AS weights,
            pg_catalog.array_agg(pg_catalog.concat('{', w.term, ':1}/536870913')::"public".sparsevec
                ORDER BY w.counts[1], w.term) AS units,
            coalesce(pg_catalog.array_agg(w.term ORDER BY w.counts[1], w.term), '{}') AS terms,
            pg_catalog.array_agg(w.impact ORDER BY w.counts[1], w.term) AS impacts,
            pg_catalog.array_agg(w.counts ORDER BY w.counts[1], w.term) AS counts,
            pg_catalog.max(w.passages)::double precision AS passages,
            2.2::double precision OPERATOR(pg_catalog.*) pg_catalog.sum(w.impact) AS highest,
            -- no passage has a length of 0 and a term
            greatest(pg_catalog.max(w.mean_length), 1) AS mean_length
        FROM weighted AS w
    )
    SELECT q.weights, q.units, q.impacts, q.mean_length, q.highest, c.any_1, c.any_2, c.any_3, c.every, c.complete
    FROM query AS q, pgencoder._choose_terms(q.terms, q.impacts, q.counts, greatest(q.passages, 1),
        least(8000, greatest(500, q.passages OPERATOR(pg_catalog.*) 0.1)), ARRAY[0.44, 0.56, 0.66, 0.73, 0.79, 0.845, 0.895, 0.935]::double precision[]) AS c;
END
$_$;

COMMENT ON FUNCTION pgencoder.bits_lexical(query text) IS 'pgencoder: bits, searches by words';

CREATE FUNCTION pgencoder.bits_read(key1 text[], bytes bigint) RETURNS TABLE(n integer, content text, k1 bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 500
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET row_security TO 'off'
    AS $_$BEGIN
    -- its owner could turn it into SECURITY INVOKER; the policies of the table would then run as the caller
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_roles owner ON owner.oid OPERATOR(pg_catalog.=) c.relowner
        JOIN pg_catalog.pg_roles self ON self.rolname OPERATOR(pg_catalog.=) CURRENT_USER
        WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('"public"."bits"')::pg_catalog.oid
            AND (owner.oid OPERATOR(pg_catalog.=) self.oid OR (owner.rolsuper AND self.rolsuper))
    ) THEN
        IF pg_catalog.to_regclass('"public"."bits"') IS NULL THEN
            PERFORM pgencoder._check_source('bits', 1, '"public"."bits"');
        END IF;
        RAISE EXCEPTION 'what reads the table % runs as %, who does not own it', '"public"."bits"', CURRENT_USER
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = pg_catalog.concat('Run: pgencoder repair ', 'bits');
    END IF;
    -- NULL while a repair compares the passages with a table that is not attached yet
    IF pgencoder._attached_table(pg_catalog.to_regclass('"pgencoder"."bits_1"'))
        OPERATOR(pg_catalog.<>) pg_catalog.to_regclass('"public"."bits"')::pg_catalog.oid THEN
        PERFORM pgencoder._check_source('bits', 1, '"public"."bits"');
    END IF;
    RETURN QUERY EXECUTE 'SELECT n, CASE WHEN total OPERATOR(pg_catalog.<=) $2 OR total OPERATOR(pg_catalog.=) size THEN content END,
    k1
FROM (
    SELECT *, pg_catalog.octet_length(content)::bigint AS size,
        pg_catalog.sum(pg_catalog.octet_length(content)) OVER (ORDER BY n) AS total
    FROM (
        SELECT (claim.n OPERATOR(pg_catalog.-) 1)::int AS n, pg_catalog.concat_ws('' '', "source"."title", "source"."body") AS content, "source"."id"::bigint AS k1
        FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[])) WITH ORDINALITY AS claim(k1, n)
        JOIN "public"."bits" AS source ON "source"."id" OPERATOR(pg_catalog.=) claim.k1::bigint
        OFFSET 0
    ) AS found
) AS sized
' USING key1, bytes;
END
$_$;

COMMENT ON FUNCTION pgencoder.bits_read(key1 text[], bytes bigint) IS 'pgencoder: bits, rows by their keys, contents up to some bytes';

CREATE FUNCTION pgencoder.bits_rows() RETURNS TABLE(k1 bigint)
    LANGUAGE sql STABLE ROWS 10000
    AS $$SELECT "source"."id"::bigint AS k1 FROM "public"."bits" AS source
$$;

COMMENT ON FUNCTION pgencoder.bits_rows() IS 'pgencoder: bits, the keys of the rows that the caller may see';

CREATE FUNCTION pgencoder.bits_scan(after text[], count integer, hashed boolean) RETURNS TABLE(k1 bigint, row_hash bytea)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10000
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET row_security TO 'off'
    AS $_$BEGIN
    -- its owner could turn it into SECURITY INVOKER; the policies of the table would then run as the caller
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_roles owner ON owner.oid OPERATOR(pg_catalog.=) c.relowner
        JOIN pg_catalog.pg_roles self ON self.rolname OPERATOR(pg_catalog.=) CURRENT_USER
        WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('"public"."bits"')::pg_catalog.oid
            AND (owner.oid OPERATOR(pg_catalog.=) self.oid OR (owner.rolsuper AND self.rolsuper))
    ) THEN
        IF pg_catalog.to_regclass('"public"."bits"') IS NULL THEN
            PERFORM pgencoder._check_source('bits', 1, '"public"."bits"');
        END IF;
        RAISE EXCEPTION 'what reads the table % runs as %, who does not own it', '"public"."bits"', CURRENT_USER
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = pg_catalog.concat('Run: pgencoder repair ', 'bits');
    END IF;
    -- NULL while a repair compares the passages with a table that is not attached yet
    IF pgencoder._attached_table(pg_catalog.to_regclass('"pgencoder"."bits_1"'))
        OPERATOR(pg_catalog.<>) pg_catalog.to_regclass('"public"."bits"')::pg_catalog.oid THEN
        PERFORM pgencoder._check_source('bits', 1, '"public"."bits"');
    END IF;
    RETURN QUERY EXECUTE E'SELECT k1,
    CASE WHEN $3 AND pg_catalog.btrim(content, E'' \\t\\n\\r\\f\\x0b'') OPERATOR(pg_catalog.<>) ''''
        THEN pg_catalog.sha256(pg_catalog.convert_to(content, ''UTF8'')) END
FROM (
    SELECT "source"."id"::bigint AS k1, CASE WHEN $3 THEN pg_catalog.concat_ws('' '', "source"."title", "source"."body") END AS content FROM "public"."bits" AS source
    WHERE $1 IS NULL OR ("source"."id") OPERATOR(pg_catalog.>) ($1[1]::bigint) ORDER BY "source"."id" LIMIT $2
) AS piece
' USING after, count, hashed;
END
$_$;

COMMENT ON FUNCTION pgencoder.bits_scan(after text[], count integer, hashed boolean) IS 'pgencoder: bits, keys in order after one, with the hash of their contents';

CREATE FUNCTION pgencoder.bits_search(query_dense public.halfvec, query_tokens public.halfvec[], k integer DEFAULT 10, candidates integer DEFAULT 100, filter text DEFAULT NULL::text, group_by text DEFAULT 'passage'::text, query_encoder jsonb DEFAULT NULL::jsonb, query_text text DEFAULT NULL::text, fusion text DEFAULT NULL::text, weights jsonb DEFAULT NULL::jsonb, boost text DEFAULT NULL::text, min_relevance double precision DEFAULT NULL::double precision, query_sparse public.sparsevec DEFAULT NULL::public.sparsevec) RETURNS TABLE(id bigint, passage integer, content text, score double precision, relevance double precision, recall_rank integer, dense_score double precision, parts jsonb)
    LANGUAGE plpgsql ROWS 10
    SET "hnsw.ef_search" TO '100'
    SET "hnsw.iterative_scan" TO 'relaxed_order'
    SET jit TO 'off'
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $_$-- The statement that is asked for most is planned once in a session. It has no variables by their names, which may be those of
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
        RAISE EXCEPTION '% was encoded by %, the query by %', 'generation 1 of bits', own_encoder, query_encoder
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Encode the query with the model of the active generation.';
    END IF;
    PERFORM pgencoder._check_source('bits', 1, '"public"."bits"');
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
), lexical_asked AS MATERIALIZED (SELECT * FROM "pgencoder"."bits_lexical"($8) WHERE (SELECT done FROM setting) IS NOT NULL), dense_nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."bits_1" AS passages JOIN (SELECT "searched"."id"::bigint AS k1 FROM "public"."bits" AS searched) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL
    ORDER BY distance LIMIT 100
), dense_exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."bits_1" AS passages JOIN (SELECT "searched"."id"::bigint AS k1 FROM "public"."bits" AS searched) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.<) 100
    ORDER BY distance LIMIT 100
), dense_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT * FROM dense_nearest WHERE (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.>=) 100 UNION ALL TABLE dense_exact) AS found
), lexical_chosen AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config('pgencoder.lexical_weights', asked.weights::pg_catalog.text, true), pg_catalog.set_config('pgencoder.lexical_any_1', pg_catalog.array_to_string(asked.any_1, ','), true), pg_catalog.set_config('pgencoder.lexical_any_2', pg_catalog.array_to_string(asked.any_2, ','), true), pg_catalog.set_config('pgencoder.lexical_any_3', pg_catalog.array_to_string(asked.any_3, ','), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL), lexical_nearest AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.distance
    FROM (
        SELECT source.k1, passages.passage, passages.distance
        FROM "pgencoder"."bits_by_lexical" AS passages JOIN (SELECT "searched"."id"::bigint AS k1 FROM "public"."bits" AS searched) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL
        ORDER BY distance LIMIT 100
    ) AS found JOIN "pgencoder"."bits_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_widened AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config('pgencoder.lexical_weights', asked.weights::pg_catalog.text, true), pg_catalog.set_config('pgencoder.lexical_any_1', pg_catalog.array_to_string(asked.every, ','), true), pg_catalog.set_config('pgencoder.lexical_any_2', pg_catalog.array_to_string(asked.every, ','), true), pg_catalog.set_config('pgencoder.lexical_any_3', pg_catalog.array_to_string(asked.every, ','), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL AND NOT (SELECT asked.complete FROM lexical_asked AS asked) AND (SELECT pg_catalog.count(*) FROM lexical_nearest) OPERATOR(pg_catalog.<) $3), lexical_exact AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.distance
    FROM (
        SELECT source.k1, passages.passage, passages.distance
        FROM "pgencoder"."bits_by_lexical" AS passages JOIN (SELECT "searched"."id"::bigint AS k1 FROM "public"."bits" AS searched) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_widened) IS NOT NULL
        ORDER BY distance LIMIT 100
    ) AS found JOIN "pgencoder"."bits_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
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
), lexical_asked AS MATERIALIZED (SELECT * FROM "pgencoder"."bits_lexical"($5) WHERE (SELECT done FROM setting) IS NOT NULL), dense_nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."bits_1" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."bits" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL
    ORDER BY distance LIMIT $4
), dense_exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."bits_1" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."bits" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.<) $4
    ORDER BY distance LIMIT $4
), dense_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT * FROM dense_nearest WHERE (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.>=) $4 UNION ALL TABLE dense_exact) AS found
), lexical_chosen AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config(''pgencoder.lexical_weights'', asked.weights::pg_catalog.text, true), pg_catalog.set_config(''pgencoder.lexical_any_1'', pg_catalog.array_to_string(asked.any_1, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_2'', pg_catalog.array_to_string(asked.any_2, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_3'', pg_catalog.array_to_string(asked.any_3, '',''), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL), lexical_nearest AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."bits_by_lexical" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."bits" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL
        ORDER BY distance LIMIT $4
    ) AS found JOIN "pgencoder"."bits_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_widened AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config(''pgencoder.lexical_weights'', asked.weights::pg_catalog.text, true), pg_catalog.set_config(''pgencoder.lexical_any_1'', pg_catalog.array_to_string(asked.every, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_2'', pg_catalog.array_to_string(asked.every, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_3'', pg_catalog.array_to_string(asked.every, '',''), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL AND NOT (SELECT asked.complete FROM lexical_asked AS asked) AND (SELECT pg_catalog.count(*) FROM lexical_nearest) OPERATOR(pg_catalog.<) $3), lexical_exact AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."bits_by_lexical" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."bits" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_widened) IS NOT NULL
        ORDER BY distance LIMIT $4
    ) AS found JOIN "pgencoder"."bits_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
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
), lexical_asked AS MATERIALIZED (SELECT * FROM "pgencoder"."bits_lexical"($5) WHERE (SELECT done FROM setting) IS NOT NULL), dense_nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."bits_1" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."bits" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL
    ORDER BY distance LIMIT $4
), dense_wider AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."bits_1" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."bits" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1 FROM dense_nearest) AS documents) OPERATOR(pg_catalog.<) $3
    ORDER BY distance LIMIT $4::bigint OPERATOR(pg_catalog.*) 10
), dense_exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."bits_1" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."bits" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND ((SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.<) $4 OR (SELECT pg_catalog.count(*) FROM (SELECT k1 FROM dense_nearest UNION SELECT k1 FROM dense_wider) AS documents) OPERATOR(pg_catalog.<) $3)
    ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1 ORDER BY pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0) OPERATOR(pg_catalog.>) 1, distance LIMIT $4
), dense_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, passage) * FROM (TABLE dense_nearest UNION ALL TABLE dense_wider UNION ALL TABLE dense_exact) AS stages) AS found
), lexical_chosen AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config(''pgencoder.lexical_weights'', asked.weights::pg_catalog.text, true), pg_catalog.set_config(''pgencoder.lexical_any_1'', pg_catalog.array_to_string(asked.any_1, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_2'', pg_catalog.array_to_string(asked.any_2, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_3'', pg_catalog.array_to_string(asked.any_3, '',''), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL), lexical_nearest AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."bits_by_lexical" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."bits" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL
        ORDER BY distance LIMIT $4
    ) AS found JOIN "pgencoder"."bits_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_wider AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."bits_by_lexical" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."bits" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM lexical_nearest) OPERATOR(pg_catalog.>=) $4 AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1 FROM lexical_nearest) AS documents) OPERATOR(pg_catalog.<) $3
        ORDER BY distance LIMIT $4::bigint OPERATOR(pg_catalog.*) 10
    ) AS found JOIN "pgencoder"."bits_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_widened AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config(''pgencoder.lexical_weights'', asked.weights::pg_catalog.text, true), pg_catalog.set_config(''pgencoder.lexical_any_1'', pg_catalog.array_to_string(asked.every, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_2'', pg_catalog.array_to_string(asked.every, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_3'', pg_catalog.array_to_string(asked.every, '',''), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL AND NOT (SELECT asked.complete FROM lexical_asked AS asked) AND (SELECT pg_catalog.count(*) FROM (SELECT k1 FROM lexical_nearest UNION SELECT k1 FROM lexical_wider) AS documents) OPERATOR(pg_catalog.<) $3), lexical_exact AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."bits_by_lexical" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."bits" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_widened) IS NOT NULL
        ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1 ORDER BY passages.distance) OPERATOR(pg_catalog.>) 1, distance LIMIT $4
    ) AS found JOIN "pgencoder"."bits_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
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
$_$;

COMMENT ON FUNCTION pgencoder.bits_search(query_dense public.halfvec, query_tokens public.halfvec[], k integer, candidates integer, filter text, group_by text, query_encoder jsonb, query_text text, fusion text, weights jsonb, boost text, min_relevance double precision, query_sparse public.sparsevec) IS 'pgencoder: searches bits; filter is SQL on the source''s columns';

CREATE FUNCTION pgencoder.bits_sparse(query public.sparsevec) RETURNS TABLE(weights public.sparsevec, highest double precision, any_1 integer[], any_2 integer[], any_3 integer[], every integer[], complete boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$BEGIN
    RAISE EXCEPTION 'the collection % stores no sparse vectors', 'bits' USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Give a sparse model: pgencoder reencode --sparse-model MODEL.';
END
$$;

COMMENT ON FUNCTION pgencoder.bits_sparse(query public.sparsevec) IS 'pgencoder: bits, searches by a sparse vector';

CREATE FUNCTION pgencoder.bits_visible(bigint, bytea) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    AS $_$BEGIN
    RETURN EXISTS (
        SELECT FROM "public"."bits" AS source WHERE "source"."id" OPERATOR(pg_catalog.=) $1
            AND $2 OPERATOR(pg_catalog.=) pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.concat_ws(' ', "source"."title", "source"."body"), 'UTF8'))
    );
END
$_$;

COMMENT ON FUNCTION pgencoder.bits_visible(bigint, bytea) IS 'pgencoder: bits, whether the caller may see a row that holds what was hashed';

CREATE FUNCTION pgencoder.detach(name text) RETURNS void
    LANGUAGE plpgsql STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
    numbers int[];
    each int;
    key_types pg_catalog.text;
    key_arrays pg_catalog.text;
    vector pg_catalog.regnamespace;
BEGIN
    PERFORM FROM pgencoder.generation g WHERE g.collection OPERATOR(pg_catalog.=) detach.name ORDER BY g.number FOR UPDATE;
    SELECT pg_catalog.array_agg(g.number ORDER BY g.number) INTO numbers
        FROM pgencoder.generation g WHERE g.collection OPERATOR(pg_catalog.=) detach.name;
    IF numbers IS NULL THEN
        RAISE EXCEPTION 'no collection %', pg_catalog.quote_literal(detach.name) USING ERRCODE = 'undefined_object';
    END IF;
    SELECT pg_catalog.string_agg(k.type, ', ' ORDER BY k.position),
        pg_catalog.string_agg('pg_catalog.text[]', ', ') INTO key_types, key_arrays
        FROM pgencoder.collection_key k WHERE k.collection OPERATOR(pg_catalog.=) detach.name;
    SELECT e.extnamespace INTO vector FROM pg_catalog.pg_extension e WHERE e.extname OPERATOR(pg_catalog.=) 'vector';
    -- this drops the triggers too
    EXECUTE pg_catalog.format(
        'DROP FUNCTION IF EXISTS pgencoder.%I() CASCADE', detach.name OPERATOR(pg_catalog.||) '_changed');
    EXECUTE pg_catalog.format('DROP VIEW IF EXISTS pgencoder.%I, pgencoder.%I, pgencoder.%I',
        detach.name OPERATOR(pg_catalog.||) '_passages', detach.name OPERATOR(pg_catalog.||) '_by_lexical',
        detach.name OPERATOR(pg_catalog.||) '_by_sparse');
    FOREACH each IN ARRAY numbers LOOP
        PERFORM pgencoder._drop_generation(detach.name, each);
    END LOOP;
    -- with the arguments, because other functions may have the same name
    EXECUTE pg_catalog.format(
        'DROP FUNCTION IF EXISTS pgencoder.%I(), pgencoder.%I(), pgencoder.%I(pg_catalog.text),'
        ' pgencoder.%I(pg_catalog.text[], int, boolean)',
        detach.name OPERATOR(pg_catalog.||) '_active', detach.name OPERATOR(pg_catalog.||) '_rows',
        detach.name OPERATOR(pg_catalog.||) '_lexical', detach.name OPERATOR(pg_catalog.||) '_scan');
    EXECUTE pg_catalog.format(
        'DROP FUNCTION IF EXISTS pgencoder.%I(%s, bigint), pgencoder.%I(%s, pg_catalog.bytea)',
        detach.name OPERATOR(pg_catalog.||) '_read', key_arrays,
        detach.name OPERATOR(pg_catalog.||) '_visible', key_types);
    IF vector IS NOT NULL THEN  -- without pgvector, functions with arguments of its types are gone
        EXECUTE pg_catalog.format(
            'DROP FUNCTION IF EXISTS pgencoder.%1$I(%3$s.halfvec, %3$s.halfvec[], int, int, pg_catalog.text, pg_catalog.text,'
            ' pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text, double precision,'
            ' %3$s.sparsevec), pgencoder.%2$I(%3$s.sparsevec)',
            detach.name OPERATOR(pg_catalog.||) '_search', detach.name OPERATOR(pg_catalog.||) '_sparse', vector);
    END IF;
    DELETE FROM pgencoder.late l WHERE l.collection OPERATOR(pg_catalog.=) detach.name;
    DELETE FROM pgencoder.collection c WHERE c.name OPERATOR(pg_catalog.=) detach.name;
END
$_$;

COMMENT ON FUNCTION pgencoder.detach(name text) IS 'Removes a collection and everything that was made for it; the source table keeps its rows';

CREATE FUNCTION pgencoder.halves_1_build() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$BEGIN
    CREATE INDEX IF NOT EXISTS "halves_1_dense" ON "pgencoder"."halves_1" USING hnsw ("dense" "public".halfvec_ip_ops);
    CREATE INDEX IF NOT EXISTS "halves_1_lexical" ON "pgencoder"."halves_1" USING gin ("lexical_terms" pg_catalog.array_ops) WITH (fastupdate = 'off');
    PERFORM "pgencoder"."halves_1_count"();
    ANALYZE "pgencoder"."halves_1";
END
$$;

COMMENT ON FUNCTION pgencoder.halves_1_build() IS 'pgencoder: halves, generation 1, for workers';

CREATE FUNCTION pgencoder.halves_1_count() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$BEGIN
    PERFORM FROM pgencoder.representation AS r
    WHERE r.collection OPERATOR(pg_catalog.=) 'halves' AND r.generation OPERATOR(pg_catalog.=) 1
        AND r.name OPERATOR(pg_catalog.=) 'lexical'
    FOR UPDATE SKIP LOCKED;
IF FOUND THEN  -- nobody else counts
    WITH counted AS MATERIALIZED (
        SELECT term.element, pg_catalog.count(*)::int AS passages
        FROM "pgencoder"."halves_1" AS passage, pg_catalog.unnest(passage."lexical_terms") AS term (element) GROUP BY term.element
    ), gone AS (
        DELETE FROM "pgencoder"."halves_1_terms" AS t WHERE t.representation OPERATOR(pg_catalog.=) 'lexical'
            AND NOT EXISTS (SELECT FROM counted WHERE counted.element OPERATOR(pg_catalog.=) t.element)
    )
    INSERT INTO "pgencoder"."halves_1_terms" AS t (representation, element, passages)
    SELECT 'lexical', counted.element, counted.passages FROM counted
    ON CONFLICT (representation, element) DO UPDATE SET passages = EXCLUDED.passages
        WHERE t.passages OPERATOR(pg_catalog.<>) EXCLUDED.passages;
    UPDATE pgencoder.representation AS r
        SET passages = counted.passages, mean_length = counted.length, counted_changes = (pg_catalog.pg_stat_get_tuples_inserted('"pgencoder"."halves_1"'::pg_catalog.regclass::pg_catalog.oid)
    OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_tuples_updated('"pgencoder"."halves_1"'::pg_catalog.regclass::pg_catalog.oid)
    OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_tuples_deleted('"pgencoder"."halves_1"'::pg_catalog.regclass::pg_catalog.oid))

        FROM (SELECT pg_catalog.count(*), coalesce(pg_catalog.avg(pgencoder._bm25_length(passage.lexical)), 0) FROM "pgencoder"."halves_1" AS passage)
            AS counted (passages, length)
        WHERE r.collection OPERATOR(pg_catalog.=) 'halves' AND r.generation OPERATOR(pg_catalog.=) 1
            AND r.name OPERATOR(pg_catalog.=) 'lexical';
    ANALYZE "pgencoder"."halves_1_terms";
END IF;

END
$$;

COMMENT ON FUNCTION pgencoder.halves_1_count() IS 'pgencoder: halves, generation 1, for workers';

CREATE FUNCTION pgencoder.halves_1_write() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$BEGIN
    INSERT INTO "pgencoder"."halves_1" ("id", "passage", "span", "content", "content_hash", "truncated", "row_hash", "mostly_unknown", "dense", "tokens", "lexical", "lexical_terms")
    SELECT "new"."id", "new"."passage", "new"."span", "new"."content", "new"."content_hash", "new"."truncated", "new"."row_hash", "new"."mostly_unknown", "new"."dense", "new"."tokens", "lexical", "lexical_terms" FROM (VALUES (1)) AS one (row), pgencoder._bm25('pg_catalog.english'::pg_catalog.regconfig, coalesce(NEW.whole, NEW.content)) AS "lexical_made" ("lexical", "lexical_terms");
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION pgencoder.halves_1_write() IS 'pgencoder: halves, generation 1, for workers';

CREATE FUNCTION pgencoder.halves_active() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN '{"key": "\"id\"", "source": "\"public\".\"halves\"", "encoder": {"dims": [32, 16], "model": "words"}, "collection": "halves", "generation": 1}'::jsonb;

COMMENT ON FUNCTION pgencoder.halves_active() IS 'pgencoder: halves, the active generation';

CREATE FUNCTION pgencoder.halves_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    AS $$DECLARE
    keys pg_catalog.text := CASE WHEN TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN 'SELECT "new"."id" FROM "new_rows" AS "new"'
        WHEN TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN 'SELECT "new"."id" FROM new_rows AS new
WHERE NOT EXISTS (
    SELECT FROM old_rows AS old
    WHERE "new"."id" OPERATOR(pg_catalog.=) "old"."id" AND pg_catalog.concat_ws('' '', "old"."body") OPERATOR(pg_catalog.=) pg_catalog.concat_ws('' '', "new"."body") COLLATE pg_catalog."C"
)
UNION
SELECT "old"."id" FROM old_rows AS old WHERE NOT EXISTS (SELECT FROM new_rows AS new WHERE "new"."id" OPERATOR(pg_catalog.=) "old"."id")
'
        WHEN TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN 'SELECT "old"."id" FROM "old_rows" AS "old"' END;
    queues CONSTANT pg_catalog.text := '"queue_1" AS (
    INSERT INTO "pgencoder"."halves_1_queue" AS queue ("id") SELECT * FROM changed
    ON CONFLICT ("id") DO UPDATE SET
        seq = EXCLUDED.seq, attempts = 0, run_after = EXCLUDED.run_after, claimed_until = NULL, last_error = NULL
)
';
    changed bigint := 1;
    lost pg_catalog.text;
BEGIN
    -- checked before, because catching the error would cost every statement a subtransaction
    IF TG_OP OPERATOR(pg_catalog.<>) 'TRUNCATE' THEN
        SELECT pg_catalog.string_agg(pg_catalog.quote_ident(needed), ', ') INTO lost
        FROM pg_catalog.unnest(CASE WHEN TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN ARRAY['id', 'body']::pg_catalog.text[]
            ELSE ARRAY['id']::pg_catalog.text[] END) AS needed
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) TG_RELID
                AND a.attname OPERATOR(pg_catalog.=) needed::pg_catalog.name AND NOT a.attisdropped
        );
        IF lost IS NOT NULL THEN
            RAISE EXCEPTION 'the table % has no column % any more, which the collection % is made of', TG_RELID::pg_catalog.regclass,
                lost, pg_catalog.quote_literal('halves') USING ERRCODE = 'undefined_column', HINT = pg_catalog.concat(
                    'Bring the column back; or run: pgencoder detach ', 'halves');
        END IF;
    END IF;
    IF TG_OP OPERATOR(pg_catalog.=) 'TRUNCATE' THEN
        INSERT INTO pgencoder.late (collection) VALUES ('halves');
    ELSIF pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.^@) 'read' THEN
        EXECUTE 'WITH changed AS MATERIALIZED (SELECT DISTINCT * FROM (' OPERATOR(pg_catalog.||) keys OPERATOR(pg_catalog.||) ') AS changed("id") ORDER BY 1),
' OPERATOR(pg_catalog.||) queues OPERATOR(pg_catalog.||) '
SELECT pg_catalog.count(*) FROM changed
' INTO changed;
    ELSE
        BEGIN
            EXECUTE 'WITH changed AS MATERIALIZED (SELECT DISTINCT * FROM (' OPERATOR(pg_catalog.||) keys OPERATOR(pg_catalog.||) ') AS changed("id") ORDER BY 1),
' OPERATOR(pg_catalog.||) queues OPERATOR(pg_catalog.||) '
SELECT pg_catalog.count(*) FROM changed
' INTO changed;
        EXCEPTION WHEN serialization_failure THEN
            -- A worker has claimed a key after this transaction's snapshot, so the transaction cannot change the key's
            -- row in the queue. The application must not fail for that.
            EXECUTE 'INSERT INTO pgencoder.late (collection, key)
SELECT ''halves'', ARRAY[pg_catalog.concat("id")] FROM (' OPERATOR(pg_catalog.||) keys OPERATOR(pg_catalog.||) ') AS changed("id")
';
        END;
    END IF;
    -- only if a worker waits for it: NOTIFY lets commits wait for each other, and forbids PREPARE TRANSACTION
    IF changed OPERATOR(pg_catalog.>) 0
        AND pg_catalog.current_setting('max_prepared_transactions') OPERATOR(pg_catalog.=) '0'
        AND EXISTS (
            SELECT FROM pgencoder.worker WHERE waiting
                AND last_seen OPERATOR(pg_catalog.>) (pg_catalog.now() OPERATOR(pg_catalog.-) interval '1 minute')
        ) THEN
        PERFORM pg_catalog.pg_notify('pgencoder', 'halves');
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION pgencoder.halves_changed() IS 'pgencoder: halves, queues what changes';

CREATE FUNCTION pgencoder.halves_lexical(query text) RETURNS TABLE(weights public.sparsevec, units public.sparsevec[], impacts double precision[], mean_length double precision, highest double precision, any_1 integer[], any_2 integer[], any_3 integer[], every integer[], complete boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $_$BEGIN
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT t.term, t.count AS weight FROM pgencoder._terms('pg_catalog.english'::pg_catalog.regconfig, $1) AS t
        -- a sparsevec has at most 16,000 elements
        ORDER BY t.count DESC, t.term LIMIT 15000
    ), counted AS MATERIALIZED (
        SELECT l.term, l.weight, pg_catalog.array_agg(l.passages ORDER BY l.level) AS counts
        FROM (
            SELECT a.term, a.weight, level, (pg_catalog.sum(coalesce((
                -- no join, which might read the whole table
                SELECT c.passages FROM "pgencoder"."halves_1_terms" AS c WHERE c.representation OPERATOR(pg_catalog.=) 'lexical'
                    AND c.element OPERATOR(pg_catalog.=) (
                        ((a.term OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog.<<) 3) OPERATOR(pg_catalog.|) level)
                ), 0)) OVER (PARTITION BY a.term ORDER BY level DESC))::int AS passages
            FROM asked AS a CROSS JOIN pg_catalog.generate_series(0, 7) AS level
        ) AS l
        GROUP BY l.term, l.weight
    ), weighted AS (
        SELECT c.term, c.counts, r.passages, r.mean_length, c.weight OPERATOR(pg_catalog.*) pg_catalog.ln(
            1 OPERATOR(pg_catalog.+) ((greatest(r.passages OPERATOR(pg_catalog.-) c.counts[1], 0) OPERATOR(pg_catalog.+) 0.5)
                OPERATOR(pg_catalog./) (c.counts[1] OPERATOR(pg_catalog.+) 0.5)))::double precision AS impact
        FROM counted AS c, pgencoder.representation AS r
        WHERE r.collection OPERATOR(pg_catalog.=) 'halves' AND r.generation OPERATOR(pg_catalog.=) 1
            AND r.name OPERATOR(pg_catalog.=) 'lexical'
    ), query AS (
        SELECT pg_catalog.concat('{', pg_catalog.string_agg(pg_catalog.concat(w.term, ':', w.impact::real), ','),
                '}/536870913')::"public".sparsevec AS weights,
            pg_catalog.array_agg(pg_catalog.concat('{', w.term, ':1}/536870913')::"public".sparsevec
                ORDER BY w.counts[1], w.term) AS units,
            coalesce(pg_catalog.array_agg(w.term ORDER BY w.counts[1], w.term), '{}') AS terms,
            pg_catalog.array_agg(w.impact ORDER BY w.counts[1], w.term) AS impacts,
            pg_catalog.array_agg(w.counts ORDER BY w.counts[1], w.term) AS counts,
            pg_catalog.max(w.passages)::double precision AS passages,
            2.2::double precision OPERATOR(pg_catalog.*) pg_catalog.sum(w.impact) AS highest,
            -- no passage has a length of 0 and a term
            greatest(pg_catalog.max(w.mean_length), 1) AS mean_length
        FROM weighted AS w
    )
    SELECT q.weights, q.units, q.impacts, q.mean_length, q.highest, c.any_1, c.any_2, c.any_3, c.every, c.complete
    FROM query AS q, pgencoder._choose_terms(q.terms, q.impacts, q.counts, greatest(q.passages, 1),
        least(8000, greatest(500, q.passages OPERATOR(pg_catalog.*) 0.1)), ARRAY[0.44, 0.56, 0.66, 0.73, 0.79, 0.845, 0.895, 0.935]::double precision[]) AS c;
END
$_$;

COMMENT ON FUNCTION pgencoder.halves_lexical(query text) IS 'pgencoder: halves, searches by words';

CREATE FUNCTION pgencoder.halves_read(key1 text[], bytes bigint) RETURNS TABLE(n integer, content text, k1 bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 500
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET row_security TO 'off'
    AS $_$BEGIN
    -- its owner could turn it into SECURITY INVOKER; the policies of the table would then run as the caller
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_roles owner ON owner.oid OPERATOR(pg_catalog.=) c.relowner
        JOIN pg_catalog.pg_roles self ON self.rolname OPERATOR(pg_catalog.=) CURRENT_USER
        WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('"public"."halves"')::pg_catalog.oid
            AND (owner.oid OPERATOR(pg_catalog.=) self.oid OR (owner.rolsuper AND self.rolsuper))
    ) THEN
        IF pg_catalog.to_regclass('"public"."halves"') IS NULL THEN
            PERFORM pgencoder._check_source('halves', 1, '"public"."halves"');
        END IF;
        RAISE EXCEPTION 'what reads the table % runs as %, who does not own it', '"public"."halves"', CURRENT_USER
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = pg_catalog.concat('Run: pgencoder repair ', 'halves');
    END IF;
    -- NULL while a repair compares the passages with a table that is not attached yet
    IF pgencoder._attached_table(pg_catalog.to_regclass('"pgencoder"."halves_1"'))
        OPERATOR(pg_catalog.<>) pg_catalog.to_regclass('"public"."halves"')::pg_catalog.oid THEN
        PERFORM pgencoder._check_source('halves', 1, '"public"."halves"');
    END IF;
    RETURN QUERY EXECUTE 'SELECT n, CASE WHEN total OPERATOR(pg_catalog.<=) $2 OR total OPERATOR(pg_catalog.=) size THEN content END,
    k1
FROM (
    SELECT *, pg_catalog.octet_length(content)::bigint AS size,
        pg_catalog.sum(pg_catalog.octet_length(content)) OVER (ORDER BY n) AS total
    FROM (
        SELECT (claim.n OPERATOR(pg_catalog.-) 1)::int AS n, pg_catalog.concat_ws('' '', "source"."body") AS content, "source"."id"::bigint AS k1
        FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[])) WITH ORDINALITY AS claim(k1, n)
        JOIN "public"."halves" AS source ON "source"."id" OPERATOR(pg_catalog.=) claim.k1::bigint
        OFFSET 0
    ) AS found
) AS sized
' USING key1, bytes;
END
$_$;

COMMENT ON FUNCTION pgencoder.halves_read(key1 text[], bytes bigint) IS 'pgencoder: halves, rows by their keys, contents up to some bytes';

CREATE FUNCTION pgencoder.halves_rows() RETURNS TABLE(k1 bigint)
    LANGUAGE sql STABLE ROWS 10000
    AS $$SELECT "source"."id"::bigint AS k1 FROM "public"."halves" AS source
$$;

COMMENT ON FUNCTION pgencoder.halves_rows() IS 'pgencoder: halves, the keys of the rows that the caller may see';

CREATE FUNCTION pgencoder.halves_scan(after text[], count integer, hashed boolean) RETURNS TABLE(k1 bigint, row_hash bytea)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10000
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET row_security TO 'off'
    AS $_$BEGIN
    -- its owner could turn it into SECURITY INVOKER; the policies of the table would then run as the caller
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_roles owner ON owner.oid OPERATOR(pg_catalog.=) c.relowner
        JOIN pg_catalog.pg_roles self ON self.rolname OPERATOR(pg_catalog.=) CURRENT_USER
        WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('"public"."halves"')::pg_catalog.oid
            AND (owner.oid OPERATOR(pg_catalog.=) self.oid OR (owner.rolsuper AND self.rolsuper))
    ) THEN
        IF pg_catalog.to_regclass('"public"."halves"') IS NULL THEN
            PERFORM pgencoder._check_source('halves', 1, '"public"."halves"');
        END IF;
        RAISE EXCEPTION 'what reads the table % runs as %, who does not own it', '"public"."halves"', CURRENT_USER
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = pg_catalog.concat('Run: pgencoder repair ', 'halves');
    END IF;
    -- NULL while a repair compares the passages with a table that is not attached yet
    IF pgencoder._attached_table(pg_catalog.to_regclass('"pgencoder"."halves_1"'))
        OPERATOR(pg_catalog.<>) pg_catalog.to_regclass('"public"."halves"')::pg_catalog.oid THEN
        PERFORM pgencoder._check_source('halves', 1, '"public"."halves"');
    END IF;
    RETURN QUERY EXECUTE E'SELECT k1,
    CASE WHEN $3 AND pg_catalog.btrim(content, E'' \\t\\n\\r\\f\\x0b'') OPERATOR(pg_catalog.<>) ''''
        THEN pg_catalog.sha256(pg_catalog.convert_to(content, ''UTF8'')) END
FROM (
    SELECT "source"."id"::bigint AS k1, CASE WHEN $3 THEN pg_catalog.concat_ws('' '', "source"."body") END AS content FROM "public"."halves" AS source
    WHERE $1 IS NULL OR ("source"."id") OPERATOR(pg_catalog.>) ($1[1]::bigint) ORDER BY "source"."id" LIMIT $2
) AS piece
' USING after, count, hashed;
END
$_$;

COMMENT ON FUNCTION pgencoder.halves_scan(after text[], count integer, hashed boolean) IS 'pgencoder: halves, keys in order after one, with the hash of their contents';

CREATE FUNCTION pgencoder.halves_search(query_dense public.halfvec, query_tokens public.halfvec[], k integer DEFAULT 10, candidates integer DEFAULT 100, filter text DEFAULT NULL::text, group_by text DEFAULT 'passage'::text, query_encoder jsonb DEFAULT NULL::jsonb, query_text text DEFAULT NULL::text, fusion text DEFAULT NULL::text, weights jsonb DEFAULT NULL::jsonb, boost text DEFAULT NULL::text, min_relevance double precision DEFAULT NULL::double precision, query_sparse public.sparsevec DEFAULT NULL::public.sparsevec) RETURNS TABLE(id bigint, passage integer, content text, score double precision, relevance double precision, recall_rank integer, dense_score double precision, parts jsonb)
    LANGUAGE plpgsql ROWS 10
    SET "hnsw.ef_search" TO '100'
    SET "hnsw.iterative_scan" TO 'relaxed_order'
    SET jit TO 'off'
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $_$-- The statement that is asked for most is planned once in a session. It has no variables by their names, which may be those of
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
$_$;

COMMENT ON FUNCTION pgencoder.halves_search(query_dense public.halfvec, query_tokens public.halfvec[], k integer, candidates integer, filter text, group_by text, query_encoder jsonb, query_text text, fusion text, weights jsonb, boost text, min_relevance double precision, query_sparse public.sparsevec) IS 'pgencoder: searches halves; filter is SQL on the source''s columns';

CREATE FUNCTION pgencoder.halves_sparse(query public.sparsevec) RETURNS TABLE(weights public.sparsevec, highest double precision, any_1 integer[], any_2 integer[], any_3 integer[], every integer[], complete boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$BEGIN
    RAISE EXCEPTION 'the collection % stores no sparse vectors', 'halves' USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Give a sparse model: pgencoder reencode --sparse-model MODEL.';
END
$$;

COMMENT ON FUNCTION pgencoder.halves_sparse(query public.sparsevec) IS 'pgencoder: halves, searches by a sparse vector';

CREATE FUNCTION pgencoder.halves_visible(bigint, bytea) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    AS $_$BEGIN
    RETURN EXISTS (
        SELECT FROM "public"."halves" AS source WHERE "source"."id" OPERATOR(pg_catalog.=) $1
            AND $2 OPERATOR(pg_catalog.=) pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.concat_ws(' ', "source"."body"), 'UTF8'))
    );
END
$_$;

COMMENT ON FUNCTION pgencoder.halves_visible(bigint, bytea) IS 'pgencoder: halves, whether the caller may see a row that holds what was hashed';

CREATE FUNCTION pgencoder.maxsim(query public.vector[], document public.vector[]) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT COST 40000 PARALLEL SAFE
    RETURN pgencoder._maxsim_sql(query, document);

COMMENT ON FUNCTION pgencoder.maxsim(query public.vector[], document public.vector[]) IS 'sum over query tokens of the largest inner product with a document token (ColBERT, Khattab and Zaharia 2020)';

CREATE FUNCTION pgencoder.maxsim_pairs(query bit[], document bit[]) RETURNS TABLE(query_token integer, document_token integer, similarity double precision)
    LANGUAGE sql IMMUTABLE STRICT COST 80000 ROWS 32 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT _maxsim_pairs_sql.query_token,
     _maxsim_pairs_sql.document_token,
     _maxsim_pairs_sql.similarity
    FROM pgencoder._maxsim_pairs_sql(maxsim_pairs.query, maxsim_pairs.document) _maxsim_pairs_sql(query_token, document_token, similarity);
END;

COMMENT ON FUNCTION pgencoder.maxsim_pairs(query bit[], document bit[]) IS 'For each query token the document token it matched best, both from 1; the similarities add up to maxsim()';

CREATE FUNCTION pgencoder.maxsim_pairs(query public.halfvec[], document bit[]) RETURNS TABLE(query_token integer, document_token integer, similarity double precision)
    LANGUAGE sql IMMUTABLE STRICT COST 80000 ROWS 32 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT _maxsim_pairs_sql.query_token,
     _maxsim_pairs_sql.document_token,
     _maxsim_pairs_sql.similarity
    FROM pgencoder._maxsim_pairs_sql(maxsim_pairs.query, maxsim_pairs.document) _maxsim_pairs_sql(query_token, document_token, similarity);
END;

COMMENT ON FUNCTION pgencoder.maxsim_pairs(query public.halfvec[], document bit[]) IS 'Asymmetric pairs: the query keeps its floats, a document token is its signs (native kernel only)';

CREATE FUNCTION pgencoder.maxsim_pairs(query public.halfvec[], document public.halfvec[]) RETURNS TABLE(query_token integer, document_token integer, similarity double precision)
    LANGUAGE sql IMMUTABLE STRICT COST 80000 ROWS 32 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT _maxsim_pairs_sql.query_token,
     _maxsim_pairs_sql.document_token,
     _maxsim_pairs_sql.similarity
    FROM pgencoder._maxsim_pairs_sql(maxsim_pairs.query, maxsim_pairs.document) _maxsim_pairs_sql(query_token, document_token, similarity);
END;

COMMENT ON FUNCTION pgencoder.maxsim_pairs(query public.halfvec[], document public.halfvec[]) IS 'For each query token the document token it matched best, both from 1; the similarities add up to maxsim()';

CREATE FUNCTION pgencoder.maxsim_pairs(query public.vector[], document public.vector[]) RETURNS TABLE(query_token integer, document_token integer, similarity double precision)
    LANGUAGE sql IMMUTABLE STRICT COST 80000 ROWS 32 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT _maxsim_pairs_sql.query_token,
     _maxsim_pairs_sql.document_token,
     _maxsim_pairs_sql.similarity
    FROM pgencoder._maxsim_pairs_sql(maxsim_pairs.query, maxsim_pairs.document) _maxsim_pairs_sql(query_token, document_token, similarity);
END;

COMMENT ON FUNCTION pgencoder.maxsim_pairs(query public.vector[], document public.vector[]) IS 'For each query token the document token it matched best, both from 1; the similarities add up to maxsim()';

CREATE FUNCTION pgencoder."odd ""50%"" {$1}_1_build"() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$BEGIN
    CREATE INDEX IF NOT EXISTS "odd ""50%"" {$1}_1_dense" ON "pgencoder"."odd ""50%"" {$1}_1" USING hnsw ("dense" "public".halfvec_ip_ops);
    CREATE INDEX IF NOT EXISTS "odd ""50%"" {$1}_1_lexical" ON "pgencoder"."odd ""50%"" {$1}_1" USING gin ("lexical_terms" pg_catalog.array_ops) WITH (fastupdate = 'off');
    PERFORM "pgencoder"."odd ""50%"" {$1}_1_count"();
    ANALYZE "pgencoder"."odd ""50%"" {$1}_1";
END
$_$;

COMMENT ON FUNCTION pgencoder."odd ""50%"" {$1}_1_build"() IS 'pgencoder: odd "50%" {$1}, generation 1, for workers';

CREATE FUNCTION pgencoder."odd ""50%"" {$1}_1_count"() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$BEGIN
    PERFORM FROM pgencoder.representation AS r
    WHERE r.collection OPERATOR(pg_catalog.=) 'odd "50%" {$1}' AND r.generation OPERATOR(pg_catalog.=) 1
        AND r.name OPERATOR(pg_catalog.=) 'lexical'
    FOR UPDATE SKIP LOCKED;
IF FOUND THEN  -- nobody else counts
    WITH counted AS MATERIALIZED (
        SELECT term.element, pg_catalog.count(*)::int AS passages
        FROM "pgencoder"."odd ""50%"" {$1}_1" AS passage, pg_catalog.unnest(passage."lexical_terms") AS term (element) GROUP BY term.element
    ), gone AS (
        DELETE FROM "pgencoder"."odd ""50%"" {$1}_1_terms" AS t WHERE t.representation OPERATOR(pg_catalog.=) 'lexical'
            AND NOT EXISTS (SELECT FROM counted WHERE counted.element OPERATOR(pg_catalog.=) t.element)
    )
    INSERT INTO "pgencoder"."odd ""50%"" {$1}_1_terms" AS t (representation, element, passages)
    SELECT 'lexical', counted.element, counted.passages FROM counted
    ON CONFLICT (representation, element) DO UPDATE SET passages = EXCLUDED.passages
        WHERE t.passages OPERATOR(pg_catalog.<>) EXCLUDED.passages;
    UPDATE pgencoder.representation AS r
        SET passages = counted.passages, mean_length = counted.length, counted_changes = (pg_catalog.pg_stat_get_tuples_inserted('"pgencoder"."odd ""50%"" {$1}_1"'::pg_catalog.regclass::pg_catalog.oid)
    OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_tuples_updated('"pgencoder"."odd ""50%"" {$1}_1"'::pg_catalog.regclass::pg_catalog.oid)
    OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_tuples_deleted('"pgencoder"."odd ""50%"" {$1}_1"'::pg_catalog.regclass::pg_catalog.oid))

        FROM (SELECT pg_catalog.count(*), coalesce(pg_catalog.avg(pgencoder._bm25_length(passage.lexical)), 0) FROM "pgencoder"."odd ""50%"" {$1}_1" AS passage)
            AS counted (passages, length)
        WHERE r.collection OPERATOR(pg_catalog.=) 'odd "50%" {$1}' AND r.generation OPERATOR(pg_catalog.=) 1
            AND r.name OPERATOR(pg_catalog.=) 'lexical';
    ANALYZE "pgencoder"."odd ""50%"" {$1}_1_terms";
END IF;

END
$_$;

COMMENT ON FUNCTION pgencoder."odd ""50%"" {$1}_1_count"() IS 'pgencoder: odd "50%" {$1}, generation 1, for workers';

CREATE FUNCTION pgencoder."odd ""50%"" {$1}_1_write"() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$BEGIN
    INSERT INTO "pgencoder"."odd ""50%"" {$1}_1" ("passage_key", "1", "passage", "span", "content", "content_hash", "truncated", "row_hash", "mostly_unknown", "dense", "tokens", "lexical", "lexical_terms")
    SELECT "new"."passage_key", "new"."1", "new"."passage", "new"."span", "new"."content", "new"."content_hash", "new"."truncated", "new"."row_hash", "new"."mostly_unknown", "new"."dense", "new"."tokens", "lexical", "lexical_terms" FROM (VALUES (1)) AS one (row), pgencoder._bm25('pg_catalog.english'::pg_catalog.regconfig, coalesce(NEW.whole, NEW.content)) AS "lexical_made" ("lexical", "lexical_terms");
    RETURN NEW;
END
$_$;

COMMENT ON FUNCTION pgencoder."odd ""50%"" {$1}_1_write"() IS 'pgencoder: odd "50%" {$1}, generation 1, for workers';

CREATE FUNCTION pgencoder."odd ""50%"" {$1}_active"() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN '{"key": "\"1\", \"passage_key\"", "source": "\"it''s a \"\"schema\"\"\".\"odd \"\"50%\"\" {$1}\"", "encoder": {"dims": [32, 16], "model": "words"}, "collection": "odd \"50%\" {$1}", "generation": 1}'::jsonb;

COMMENT ON FUNCTION pgencoder."odd ""50%"" {$1}_active"() IS 'pgencoder: odd "50%" {$1}, the active generation';

CREATE FUNCTION pgencoder."odd ""50%"" {$1}_changed"() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    AS $_$DECLARE
    keys pg_catalog.text := CASE WHEN TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN 'SELECT "new"."passage", "new"."$1" FROM "new_rows" AS "new"'
        WHEN TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN 'SELECT "new"."passage", "new"."$1" FROM new_rows AS new
WHERE NOT EXISTS (
    SELECT FROM old_rows AS old
    WHERE "new"."passage" OPERATOR(pg_catalog.=) "old"."passage" AND "new"."$1" OPERATOR(pg_catalog.=) "old"."$1" AND pg_catalog.concat_ws('' '', "old"."the ""text""") OPERATOR(pg_catalog.=) pg_catalog.concat_ws('' '', "new"."the ""text""") COLLATE pg_catalog."C"
)
UNION
SELECT "old"."passage", "old"."$1" FROM old_rows AS old WHERE NOT EXISTS (SELECT FROM new_rows AS new WHERE "new"."passage" OPERATOR(pg_catalog.=) "old"."passage" AND "new"."$1" OPERATOR(pg_catalog.=) "old"."$1")
'
        WHEN TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN 'SELECT "old"."passage", "old"."$1" FROM "old_rows" AS "old"' END;
    queues CONSTANT pg_catalog.text := '"queue_1" AS (
    INSERT INTO "pgencoder"."odd ""50%"" {$1}_1_queue" AS queue ("passage_key", "1") SELECT * FROM changed
    ON CONFLICT ("passage_key", "1") DO UPDATE SET
        seq = EXCLUDED.seq, attempts = 0, run_after = EXCLUDED.run_after, claimed_until = NULL, last_error = NULL
)
';
    changed bigint := 1;
    lost pg_catalog.text;
BEGIN
    -- checked before, because catching the error would cost every statement a subtransaction
    IF TG_OP OPERATOR(pg_catalog.<>) 'TRUNCATE' THEN
        SELECT pg_catalog.string_agg(pg_catalog.quote_ident(needed), ', ') INTO lost
        FROM pg_catalog.unnest(CASE WHEN TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN ARRAY['passage', '$1', 'the "text"']::pg_catalog.text[]
            ELSE ARRAY['passage', '$1']::pg_catalog.text[] END) AS needed
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) TG_RELID
                AND a.attname OPERATOR(pg_catalog.=) needed::pg_catalog.name AND NOT a.attisdropped
        );
        IF lost IS NOT NULL THEN
            RAISE EXCEPTION 'the table % has no column % any more, which the collection % is made of', TG_RELID::pg_catalog.regclass,
                lost, pg_catalog.quote_literal('odd "50%" {$1}') USING ERRCODE = 'undefined_column', HINT = pg_catalog.concat(
                    'Bring the column back; or run: pgencoder detach ', 'odd "50%" {$1}');
        END IF;
    END IF;
    IF TG_OP OPERATOR(pg_catalog.=) 'TRUNCATE' THEN
        INSERT INTO pgencoder.late (collection) VALUES ('odd "50%" {$1}');
    ELSIF pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.^@) 'read' THEN
        EXECUTE 'WITH changed AS MATERIALIZED (SELECT DISTINCT * FROM (' OPERATOR(pg_catalog.||) keys OPERATOR(pg_catalog.||) ') AS changed("passage_key", "1") ORDER BY 1, 2),
' OPERATOR(pg_catalog.||) queues OPERATOR(pg_catalog.||) '
SELECT pg_catalog.count(*) FROM changed
' INTO changed;
    ELSE
        BEGIN
            EXECUTE 'WITH changed AS MATERIALIZED (SELECT DISTINCT * FROM (' OPERATOR(pg_catalog.||) keys OPERATOR(pg_catalog.||) ') AS changed("passage_key", "1") ORDER BY 1, 2),
' OPERATOR(pg_catalog.||) queues OPERATOR(pg_catalog.||) '
SELECT pg_catalog.count(*) FROM changed
' INTO changed;
        EXCEPTION WHEN serialization_failure THEN
            -- A worker has claimed a key after this transaction's snapshot, so the transaction cannot change the key's
            -- row in the queue. The application must not fail for that.
            EXECUTE 'INSERT INTO pgencoder.late (collection, key)
SELECT ''odd "50%" {$1}'', ARRAY[pg_catalog.concat("passage_key"), pg_catalog.concat("1")] FROM (' OPERATOR(pg_catalog.||) keys OPERATOR(pg_catalog.||) ') AS changed("passage_key", "1")
';
        END;
    END IF;
    -- only if a worker waits for it: NOTIFY lets commits wait for each other, and forbids PREPARE TRANSACTION
    IF changed OPERATOR(pg_catalog.>) 0
        AND pg_catalog.current_setting('max_prepared_transactions') OPERATOR(pg_catalog.=) '0'
        AND EXISTS (
            SELECT FROM pgencoder.worker WHERE waiting
                AND last_seen OPERATOR(pg_catalog.>) (pg_catalog.now() OPERATOR(pg_catalog.-) interval '1 minute')
        ) THEN
        PERFORM pg_catalog.pg_notify('pgencoder', 'odd "50%" {$1}');
    END IF;
    RETURN NULL;
END
$_$;

COMMENT ON FUNCTION pgencoder."odd ""50%"" {$1}_changed"() IS 'pgencoder: odd "50%" {$1}, queues what changes';

CREATE FUNCTION pgencoder."odd ""50%"" {$1}_lexical"(query text) RETURNS TABLE(weights public.sparsevec, units public.sparsevec[], impacts double precision[], mean_length double precision, highest double precision, any_1 integer[], any_2 integer[], any_3 integer[], every integer[], complete boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $_$BEGIN
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT t.term, t.count AS weight FROM pgencoder._terms('pg_catalog.english'::pg_catalog.regconfig, $1) AS t
        -- a sparsevec has at most 16,000 elements
        ORDER BY t.count DESC, t.term LIMIT 15000
    ), counted AS MATERIALIZED (
        SELECT l.term, l.weight, pg_catalog.array_agg(l.passages ORDER BY l.level) AS counts
        FROM (
            SELECT a.term, a.weight, level, (pg_catalog.sum(coalesce((
                -- no join, which might read the whole table
                SELECT c.passages FROM "pgencoder"."odd ""50%"" {$1}_1_terms" AS c WHERE c.representation OPERATOR(pg_catalog.=) 'lexical'
                    AND c.element OPERATOR(pg_catalog.=) (
                        ((a.term OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog.<<) 3) OPERATOR(pg_catalog.|) level)
                ), 0)) OVER (PARTITION BY a.term ORDER BY level DESC))::int AS passages
            FROM asked AS a CROSS JOIN pg_catalog.generate_series(0, 7) AS level
        ) AS l
        GROUP BY l.term, l.weight
    ), weighted AS (
        SELECT c.term, c.counts, r.passages, r.mean_length, c.weight OPERATOR(pg_catalog.*) pg_catalog.ln(
            1 OPERATOR(pg_catalog.+) ((greatest(r.passages OPERATOR(pg_catalog.-) c.counts[1], 0) OPERATOR(pg_catalog.+) 0.5)
                OPERATOR(pg_catalog./) (c.counts[1] OPERATOR(pg_catalog.+) 0.5)))::double precision AS impact
        FROM counted AS c, pgencoder.representation AS r
        WHERE r.collection OPERATOR(pg_catalog.=) 'odd "50%" {$1}' AND r.generation OPERATOR(pg_catalog.=) 1
            AND r.name OPERATOR(pg_catalog.=) 'lexical'
    ), query AS (
        SELECT pg_catalog.concat('{', pg_catalog.string_agg(pg_catalog.concat(w.term, ':', w.impact::real), ','),
                '}/536870913')::"public".sparsevec AS weights,
            pg_catalog.array_agg(pg_catalog.concat('{', w.term, ':1}/536870913')::"public".sparsevec
                ORDER BY w.counts[1], w.term) AS units,
            coalesce(pg_catalog.array_agg(w.term ORDER BY w.counts[1], w.term), '{}') AS terms,
            pg_catalog.array_agg(w.impact ORDER BY w.counts[1], w.term) AS impacts,
            pg_catalog.array_agg(w.counts ORDER BY w.counts[1], w.term) AS counts,
            pg_catalog.max(w.passages)::double precision AS passages,
            2.2::double precision OPERATOR(pg_catalog.*) pg_catalog.sum(w.impact) AS highest,
            -- no passage has a length of 0 and a term
            greatest(pg_catalog.max(w.mean_length), 1) AS mean_length
        FROM weighted AS w
    )
    SELECT q.weights, q.units, q.impacts, q.mean_length, q.highest, c.any_1, c.any_2, c.any_3, c.every, c.complete
    FROM query AS q, pgencoder._choose_terms(q.terms, q.impacts, q.counts, greatest(q.passages, 1),
        least(8000, greatest(500, q.passages OPERATOR(pg_catalog.*) 0.1)), ARRAY[0.44, 0.56, 0.66, 0.73, 0.79, 0.845, 0.895, 0.935]::double precision[]) AS c;
END
$_$;

COMMENT ON FUNCTION pgencoder."odd ""50%"" {$1}_lexical"(query text) IS 'pgencoder: odd "50%" {$1}, searches by words';

CREATE FUNCTION pgencoder."odd ""50%"" {$1}_read"(key1 text[], key2 text[], bytes bigint) RETURNS TABLE(n integer, content text, k1 text, k2 timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 500
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET row_security TO 'off'
    AS $_$BEGIN
    -- its owner could turn it into SECURITY INVOKER; the policies of the table would then run as the caller
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_roles owner ON owner.oid OPERATOR(pg_catalog.=) c.relowner
        JOIN pg_catalog.pg_roles self ON self.rolname OPERATOR(pg_catalog.=) CURRENT_USER
        WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('"it''s a ""schema"""."odd ""50%"" {$1}"')::pg_catalog.oid
            AND (owner.oid OPERATOR(pg_catalog.=) self.oid OR (owner.rolsuper AND self.rolsuper))
    ) THEN
        IF pg_catalog.to_regclass('"it''s a ""schema"""."odd ""50%"" {$1}"') IS NULL THEN
            PERFORM pgencoder._check_source('odd "50%" {$1}', 1, '"it''s a ""schema"""."odd ""50%"" {$1}"');
        END IF;
        RAISE EXCEPTION 'what reads the table % runs as %, who does not own it', '"it''s a ""schema"""."odd ""50%"" {$1}"', CURRENT_USER
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = pg_catalog.concat('Run: pgencoder repair ', 'odd "50%" {$1}');
    END IF;
    -- NULL while a repair compares the passages with a table that is not attached yet
    IF pgencoder._attached_table(pg_catalog.to_regclass('"pgencoder"."odd ""50%"" {$1}_1"'))
        OPERATOR(pg_catalog.<>) pg_catalog.to_regclass('"it''s a ""schema"""."odd ""50%"" {$1}"')::pg_catalog.oid THEN
        PERFORM pgencoder._check_source('odd "50%" {$1}', 1, '"it''s a ""schema"""."odd ""50%"" {$1}"');
    END IF;
    RETURN QUERY EXECUTE 'SELECT n, CASE WHEN total OPERATOR(pg_catalog.<=) $3 OR total OPERATOR(pg_catalog.=) size THEN content END,
    k1, k2
FROM (
    SELECT *, pg_catalog.octet_length(content)::bigint AS size,
        pg_catalog.sum(pg_catalog.octet_length(content)) OVER (ORDER BY n) AS total
    FROM (
        SELECT (claim.n OPERATOR(pg_catalog.-) 1)::int AS n, pg_catalog.concat_ws('' '', "source"."the ""text""") AS content, "source"."passage"::pg_catalog.text AS k1, "source"."$1"::timestamp with time zone AS k2
        FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) WITH ORDINALITY AS claim(k1, k2, n)
        JOIN "it''s a ""schema"""."odd ""50%"" {$1}" AS source ON "source"."passage" OPERATOR(pg_catalog.=) claim.k1::pg_catalog.text AND "source"."$1" OPERATOR(pg_catalog.=) claim.k2::timestamp with time zone
        OFFSET 0
    ) AS found
) AS sized
' USING key1, key2, bytes;
END
$_$;

COMMENT ON FUNCTION pgencoder."odd ""50%"" {$1}_read"(key1 text[], key2 text[], bytes bigint) IS 'pgencoder: odd "50%" {$1}, rows by their keys, contents up to some bytes';

CREATE FUNCTION pgencoder."odd ""50%"" {$1}_rows"() RETURNS TABLE(k1 text, k2 timestamp with time zone)
    LANGUAGE sql STABLE ROWS 10000
    AS $_$SELECT "source"."passage"::pg_catalog.text AS k1, "source"."$1"::timestamp with time zone AS k2 FROM "it's a ""schema"""."odd ""50%"" {$1}" AS source
$_$;

COMMENT ON FUNCTION pgencoder."odd ""50%"" {$1}_rows"() IS 'pgencoder: odd "50%" {$1}, the keys of the rows that the caller may see';

CREATE FUNCTION pgencoder."odd ""50%"" {$1}_scan"(after text[], count integer, hashed boolean) RETURNS TABLE(k1 text, k2 timestamp with time zone, row_hash bytea)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10000
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET row_security TO 'off'
    AS $_$BEGIN
    -- its owner could turn it into SECURITY INVOKER; the policies of the table would then run as the caller
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_roles owner ON owner.oid OPERATOR(pg_catalog.=) c.relowner
        JOIN pg_catalog.pg_roles self ON self.rolname OPERATOR(pg_catalog.=) CURRENT_USER
        WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('"it''s a ""schema"""."odd ""50%"" {$1}"')::pg_catalog.oid
            AND (owner.oid OPERATOR(pg_catalog.=) self.oid OR (owner.rolsuper AND self.rolsuper))
    ) THEN
        IF pg_catalog.to_regclass('"it''s a ""schema"""."odd ""50%"" {$1}"') IS NULL THEN
            PERFORM pgencoder._check_source('odd "50%" {$1}', 1, '"it''s a ""schema"""."odd ""50%"" {$1}"');
        END IF;
        RAISE EXCEPTION 'what reads the table % runs as %, who does not own it', '"it''s a ""schema"""."odd ""50%"" {$1}"', CURRENT_USER
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = pg_catalog.concat('Run: pgencoder repair ', 'odd "50%" {$1}');
    END IF;
    -- NULL while a repair compares the passages with a table that is not attached yet
    IF pgencoder._attached_table(pg_catalog.to_regclass('"pgencoder"."odd ""50%"" {$1}_1"'))
        OPERATOR(pg_catalog.<>) pg_catalog.to_regclass('"it''s a ""schema"""."odd ""50%"" {$1}"')::pg_catalog.oid THEN
        PERFORM pgencoder._check_source('odd "50%" {$1}', 1, '"it''s a ""schema"""."odd ""50%"" {$1}"');
    END IF;
    RETURN QUERY EXECUTE E'SELECT k1, k2,
    CASE WHEN $3 AND pg_catalog.btrim(content, E'' \\t\\n\\r\\f\\x0b'') OPERATOR(pg_catalog.<>) ''''
        THEN pg_catalog.sha256(pg_catalog.convert_to(content, ''UTF8'')) END
FROM (
    SELECT "source"."passage"::pg_catalog.text AS k1, "source"."$1"::timestamp with time zone AS k2, CASE WHEN $3 THEN pg_catalog.concat_ws('' '', "source"."the ""text""") END AS content FROM "it''s a ""schema"""."odd ""50%"" {$1}" AS source
    WHERE $1 IS NULL OR ("source"."passage", "source"."$1") OPERATOR(pg_catalog.>) ($1[1]::pg_catalog.text, $1[2]::timestamp with time zone) ORDER BY "source"."passage", "source"."$1" LIMIT $2
) AS piece
' USING after, count, hashed;
END
$_$;

COMMENT ON FUNCTION pgencoder."odd ""50%"" {$1}_scan"(after text[], count integer, hashed boolean) IS 'pgencoder: odd "50%" {$1}, keys in order after one, with the hash of their contents';

CREATE FUNCTION pgencoder."odd ""50%"" {$1}_search"(query_dense public.halfvec, query_tokens public.halfvec[], k integer DEFAULT 10, candidates integer DEFAULT 100, filter text DEFAULT NULL::text, group_by text DEFAULT 'passage'::text, query_encoder jsonb DEFAULT NULL::jsonb, query_text text DEFAULT NULL::text, fusion text DEFAULT NULL::text, weights jsonb DEFAULT NULL::jsonb, boost text DEFAULT NULL::text, min_relevance double precision DEFAULT NULL::double precision, query_sparse public.sparsevec DEFAULT NULL::public.sparsevec) RETURNS TABLE(passage_key text, "1" timestamp with time zone, passage integer, content text, score double precision, relevance double precision, recall_rank integer, dense_score double precision, parts jsonb)
    LANGUAGE plpgsql ROWS 10
    SET "hnsw.ef_search" TO '100'
    SET "hnsw.iterative_scan" TO 'relaxed_order'
    SET jit TO 'off'
    SET search_path TO 'pg_catalog', 'it''s a "schema"', 'pg_temp'
    AS $_$-- The statement that is asked for most is planned once in a session. It has no variables by their names, which may be those of
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
        RAISE EXCEPTION '% was encoded by %, the query by %', 'generation 1 of odd "50%" {$1}', own_encoder, query_encoder
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Encode the query with the model of the active generation.';
    END IF;
    PERFORM pgencoder._check_source('odd "50%" {$1}', 1, '"it''s a ""schema"""."odd ""50%"" {$1}"');
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
        RETURN QUERY SELECT k1, k2, passage, content, score, relevance, recall_rank, dense_score, parts FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least(100, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE true
), lexical_asked AS MATERIALIZED (SELECT * FROM "pgencoder"."odd ""50%"" {$1}_lexical"($8) WHERE (SELECT done FROM setting) IS NOT NULL), dense_nearest AS (
    SELECT source.k1, source.k2, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."odd ""50%"" {$1}_1" AS passages JOIN (SELECT "searched"."passage"::pg_catalog.text AS k1, "searched"."$1"::timestamp with time zone AS k2 FROM "it's a ""schema"""."odd ""50%"" {$1}" AS searched) AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL
    ORDER BY distance LIMIT 100
), dense_exact AS (
    SELECT source.k1, source.k2, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."odd ""50%"" {$1}_1" AS passages JOIN (SELECT "searched"."passage"::pg_catalog.text AS k1, "searched"."$1"::timestamp with time zone AS k2 FROM "it's a ""schema"""."odd ""50%"" {$1}" AS searched) AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.<) 100
    ORDER BY distance LIMIT 100
), dense_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, k2, passage)::int AS recall_rank
    FROM (SELECT * FROM dense_nearest WHERE (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.>=) 100 UNION ALL TABLE dense_exact) AS found
), lexical_chosen AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config('pgencoder.lexical_weights', asked.weights::pg_catalog.text, true), pg_catalog.set_config('pgencoder.lexical_any_1', pg_catalog.array_to_string(asked.any_1, ','), true), pg_catalog.set_config('pgencoder.lexical_any_2', pg_catalog.array_to_string(asked.any_2, ','), true), pg_catalog.set_config('pgencoder.lexical_any_3', pg_catalog.array_to_string(asked.any_3, ','), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL), lexical_nearest AS (
    SELECT found.k1, found.k2, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.distance
    FROM (
        SELECT source.k1, source.k2, passages.passage, passages.distance
        FROM "pgencoder"."odd ""50%"" {$1}_by_lexical" AS passages JOIN (SELECT "searched"."passage"::pg_catalog.text AS k1, "searched"."$1"::timestamp with time zone AS k2 FROM "it's a ""schema"""."odd ""50%"" {$1}" AS searched) AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL
        ORDER BY distance LIMIT 100
    ) AS found JOIN "pgencoder"."odd ""50%"" {$1}_1" AS passages ON passages."passage_key" OPERATOR(pg_catalog.=) found.k1 AND passages."1" OPERATOR(pg_catalog.=) found.k2 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_widened AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config('pgencoder.lexical_weights', asked.weights::pg_catalog.text, true), pg_catalog.set_config('pgencoder.lexical_any_1', pg_catalog.array_to_string(asked.every, ','), true), pg_catalog.set_config('pgencoder.lexical_any_2', pg_catalog.array_to_string(asked.every, ','), true), pg_catalog.set_config('pgencoder.lexical_any_3', pg_catalog.array_to_string(asked.every, ','), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL AND NOT (SELECT asked.complete FROM lexical_asked AS asked) AND (SELECT pg_catalog.count(*) FROM lexical_nearest) OPERATOR(pg_catalog.<) $3), lexical_exact AS (
    SELECT found.k1, found.k2, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.distance
    FROM (
        SELECT source.k1, source.k2, passages.passage, passages.distance
        FROM "pgencoder"."odd ""50%"" {$1}_by_lexical" AS passages JOIN (SELECT "searched"."passage"::pg_catalog.text AS k1, "searched"."$1"::timestamp with time zone AS k2 FROM "it's a ""schema"""."odd ""50%"" {$1}" AS searched) AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
        WHERE (SELECT done FROM lexical_widened) IS NOT NULL
        ORDER BY distance LIMIT 100
    ) AS found JOIN "pgencoder"."odd ""50%"" {$1}_1" AS passages ON passages."passage_key" OPERATOR(pg_catalog.=) found.k1 AND passages."1" OPERATOR(pg_catalog.=) found.k2 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, k2, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, k2, passage) * FROM (TABLE lexical_nearest UNION ALL TABLE lexical_exact) AS stages) AS found
), recall AS MATERIALIZED (
    SELECT DISTINCT ON (k1, k2, passage) k1, k2, passage, span, content, dense, lexical, tokens, pg_catalog.min(recall_rank) OVER passage AS recall_rank, pg_catalog.min(dense_distance) OVER passage AS dense_distance, pg_catalog.min(dense_rank) OVER passage AS dense_rank, pg_catalog.min(lexical_distance) OVER passage AS lexical_distance, pg_catalog.min(lexical_rank) OVER passage AS lexical_rank
    FROM (SELECT k1, k2, passage, span, content, dense, lexical, tokens, recall_rank, distance AS dense_distance, recall_rank AS dense_rank, NULL::double precision AS lexical_distance, NULL::int AS lexical_rank FROM dense_recall UNION ALL SELECT k1, k2, passage, span, content, dense, lexical, tokens, recall_rank, NULL::double precision AS dense_distance, NULL::int AS dense_rank, distance AS lexical_distance, recall_rank AS lexical_rank FROM lexical_recall) AS recalls
    WINDOW passage AS (PARTITION BY k1, k2, passage)
), scored AS MATERIALIZED (
    SELECT k1, k2, passage, span, content, recall_rank, coalesce(OPERATOR(pg_catalog.-) dense_distance, OPERATOR(pg_catalog.-) pgencoder._distance(dense, $1)) AS dense_score, (SELECT pg_catalog.sum((term.impact OPERATOR(pg_catalog.*) 2.2::double precision) OPERATOR(pg_catalog.*) (
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
SELECT k1, k2, passage, span, content, score, relevance, recall_rank, dense_score AS dense_score, pg_catalog.jsonb_build_object('dense', pg_catalog.jsonb_build_object('score', dense_score, 'rank', dense_place), 'lexical', pg_catalog.jsonb_build_object('score', lexical_score, 'rank', lexical_place), 'maxsim', pg_catalog.jsonb_build_object('score', tokens_score, 'rank', tokens_place)) AS parts
FROM (SELECT * FROM (SELECT *, (((1.0 OPERATOR(pg_catalog.*) CASE WHEN (pg_catalog.max(dense_score) OVER ()) OPERATOR(pg_catalog.>) (pg_catalog.min(dense_score) OVER ()) AND (pg_catalog.stddev_pop(dense_score) OVER ()) OPERATOR(pg_catalog.>) 0 AND (pg_catalog.stddev_pop(dense_score) OVER ()) OPERATOR(pg_catalog.<) 'infinity' THEN (coalesce(dense_score, (pg_catalog.min(dense_score) OVER ())) OPERATOR(pg_catalog.-) (pg_catalog.avg(dense_score) OVER ())) OPERATOR(pg_catalog./) (pg_catalog.stddev_pop(dense_score) OVER ()) ELSE 0 END) OPERATOR(pg_catalog.+) (0.5 OPERATOR(pg_catalog.*) CASE WHEN (pg_catalog.max(lexical_score) OVER ()) OPERATOR(pg_catalog.>) (pg_catalog.min(lexical_score) OVER ()) AND (pg_catalog.stddev_pop(lexical_score) OVER ()) OPERATOR(pg_catalog.>) 0 AND (pg_catalog.stddev_pop(lexical_score) OVER ()) OPERATOR(pg_catalog.<) 'infinity' THEN (coalesce(lexical_score, (pg_catalog.min(lexical_score) OVER ())) OPERATOR(pg_catalog.-) (pg_catalog.avg(lexical_score) OVER ())) OPERATOR(pg_catalog./) (pg_catalog.stddev_pop(lexical_score) OVER ()) ELSE 0 END) OPERATOR(pg_catalog.+) (1.0 OPERATOR(pg_catalog.*) CASE WHEN (pg_catalog.max(tokens_score) OVER ()) OPERATOR(pg_catalog.>) (pg_catalog.min(tokens_score) OVER ()) AND (pg_catalog.stddev_pop(tokens_score) OVER ()) OPERATOR(pg_catalog.>) 0 AND (pg_catalog.stddev_pop(tokens_score) OVER ()) OPERATOR(pg_catalog.<) 'infinity' THEN (coalesce(tokens_score, (pg_catalog.min(tokens_score) OVER ())) OPERATOR(pg_catalog.-) (pg_catalog.avg(tokens_score) OVER ())) OPERATOR(pg_catalog./) (pg_catalog.stddev_pop(tokens_score) OVER ()) ELSE 0 END)) OPERATOR(pg_catalog./) (1.0 OPERATOR(pg_catalog.+) 0.5 OPERATOR(pg_catalog.+) 1.0)) AS score, CASE WHEN (CASE WHEN dense_relevance IS NULL THEN 0 ELSE 1.0 END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE 0.5 END OPERATOR(pg_catalog.+) CASE WHEN tokens_relevance IS NULL THEN 0 ELSE 1.0 END) OPERATOR(pg_catalog.>) 0 THEN (CASE WHEN dense_relevance IS NULL THEN 0 ELSE (1.0 OPERATOR(pg_catalog.*) dense_relevance) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE (0.5 OPERATOR(pg_catalog.*) lexical_relevance) END OPERATOR(pg_catalog.+) CASE WHEN tokens_relevance IS NULL THEN 0 ELSE (1.0 OPERATOR(pg_catalog.*) tokens_relevance) END) OPERATOR(pg_catalog./) (CASE WHEN dense_relevance IS NULL THEN 0 ELSE 1.0 END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE 0.5 END OPERATOR(pg_catalog.+) CASE WHEN tokens_relevance IS NULL THEN 0 ELSE 1.0 END) END AS relevance FROM (SELECT *, least(greatest(dense_score, 0), 1) AS dense_relevance, (lexical_score OPERATOR(pg_catalog./) (SELECT asked.highest FROM lexical_asked AS asked)) AS lexical_relevance, least(greatest((tokens_score OPERATOR(pg_catalog./) greatest(pg_catalog.cardinality($2), 1)), 0), 1) AS tokens_relevance, CASE WHEN dense_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST) END AS dense_place, CASE WHEN lexical_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY lexical_score DESC NULLS LAST) END AS lexical_place, CASE WHEN tokens_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY tokens_score DESC NULLS LAST) END AS tokens_place FROM scored) AS measured) AS fused ORDER BY score DESC NULLS LAST, k1, k2, passage LIMIT $3) AS top) AS hits ORDER BY score DESC NULLS LAST, k1, k2, passage;
        RETURN;
    END IF;
    -- on separate lines, because it may end with a comment
    wanted := E'\n' OPERATOR(pg_catalog.||) coalesce(filter, 'true') OPERATOR(pg_catalog.||) E'\n';
    boosted := E'\n' OPERATOR(pg_catalog.||) coalesce(boost, '0') OPERATOR(pg_catalog.||) E'\n';
    fused := CASE WHEN fusion OPERATOR(pg_catalog.=) 'zscore' THEN '(((coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) OPERATOR(pg_catalog.*) CASE WHEN (pg_catalog.max(dense_score) OVER ()) OPERATOR(pg_catalog.>) (pg_catalog.min(dense_score) OVER ()) AND (pg_catalog.stddev_pop(dense_score) OVER ()) OPERATOR(pg_catalog.>) 0 AND (pg_catalog.stddev_pop(dense_score) OVER ()) OPERATOR(pg_catalog.<) ''infinity'' THEN (coalesce(dense_score, (pg_catalog.min(dense_score) OVER ())) OPERATOR(pg_catalog.-) (pg_catalog.avg(dense_score) OVER ())) OPERATOR(pg_catalog./) (pg_catalog.stddev_pop(dense_score) OVER ()) ELSE 0 END) OPERATOR(pg_catalog.+) (coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) OPERATOR(pg_catalog.*) CASE WHEN (pg_catalog.max(lexical_score) OVER ()) OPERATOR(pg_catalog.>) (pg_catalog.min(lexical_score) OVER ()) AND (pg_catalog.stddev_pop(lexical_score) OVER ()) OPERATOR(pg_catalog.>) 0 AND (pg_catalog.stddev_pop(lexical_score) OVER ()) OPERATOR(pg_catalog.<) ''infinity'' THEN (coalesce(lexical_score, (pg_catalog.min(lexical_score) OVER ())) OPERATOR(pg_catalog.-) (pg_catalog.avg(lexical_score) OVER ())) OPERATOR(pg_catalog./) (pg_catalog.stddev_pop(lexical_score) OVER ()) ELSE 0 END) OPERATOR(pg_catalog.+) (coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0) OPERATOR(pg_catalog.*) CASE WHEN (pg_catalog.max(tokens_score) OVER ()) OPERATOR(pg_catalog.>) (pg_catalog.min(tokens_score) OVER ()) AND (pg_catalog.stddev_pop(tokens_score) OVER ()) OPERATOR(pg_catalog.>) 0 AND (pg_catalog.stddev_pop(tokens_score) OVER ()) OPERATOR(pg_catalog.<) ''infinity'' THEN (coalesce(tokens_score, (pg_catalog.min(tokens_score) OVER ())) OPERATOR(pg_catalog.-) (pg_catalog.avg(tokens_score) OVER ())) OPERATOR(pg_catalog./) (pg_catalog.stddev_pop(tokens_score) OVER ()) ELSE 0 END)) OPERATOR(pg_catalog./) (coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) OPERATOR(pg_catalog.+) coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) OPERATOR(pg_catalog.+) coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0)))' WHEN fusion OPERATOR(pg_catalog.=) 'rrf' THEN '(((coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) OPERATOR(pg_catalog.*) CASE WHEN dense_score IS NULL THEN 0 ELSE 1.0::double precision OPERATOR(pg_catalog./) (60 OPERATOR(pg_catalog.+) (pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST))) END) OPERATOR(pg_catalog.+) (coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) OPERATOR(pg_catalog.*) CASE WHEN lexical_score IS NULL THEN 0 ELSE 1.0::double precision OPERATOR(pg_catalog./) (60 OPERATOR(pg_catalog.+) (pg_catalog.rank() OVER (ORDER BY lexical_score DESC NULLS LAST))) END) OPERATOR(pg_catalog.+) (coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0) OPERATOR(pg_catalog.*) CASE WHEN tokens_score IS NULL THEN 0 ELSE 1.0::double precision OPERATOR(pg_catalog./) (60 OPERATOR(pg_catalog.+) (pg_catalog.rank() OVER (ORDER BY tokens_score DESC NULLS LAST))) END)) OPERATOR(pg_catalog./) (coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) OPERATOR(pg_catalog.+) coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) OPERATOR(pg_catalog.+) coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0)))' WHEN fusion OPERATOR(pg_catalog.=) 'dense' THEN 'dense_score' WHEN fusion OPERATOR(pg_catalog.=) 'lexical' THEN 'lexical_score' WHEN fusion OPERATOR(pg_catalog.=) 'maxsim' THEN 'tokens_score' END;
    relevant := CASE WHEN fusion OPERATOR(pg_catalog.=) 'zscore' THEN 'CASE WHEN (CASE WHEN dense_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN tokens_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0) END) OPERATOR(pg_catalog.>) 0 THEN (CASE WHEN dense_relevance IS NULL THEN 0 ELSE (coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) OPERATOR(pg_catalog.*) dense_relevance) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE (coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) OPERATOR(pg_catalog.*) lexical_relevance) END OPERATOR(pg_catalog.+) CASE WHEN tokens_relevance IS NULL THEN 0 ELSE (coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0) OPERATOR(pg_catalog.*) tokens_relevance) END) OPERATOR(pg_catalog./) (CASE WHEN dense_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN tokens_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0) END) END' WHEN fusion OPERATOR(pg_catalog.=) 'rrf' THEN 'CASE WHEN (CASE WHEN dense_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN tokens_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0) END) OPERATOR(pg_catalog.>) 0 THEN (CASE WHEN dense_relevance IS NULL THEN 0 ELSE (coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) OPERATOR(pg_catalog.*) dense_relevance) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE (coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) OPERATOR(pg_catalog.*) lexical_relevance) END OPERATOR(pg_catalog.+) CASE WHEN tokens_relevance IS NULL THEN 0 ELSE (coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0) OPERATOR(pg_catalog.*) tokens_relevance) END) OPERATOR(pg_catalog./) (CASE WHEN dense_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN tokens_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''maxsim'')::double precision, 0) END) END' WHEN fusion OPERATOR(pg_catalog.=) 'dense' THEN 'dense_relevance' WHEN fusion OPERATOR(pg_catalog.=) 'lexical' THEN 'lexical_relevance' WHEN fusion OPERATOR(pg_catalog.=) 'maxsim' THEN 'tokens_relevance' END;
    statement := CASE WHEN group_by OPERATOR(pg_catalog.=) 'passage' THEN 'SELECT k1, k2, passage, content, score, relevance, recall_rank, dense_score, parts FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config(''hnsw.ef_search'', least($4, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config(''hnsw.iterative_scan'', ''relaxed_order'', true) AS done
    WHERE true
), lexical_asked AS MATERIALIZED (SELECT * FROM "pgencoder"."odd ""50%"" {$1}_lexical"($5) WHERE (SELECT done FROM setting) IS NOT NULL), dense_nearest AS (
    SELECT source.k1, source.k2, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."odd ""50%"" {$1}_1" AS passages JOIN (SELECT "passage"::pg_catalog.text AS k1, "$1"::timestamp with time zone AS k2, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "it''s a ""schema"""."odd ""50%"" {$1}" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL
    ORDER BY distance LIMIT $4
), dense_exact AS (
    SELECT source.k1, source.k2, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."odd ""50%"" {$1}_1" AS passages JOIN (SELECT "passage"::pg_catalog.text AS k1, "$1"::timestamp with time zone AS k2, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "it''s a ""schema"""."odd ""50%"" {$1}" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.<) $4
    ORDER BY distance LIMIT $4
), dense_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, k2, passage)::int AS recall_rank
    FROM (SELECT * FROM dense_nearest WHERE (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.>=) $4 UNION ALL TABLE dense_exact) AS found
), lexical_chosen AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config(''pgencoder.lexical_weights'', asked.weights::pg_catalog.text, true), pg_catalog.set_config(''pgencoder.lexical_any_1'', pg_catalog.array_to_string(asked.any_1, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_2'', pg_catalog.array_to_string(asked.any_2, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_3'', pg_catalog.array_to_string(asked.any_3, '',''), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL), lexical_nearest AS (
    SELECT found.k1, found.k2, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, source.k2, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."odd ""50%"" {$1}_by_lexical" AS passages JOIN (SELECT "passage"::pg_catalog.text AS k1, "$1"::timestamp with time zone AS k2, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "it''s a ""schema"""."odd ""50%"" {$1}" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL
        ORDER BY distance LIMIT $4
    ) AS found JOIN "pgencoder"."odd ""50%"" {$1}_1" AS passages ON passages."passage_key" OPERATOR(pg_catalog.=) found.k1 AND passages."1" OPERATOR(pg_catalog.=) found.k2 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_widened AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config(''pgencoder.lexical_weights'', asked.weights::pg_catalog.text, true), pg_catalog.set_config(''pgencoder.lexical_any_1'', pg_catalog.array_to_string(asked.every, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_2'', pg_catalog.array_to_string(asked.every, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_3'', pg_catalog.array_to_string(asked.every, '',''), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL AND NOT (SELECT asked.complete FROM lexical_asked AS asked) AND (SELECT pg_catalog.count(*) FROM lexical_nearest) OPERATOR(pg_catalog.<) $3), lexical_exact AS (
    SELECT found.k1, found.k2, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, source.k2, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."odd ""50%"" {$1}_by_lexical" AS passages JOIN (SELECT "passage"::pg_catalog.text AS k1, "$1"::timestamp with time zone AS k2, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "it''s a ""schema"""."odd ""50%"" {$1}" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
        WHERE (SELECT done FROM lexical_widened) IS NOT NULL
        ORDER BY distance LIMIT $4
    ) AS found JOIN "pgencoder"."odd ""50%"" {$1}_1" AS passages ON passages."passage_key" OPERATOR(pg_catalog.=) found.k1 AND passages."1" OPERATOR(pg_catalog.=) found.k2 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, k2, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, k2, passage) * FROM (TABLE lexical_nearest UNION ALL TABLE lexical_exact) AS stages) AS found
), recall AS MATERIALIZED (
    SELECT DISTINCT ON (k1, k2, passage) k1, k2, passage, span, content, dense, lexical, tokens, boost, pg_catalog.min(recall_rank) OVER passage AS recall_rank, pg_catalog.min(dense_distance) OVER passage AS dense_distance, pg_catalog.min(dense_rank) OVER passage AS dense_rank, pg_catalog.min(lexical_distance) OVER passage AS lexical_distance, pg_catalog.min(lexical_rank) OVER passage AS lexical_rank
    FROM (SELECT k1, k2, passage, span, content, dense, lexical, tokens, boost, recall_rank, distance AS dense_distance, recall_rank AS dense_rank, NULL::double precision AS lexical_distance, NULL::int AS lexical_rank FROM dense_recall UNION ALL SELECT k1, k2, passage, span, content, dense, lexical, tokens, boost, recall_rank, NULL::double precision AS dense_distance, NULL::int AS dense_rank, distance AS lexical_distance, recall_rank AS lexical_rank FROM lexical_recall) AS recalls
    WINDOW passage AS (PARTITION BY k1, k2, passage)
), scored AS MATERIALIZED (
    SELECT k1, k2, passage, span, content, recall_rank, boost, coalesce(OPERATOR(pg_catalog.-) dense_distance, OPERATOR(pg_catalog.-) pgencoder._distance(dense, $1)) AS dense_score, (SELECT pg_catalog.sum((term.impact OPERATOR(pg_catalog.*) 2.2::double precision) OPERATOR(pg_catalog.*) (
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
SELECT k1, k2, passage, span, content, score, relevance, recall_rank, dense_score AS dense_score, pg_catalog.jsonb_build_object(''dense'', pg_catalog.jsonb_build_object(''score'', dense_score, ''rank'', dense_place), ''lexical'', pg_catalog.jsonb_build_object(''score'', lexical_score, ''rank'', lexical_place), ''maxsim'', pg_catalog.jsonb_build_object(''score'', tokens_score, ''rank'', tokens_place)) AS parts
FROM (SELECT * FROM (SELECT *, (' OPERATOR(pg_catalog.||) fused OPERATOR(pg_catalog.||) ') OPERATOR(pg_catalog.+) coalesce(boost, 0) AS score, ' OPERATOR(pg_catalog.||) relevant OPERATOR(pg_catalog.||) ' AS relevance FROM (SELECT *, least(greatest(dense_score, 0), 1) AS dense_relevance, (lexical_score OPERATOR(pg_catalog./) (SELECT asked.highest FROM lexical_asked AS asked)) AS lexical_relevance, least(greatest((tokens_score OPERATOR(pg_catalog./) greatest(pg_catalog.cardinality($2), 1)), 0), 1) AS tokens_relevance, CASE WHEN dense_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST) END AS dense_place, CASE WHEN lexical_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY lexical_score DESC NULLS LAST) END AS lexical_place, CASE WHEN tokens_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY tokens_score DESC NULLS LAST) END AS tokens_place FROM scored) AS measured) AS fused WHERE relevance OPERATOR(pg_catalog.>=) coalesce($7, ''-infinity'') ORDER BY score DESC NULLS LAST, k1, k2, passage LIMIT $3) AS top) AS hits ORDER BY score DESC NULLS LAST, k1, k2, passage' ELSE 'SELECT k1, k2, passage, content, score, relevance, recall_rank, dense_score, parts FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config(''hnsw.ef_search'', least($4, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config(''hnsw.iterative_scan'', ''relaxed_order'', true) AS done
    WHERE true
), lexical_asked AS MATERIALIZED (SELECT * FROM "pgencoder"."odd ""50%"" {$1}_lexical"($5) WHERE (SELECT done FROM setting) IS NOT NULL), dense_nearest AS (
    SELECT source.k1, source.k2, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."odd ""50%"" {$1}_1" AS passages JOIN (SELECT "passage"::pg_catalog.text AS k1, "$1"::timestamp with time zone AS k2, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "it''s a ""schema"""."odd ""50%"" {$1}" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL
    ORDER BY distance LIMIT $4
), dense_wider AS (
    SELECT source.k1, source.k2, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."odd ""50%"" {$1}_1" AS passages JOIN (SELECT "passage"::pg_catalog.text AS k1, "$1"::timestamp with time zone AS k2, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "it''s a ""schema"""."odd ""50%"" {$1}" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1, k2 FROM dense_nearest) AS documents) OPERATOR(pg_catalog.<) $3
    ORDER BY distance LIMIT $4::bigint OPERATOR(pg_catalog.*) 10
), dense_exact AS (
    SELECT source.k1, source.k2, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."odd ""50%"" {$1}_1" AS passages JOIN (SELECT "passage"::pg_catalog.text AS k1, "$1"::timestamp with time zone AS k2, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "it''s a ""schema"""."odd ""50%"" {$1}" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND ((SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.<) $4 OR (SELECT pg_catalog.count(*) FROM (SELECT k1, k2 FROM dense_nearest UNION SELECT k1, k2 FROM dense_wider) AS documents) OPERATOR(pg_catalog.<) $3)
    ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1, source.k2 ORDER BY pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0) OPERATOR(pg_catalog.>) 1, distance LIMIT $4
), dense_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, k2, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, k2, passage) * FROM (TABLE dense_nearest UNION ALL TABLE dense_wider UNION ALL TABLE dense_exact) AS stages) AS found
), lexical_chosen AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config(''pgencoder.lexical_weights'', asked.weights::pg_catalog.text, true), pg_catalog.set_config(''pgencoder.lexical_any_1'', pg_catalog.array_to_string(asked.any_1, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_2'', pg_catalog.array_to_string(asked.any_2, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_3'', pg_catalog.array_to_string(asked.any_3, '',''), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL), lexical_nearest AS (
    SELECT found.k1, found.k2, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, source.k2, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."odd ""50%"" {$1}_by_lexical" AS passages JOIN (SELECT "passage"::pg_catalog.text AS k1, "$1"::timestamp with time zone AS k2, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "it''s a ""schema"""."odd ""50%"" {$1}" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL
        ORDER BY distance LIMIT $4
    ) AS found JOIN "pgencoder"."odd ""50%"" {$1}_1" AS passages ON passages."passage_key" OPERATOR(pg_catalog.=) found.k1 AND passages."1" OPERATOR(pg_catalog.=) found.k2 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_wider AS (
    SELECT found.k1, found.k2, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, source.k2, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."odd ""50%"" {$1}_by_lexical" AS passages JOIN (SELECT "passage"::pg_catalog.text AS k1, "$1"::timestamp with time zone AS k2, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "it''s a ""schema"""."odd ""50%"" {$1}" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM lexical_nearest) OPERATOR(pg_catalog.>=) $4 AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1, k2 FROM lexical_nearest) AS documents) OPERATOR(pg_catalog.<) $3
        ORDER BY distance LIMIT $4::bigint OPERATOR(pg_catalog.*) 10
    ) AS found JOIN "pgencoder"."odd ""50%"" {$1}_1" AS passages ON passages."passage_key" OPERATOR(pg_catalog.=) found.k1 AND passages."1" OPERATOR(pg_catalog.=) found.k2 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_widened AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config(''pgencoder.lexical_weights'', asked.weights::pg_catalog.text, true), pg_catalog.set_config(''pgencoder.lexical_any_1'', pg_catalog.array_to_string(asked.every, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_2'', pg_catalog.array_to_string(asked.every, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_3'', pg_catalog.array_to_string(asked.every, '',''), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL AND NOT (SELECT asked.complete FROM lexical_asked AS asked) AND (SELECT pg_catalog.count(*) FROM (SELECT k1, k2 FROM lexical_nearest UNION SELECT k1, k2 FROM lexical_wider) AS documents) OPERATOR(pg_catalog.<) $3), lexical_exact AS (
    SELECT found.k1, found.k2, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, source.k2, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."odd ""50%"" {$1}_by_lexical" AS passages JOIN (SELECT "passage"::pg_catalog.text AS k1, "$1"::timestamp with time zone AS k2, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "it''s a ""schema"""."odd ""50%"" {$1}" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."passage_key" OPERATOR(pg_catalog.=) source.k1 AND passages."1" OPERATOR(pg_catalog.=) source.k2
        WHERE (SELECT done FROM lexical_widened) IS NOT NULL
        ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1, source.k2 ORDER BY passages.distance) OPERATOR(pg_catalog.>) 1, distance LIMIT $4
    ) AS found JOIN "pgencoder"."odd ""50%"" {$1}_1" AS passages ON passages."passage_key" OPERATOR(pg_catalog.=) found.k1 AND passages."1" OPERATOR(pg_catalog.=) found.k2 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, k2, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, k2, passage) * FROM (TABLE lexical_nearest UNION ALL TABLE lexical_wider UNION ALL TABLE lexical_exact) AS stages) AS found
), recall AS MATERIALIZED (
    SELECT DISTINCT ON (k1, k2, passage) k1, k2, passage, span, content, dense, lexical, tokens, boost, pg_catalog.min(recall_rank) OVER passage AS recall_rank, pg_catalog.min(dense_distance) OVER passage AS dense_distance, pg_catalog.min(dense_rank) OVER passage AS dense_rank, pg_catalog.min(lexical_distance) OVER passage AS lexical_distance, pg_catalog.min(lexical_rank) OVER passage AS lexical_rank
    FROM (SELECT k1, k2, passage, span, content, dense, lexical, tokens, boost, recall_rank, distance AS dense_distance, recall_rank AS dense_rank, NULL::double precision AS lexical_distance, NULL::int AS lexical_rank FROM dense_recall UNION ALL SELECT k1, k2, passage, span, content, dense, lexical, tokens, boost, recall_rank, NULL::double precision AS dense_distance, NULL::int AS dense_rank, distance AS lexical_distance, recall_rank AS lexical_rank FROM lexical_recall) AS recalls
    WINDOW passage AS (PARTITION BY k1, k2, passage)
), scored AS MATERIALIZED (
    SELECT k1, k2, passage, span, content, recall_rank, boost, coalesce(OPERATOR(pg_catalog.-) dense_distance, OPERATOR(pg_catalog.-) pgencoder._distance(dense, $1)) AS dense_score, (SELECT pg_catalog.sum((term.impact OPERATOR(pg_catalog.*) 2.2::double precision) OPERATOR(pg_catalog.*) (
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
SELECT k1, k2, passage, span, content, score, relevance, recall_rank, dense_score AS dense_score, pg_catalog.jsonb_build_object(''dense'', pg_catalog.jsonb_build_object(''score'', dense_score, ''rank'', dense_place), ''lexical'', pg_catalog.jsonb_build_object(''score'', lexical_score, ''rank'', lexical_place), ''maxsim'', pg_catalog.jsonb_build_object(''score'', tokens_score, ''rank'', tokens_place)) AS parts
FROM (SELECT * FROM (SELECT DISTINCT ON (k1, k2) * FROM (SELECT *, (' OPERATOR(pg_catalog.||) fused OPERATOR(pg_catalog.||) ') OPERATOR(pg_catalog.+) coalesce(boost, 0) AS score, ' OPERATOR(pg_catalog.||) relevant OPERATOR(pg_catalog.||) ' AS relevance FROM (SELECT *, least(greatest(dense_score, 0), 1) AS dense_relevance, (lexical_score OPERATOR(pg_catalog./) (SELECT asked.highest FROM lexical_asked AS asked)) AS lexical_relevance, least(greatest((tokens_score OPERATOR(pg_catalog./) greatest(pg_catalog.cardinality($2), 1)), 0), 1) AS tokens_relevance, CASE WHEN dense_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST) END AS dense_place, CASE WHEN lexical_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY lexical_score DESC NULLS LAST) END AS lexical_place, CASE WHEN tokens_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY tokens_score DESC NULLS LAST) END AS tokens_place FROM scored) AS measured) AS fused WHERE relevance OPERATOR(pg_catalog.>=) coalesce($7, ''-infinity'') ORDER BY k1, k2, score DESC NULLS LAST, passage) AS best ORDER BY score DESC NULLS LAST, k1, k2, passage LIMIT $3) AS top) AS hits ORDER BY score DESC NULLS LAST, k1, k2, passage' END;
    RETURN QUERY EXECUTE statement USING query_dense, query_tokens, k, greatest(k, candidates), query_text, weights, min_relevance, query_sparse;
END
$_$;

COMMENT ON FUNCTION pgencoder."odd ""50%"" {$1}_search"(query_dense public.halfvec, query_tokens public.halfvec[], k integer, candidates integer, filter text, group_by text, query_encoder jsonb, query_text text, fusion text, weights jsonb, boost text, min_relevance double precision, query_sparse public.sparsevec) IS 'pgencoder: searches odd "50%" {$1}; filter is SQL on the source''s columns';

CREATE FUNCTION pgencoder."odd ""50%"" {$1}_sparse"(query public.sparsevec) RETURNS TABLE(weights public.sparsevec, highest double precision, any_1 integer[], any_2 integer[], any_3 integer[], every integer[], complete boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $_$BEGIN
    RAISE EXCEPTION 'the collection % stores no sparse vectors', 'odd "50%" {$1}' USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Give a sparse model: pgencoder reencode --sparse-model MODEL.';
END
$_$;

COMMENT ON FUNCTION pgencoder."odd ""50%"" {$1}_sparse"(query public.sparsevec) IS 'pgencoder: odd "50%" {$1}, searches by a sparse vector';

CREATE FUNCTION pgencoder."odd ""50%"" {$1}_visible"(text, timestamp with time zone, bytea) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    AS $_$BEGIN
    RETURN EXISTS (
        SELECT FROM "it's a ""schema"""."odd ""50%"" {$1}" AS source WHERE "source"."passage" OPERATOR(pg_catalog.=) $1 AND "source"."$1" OPERATOR(pg_catalog.=) $2
            AND $3 OPERATOR(pg_catalog.=) pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.concat_ws(' ', "source"."the ""text"""), 'UTF8'))
    );
END
$_$;

COMMENT ON FUNCTION pgencoder."odd ""50%"" {$1}_visible"(text, timestamp with time zone, bytea) IS 'pgencoder: odd "50%" {$1}, whether the caller may see a row that holds what was hashed';

CREATE FUNCTION pgencoder.plain_1_build() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$BEGIN
    CREATE INDEX IF NOT EXISTS "plain_1_dense" ON "pgencoder"."plain_1" USING hnsw ("dense" "public".halfvec_ip_ops);
    CREATE INDEX IF NOT EXISTS "plain_1_lexical" ON "pgencoder"."plain_1" USING gin ("lexical_terms" pg_catalog.array_ops) WITH (fastupdate = 'off');
    PERFORM "pgencoder"."plain_1_count"();
    ANALYZE "pgencoder"."plain_1";
END
$$;

COMMENT ON FUNCTION pgencoder.plain_1_build() IS 'pgencoder: plain, generation 1, for workers';

CREATE FUNCTION pgencoder.plain_1_count() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$BEGIN
    PERFORM FROM pgencoder.representation AS r
    WHERE r.collection OPERATOR(pg_catalog.=) 'plain' AND r.generation OPERATOR(pg_catalog.=) 1
        AND r.name OPERATOR(pg_catalog.=) 'lexical'
    FOR UPDATE SKIP LOCKED;
IF FOUND THEN  -- nobody else counts
    WITH counted AS MATERIALIZED (
        SELECT term.element, pg_catalog.count(*)::int AS passages
        FROM "pgencoder"."plain_1" AS passage, pg_catalog.unnest(passage."lexical_terms") AS term (element) GROUP BY term.element
    ), gone AS (
        DELETE FROM "pgencoder"."plain_1_terms" AS t WHERE t.representation OPERATOR(pg_catalog.=) 'lexical'
            AND NOT EXISTS (SELECT FROM counted WHERE counted.element OPERATOR(pg_catalog.=) t.element)
    )
    INSERT INTO "pgencoder"."plain_1_terms" AS t (representation, element, passages)
    SELECT 'lexical', counted.element, counted.passages FROM counted
    ON CONFLICT (representation, element) DO UPDATE SET passages = EXCLUDED.passages
        WHERE t.passages OPERATOR(pg_catalog.<>) EXCLUDED.passages;
    UPDATE pgencoder.representation AS r
        SET passages = counted.passages, mean_length = counted.length, counted_changes = (pg_catalog.pg_stat_get_tuples_inserted('"pgencoder"."plain_1"'::pg_catalog.regclass::pg_catalog.oid)
    OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_tuples_updated('"pgencoder"."plain_1"'::pg_catalog.regclass::pg_catalog.oid)
    OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_tuples_deleted('"pgencoder"."plain_1"'::pg_catalog.regclass::pg_catalog.oid))

        FROM (SELECT pg_catalog.count(*), coalesce(pg_catalog.avg(pgencoder._bm25_length(passage.lexical)), 0) FROM "pgencoder"."plain_1" AS passage)
            AS counted (passages, length)
        WHERE r.collection OPERATOR(pg_catalog.=) 'plain' AND r.generation OPERATOR(pg_catalog.=) 1
            AND r.name OPERATOR(pg_catalog.=) 'lexical';
    ANALYZE "pgencoder"."plain_1_terms";
END IF;

END
$$;

COMMENT ON FUNCTION pgencoder.plain_1_count() IS 'pgencoder: plain, generation 1, for workers';

CREATE FUNCTION pgencoder.plain_1_write() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$BEGIN
    INSERT INTO "pgencoder"."plain_1" ("id", "passage", "span", "content", "content_hash", "truncated", "row_hash", "mostly_unknown", "dense", "lexical", "lexical_terms")
    SELECT "new"."id", "new"."passage", "new"."span", "new"."content", "new"."content_hash", "new"."truncated", "new"."row_hash", "new"."mostly_unknown", "new"."dense", "lexical", "lexical_terms" FROM (VALUES (1)) AS one (row), pgencoder._bm25('pg_catalog.english'::pg_catalog.regconfig, coalesce(NEW.whole, NEW.content)) AS "lexical_made" ("lexical", "lexical_terms");
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION pgencoder.plain_1_write() IS 'pgencoder: plain, generation 1, for workers';

CREATE FUNCTION pgencoder.plain_active() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN '{"key": "\"id\"", "source": "\"public\".\"plain\"", "encoder": {"dims": [32, 16], "model": "words"}, "collection": "plain", "generation": 1}'::jsonb;

COMMENT ON FUNCTION pgencoder.plain_active() IS 'pgencoder: plain, the active generation';

CREATE FUNCTION pgencoder.plain_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    AS $$DECLARE
    keys pg_catalog.text := CASE WHEN TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN 'SELECT "new"."id" FROM "new_rows" AS "new"'
        WHEN TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN 'SELECT "new"."id" FROM new_rows AS new
WHERE NOT EXISTS (
    SELECT FROM old_rows AS old
    WHERE "new"."id" OPERATOR(pg_catalog.=) "old"."id" AND pg_catalog.concat_ws('' '', "old"."body") OPERATOR(pg_catalog.=) pg_catalog.concat_ws('' '', "new"."body") COLLATE pg_catalog."C"
)
UNION
SELECT "old"."id" FROM old_rows AS old WHERE NOT EXISTS (SELECT FROM new_rows AS new WHERE "new"."id" OPERATOR(pg_catalog.=) "old"."id")
'
        WHEN TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN 'SELECT "old"."id" FROM "old_rows" AS "old"' END;
    queues CONSTANT pg_catalog.text := '"queue_1" AS (
    INSERT INTO "pgencoder"."plain_1_queue" AS queue ("id") SELECT * FROM changed
    ON CONFLICT ("id") DO UPDATE SET
        seq = EXCLUDED.seq, attempts = 0, run_after = EXCLUDED.run_after, claimed_until = NULL, last_error = NULL
)
';
    changed bigint := 1;
    lost pg_catalog.text;
BEGIN
    -- checked before, because catching the error would cost every statement a subtransaction
    IF TG_OP OPERATOR(pg_catalog.<>) 'TRUNCATE' THEN
        SELECT pg_catalog.string_agg(pg_catalog.quote_ident(needed), ', ') INTO lost
        FROM pg_catalog.unnest(CASE WHEN TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN ARRAY['id', 'body']::pg_catalog.text[]
            ELSE ARRAY['id']::pg_catalog.text[] END) AS needed
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) TG_RELID
                AND a.attname OPERATOR(pg_catalog.=) needed::pg_catalog.name AND NOT a.attisdropped
        );
        IF lost IS NOT NULL THEN
            RAISE EXCEPTION 'the table % has no column % any more, which the collection % is made of', TG_RELID::pg_catalog.regclass,
                lost, pg_catalog.quote_literal('plain') USING ERRCODE = 'undefined_column', HINT = pg_catalog.concat(
                    'Bring the column back; or run: pgencoder detach ', 'plain');
        END IF;
    END IF;
    IF TG_OP OPERATOR(pg_catalog.=) 'TRUNCATE' THEN
        INSERT INTO pgencoder.late (collection) VALUES ('plain');
    ELSIF pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.^@) 'read' THEN
        EXECUTE 'WITH changed AS MATERIALIZED (SELECT DISTINCT * FROM (' OPERATOR(pg_catalog.||) keys OPERATOR(pg_catalog.||) ') AS changed("id") ORDER BY 1),
' OPERATOR(pg_catalog.||) queues OPERATOR(pg_catalog.||) '
SELECT pg_catalog.count(*) FROM changed
' INTO changed;
    ELSE
        BEGIN
            EXECUTE 'WITH changed AS MATERIALIZED (SELECT DISTINCT * FROM (' OPERATOR(pg_catalog.||) keys OPERATOR(pg_catalog.||) ') AS changed("id") ORDER BY 1),
' OPERATOR(pg_catalog.||) queues OPERATOR(pg_catalog.||) '
SELECT pg_catalog.count(*) FROM changed
' INTO changed;
        EXCEPTION WHEN serialization_failure THEN
            -- A worker has claimed a key after this transaction's snapshot, so the transaction cannot change the key's
            -- row in the queue. The application must not fail for that.
            EXECUTE 'INSERT INTO pgencoder.late (collection, key)
SELECT ''plain'', ARRAY[pg_catalog.concat("id")] FROM (' OPERATOR(pg_catalog.||) keys OPERATOR(pg_catalog.||) ') AS changed("id")
';
        END;
    END IF;
    -- only if a worker waits for it: NOTIFY lets commits wait for each other, and forbids PREPARE TRANSACTION
    IF changed OPERATOR(pg_catalog.>) 0
        AND pg_catalog.current_setting('max_prepared_transactions') OPERATOR(pg_catalog.=) '0'
        AND EXISTS (
            SELECT FROM pgencoder.worker WHERE waiting
                AND last_seen OPERATOR(pg_catalog.>) (pg_catalog.now() OPERATOR(pg_catalog.-) interval '1 minute')
        ) THEN
        PERFORM pg_catalog.pg_notify('pgencoder', 'plain');
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION pgencoder.plain_changed() IS 'pgencoder: plain, queues what changes';

CREATE FUNCTION pgencoder.plain_lexical(query text) RETURNS TABLE(weights public.sparsevec, units public.sparsevec[], impacts double precision[], mean_length double precision, highest double precision, any_1 integer[], any_2 integer[], any_3 integer[], every integer[], complete boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $_$BEGIN
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT t.term, t.count AS weight FROM pgencoder._terms('pg_catalog.english'::pg_catalog.regconfig, $1) AS t
        -- a sparsevec has at most 16,000 elements
        ORDER BY t.count DESC, t.term LIMIT 15000
    ), counted AS MATERIALIZED (
        SELECT l.term, l.weight, pg_catalog.array_agg(l.passages ORDER BY l.level) AS counts
        FROM (
            SELECT a.term, a.weight, level, (pg_catalog.sum(coalesce((
                -- no join, which might read the whole table
                SELECT c.passages FROM "pgencoder"."plain_1_terms" AS c WHERE c.representation OPERATOR(pg_catalog.=) 'lexical'
                    AND c.element OPERATOR(pg_catalog.=) (
                        ((a.term OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog.<<) 3) OPERATOR(pg_catalog.|) level)
                ), 0)) OVER (PARTITION BY a.term ORDER BY level DESC))::int AS passages
            FROM asked AS a CROSS JOIN pg_catalog.generate_series(0, 7) AS level
        ) AS l
        GROUP BY l.term, l.weight
    ), weighted AS (
        SELECT c.term, c.counts, r.passages, r.mean_length, c.weight OPERATOR(pg_catalog.*) pg_catalog.ln(
            1 OPERATOR(pg_catalog.+) ((greatest(r.passages OPERATOR(pg_catalog.-) c.counts[1], 0) OPERATOR(pg_catalog.+) 0.5)
                OPERATOR(pg_catalog./) (c.counts[1] OPERATOR(pg_catalog.+) 0.5)))::double precision AS impact
        FROM counted AS c, pgencoder.representation AS r
        WHERE r.collection OPERATOR(pg_catalog.=) 'plain' AND r.generation OPERATOR(pg_catalog.=) 1
            AND r.name OPERATOR(pg_catalog.=) 'lexical'
    ), query AS (
        SELECT pg_catalog.concat('{', pg_catalog.string_agg(pg_catalog.concat(w.term, ':', w.impact::real), ','),
                '}/536870913')::"public".sparsevec AS weights,
            pg_catalog.array_agg(pg_catalog.concat('{', w.term, ':1}/536870913')::"public".sparsevec
                ORDER BY w.counts[1], w.term) AS units,
            coalesce(pg_catalog.array_agg(w.term ORDER BY w.counts[1], w.term), '{}') AS terms,
            pg_catalog.array_agg(w.impact ORDER BY w.counts[1], w.term) AS impacts,
            pg_catalog.array_agg(w.counts ORDER BY w.counts[1], w.term) AS counts,
            pg_catalog.max(w.passages)::double precision AS passages,
            2.2::double precision OPERATOR(pg_catalog.*) pg_catalog.sum(w.impact) AS highest,
            -- no passage has a length of 0 and a term
            greatest(pg_catalog.max(w.mean_length), 1) AS mean_length
        FROM weighted AS w
    )
    SELECT q.weights, q.units, q.impacts, q.mean_length, q.highest, c.any_1, c.any_2, c.any_3, c.every, c.complete
    FROM query AS q, pgencoder._choose_terms(q.terms, q.impacts, q.counts, greatest(q.passages, 1),
        least(8000, greatest(500, q.passages OPERATOR(pg_catalog.*) 0.1)), ARRAY[0.44, 0.56, 0.66, 0.73, 0.79, 0.845, 0.895, 0.935]::double precision[]) AS c;
END
$_$;

COMMENT ON FUNCTION pgencoder.plain_lexical(query text) IS 'pgencoder: plain, searches by words';

CREATE FUNCTION pgencoder.plain_read(key1 text[], bytes bigint) RETURNS TABLE(n integer, content text, k1 bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 500
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET row_security TO 'off'
    AS $_$BEGIN
    -- its owner could turn it into SECURITY INVOKER; the policies of the table would then run as the caller
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_roles owner ON owner.oid OPERATOR(pg_catalog.=) c.relowner
        JOIN pg_catalog.pg_roles self ON self.rolname OPERATOR(pg_catalog.=) CURRENT_USER
        WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('"public"."plain"')::pg_catalog.oid
            AND (owner.oid OPERATOR(pg_catalog.=) self.oid OR (owner.rolsuper AND self.rolsuper))
    ) THEN
        IF pg_catalog.to_regclass('"public"."plain"') IS NULL THEN
            PERFORM pgencoder._check_source('plain', 1, '"public"."plain"');
        END IF;
        RAISE EXCEPTION 'what reads the table % runs as %, who does not own it', '"public"."plain"', CURRENT_USER
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = pg_catalog.concat('Run: pgencoder repair ', 'plain');
    END IF;
    -- NULL while a repair compares the passages with a table that is not attached yet
    IF pgencoder._attached_table(pg_catalog.to_regclass('"pgencoder"."plain_1"'))
        OPERATOR(pg_catalog.<>) pg_catalog.to_regclass('"public"."plain"')::pg_catalog.oid THEN
        PERFORM pgencoder._check_source('plain', 1, '"public"."plain"');
    END IF;
    RETURN QUERY EXECUTE 'SELECT n, CASE WHEN total OPERATOR(pg_catalog.<=) $2 OR total OPERATOR(pg_catalog.=) size THEN content END,
    k1
FROM (
    SELECT *, pg_catalog.octet_length(content)::bigint AS size,
        pg_catalog.sum(pg_catalog.octet_length(content)) OVER (ORDER BY n) AS total
    FROM (
        SELECT (claim.n OPERATOR(pg_catalog.-) 1)::int AS n, pg_catalog.concat_ws('' '', "source"."body") AS content, "source"."id"::bigint AS k1
        FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[])) WITH ORDINALITY AS claim(k1, n)
        JOIN "public"."plain" AS source ON "source"."id" OPERATOR(pg_catalog.=) claim.k1::bigint
        OFFSET 0
    ) AS found
) AS sized
' USING key1, bytes;
END
$_$;

COMMENT ON FUNCTION pgencoder.plain_read(key1 text[], bytes bigint) IS 'pgencoder: plain, rows by their keys, contents up to some bytes';

CREATE FUNCTION pgencoder.plain_rows() RETURNS TABLE(k1 bigint)
    LANGUAGE sql STABLE ROWS 10000
    AS $$SELECT "source"."id"::bigint AS k1 FROM "public"."plain" AS source
$$;

COMMENT ON FUNCTION pgencoder.plain_rows() IS 'pgencoder: plain, the keys of the rows that the caller may see';

CREATE FUNCTION pgencoder.plain_scan(after text[], count integer, hashed boolean) RETURNS TABLE(k1 bigint, row_hash bytea)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10000
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET row_security TO 'off'
    AS $_$BEGIN
    -- its owner could turn it into SECURITY INVOKER; the policies of the table would then run as the caller
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_roles owner ON owner.oid OPERATOR(pg_catalog.=) c.relowner
        JOIN pg_catalog.pg_roles self ON self.rolname OPERATOR(pg_catalog.=) CURRENT_USER
        WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('"public"."plain"')::pg_catalog.oid
            AND (owner.oid OPERATOR(pg_catalog.=) self.oid OR (owner.rolsuper AND self.rolsuper))
    ) THEN
        IF pg_catalog.to_regclass('"public"."plain"') IS NULL THEN
            PERFORM pgencoder._check_source('plain', 1, '"public"."plain"');
        END IF;
        RAISE EXCEPTION 'what reads the table % runs as %, who does not own it', '"public"."plain"', CURRENT_USER
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = pg_catalog.concat('Run: pgencoder repair ', 'plain');
    END IF;
    -- NULL while a repair compares the passages with a table that is not attached yet
    IF pgencoder._attached_table(pg_catalog.to_regclass('"pgencoder"."plain_1"'))
        OPERATOR(pg_catalog.<>) pg_catalog.to_regclass('"public"."plain"')::pg_catalog.oid THEN
        PERFORM pgencoder._check_source('plain', 1, '"public"."plain"');
    END IF;
    RETURN QUERY EXECUTE E'SELECT k1,
    CASE WHEN $3 AND pg_catalog.btrim(content, E'' \\t\\n\\r\\f\\x0b'') OPERATOR(pg_catalog.<>) ''''
        THEN pg_catalog.sha256(pg_catalog.convert_to(content, ''UTF8'')) END
FROM (
    SELECT "source"."id"::bigint AS k1, CASE WHEN $3 THEN pg_catalog.concat_ws('' '', "source"."body") END AS content FROM "public"."plain" AS source
    WHERE $1 IS NULL OR ("source"."id") OPERATOR(pg_catalog.>) ($1[1]::bigint) ORDER BY "source"."id" LIMIT $2
) AS piece
' USING after, count, hashed;
END
$_$;

COMMENT ON FUNCTION pgencoder.plain_scan(after text[], count integer, hashed boolean) IS 'pgencoder: plain, keys in order after one, with the hash of their contents';

CREATE FUNCTION pgencoder.plain_search(query_dense public.halfvec, query_tokens public.halfvec[], k integer DEFAULT 10, candidates integer DEFAULT 100, filter text DEFAULT NULL::text, group_by text DEFAULT 'passage'::text, query_encoder jsonb DEFAULT NULL::jsonb, query_text text DEFAULT NULL::text, fusion text DEFAULT NULL::text, weights jsonb DEFAULT NULL::jsonb, boost text DEFAULT NULL::text, min_relevance double precision DEFAULT NULL::double precision, query_sparse public.sparsevec DEFAULT NULL::public.sparsevec) RETURNS TABLE(id bigint, passage integer, content text, score double precision, relevance double precision, recall_rank integer, dense_score double precision, parts jsonb)
    LANGUAGE plpgsql ROWS 10
    SET "hnsw.ef_search" TO '100'
    SET "hnsw.iterative_scan" TO 'relaxed_order'
    SET jit TO 'off'
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $_$-- The statement that is asked for most is planned once in a session. It has no variables by their names, which may be those of
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
        RAISE EXCEPTION '% was encoded by %, the query by %', 'generation 1 of plain', own_encoder, query_encoder
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Encode the query with the model of the active generation.';
    END IF;
    PERFORM pgencoder._check_source('plain', 1, '"public"."plain"');
    -- without words and sparse vectors, what ranks without them is better than the fusion
    fusion := coalesce(fusion, CASE WHEN query_text IS NULL AND query_sparse IS NULL AND weights IS NULL
            THEN CASE WHEN query_tokens IS NULL AND query_dense IS NOT NULL THEN 'dense'
                ELSE 'dense' END
        WHEN weights IS NULL THEN 'zscore' ELSE 'zscore' END);
    PERFORM pgencoder._check_fusion(fusion, weights, '{dense,lexical}');
    missing := CASE WHEN query_dense IS NULL AND query_tokens IS NULL AND query_text IS NULL AND query_sparse IS NULL
        THEN 'query_dense, query_tokens, query_text or query_sparse' ELSE CASE WHEN fusion OPERATOR(pg_catalog.=) 'dense' AND query_dense IS NULL THEN 'query_dense' WHEN fusion OPERATOR(pg_catalog.=) 'lexical' AND query_text IS NULL THEN 'query_text' END END;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'there is nothing to rank by: % is NULL', missing USING ERRCODE = 'null_value_not_allowed',
            HINT = 'Give it, or choose another fusion.';
    END IF;
    weights := coalesce(weights, '{"dense": 1.0, "lexical": 0.5}');
    IF filter IS NULL AND is_usual AND fusion OPERATOR(pg_catalog.=) 'zscore'
        AND group_by OPERATOR(pg_catalog.=) 'passage' AND greatest(k, candidates) OPERATOR(pg_catalog.=) 100 THEN
        RETURN QUERY SELECT k1, passage, content, score, relevance, recall_rank, dense_score, parts FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least(100, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE true
), lexical_asked AS MATERIALIZED (SELECT * FROM "pgencoder"."plain_lexical"($8) WHERE (SELECT done FROM setting) IS NOT NULL), dense_nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."plain_1" AS passages JOIN (SELECT "searched"."id"::bigint AS k1 FROM "public"."plain" AS searched) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL
    ORDER BY distance LIMIT 100
), dense_exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."plain_1" AS passages JOIN (SELECT "searched"."id"::bigint AS k1 FROM "public"."plain" AS searched) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.<) 100
    ORDER BY distance LIMIT 100
), dense_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT * FROM dense_nearest WHERE (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.>=) 100 UNION ALL TABLE dense_exact) AS found
), lexical_chosen AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config('pgencoder.lexical_weights', asked.weights::pg_catalog.text, true), pg_catalog.set_config('pgencoder.lexical_any_1', pg_catalog.array_to_string(asked.any_1, ','), true), pg_catalog.set_config('pgencoder.lexical_any_2', pg_catalog.array_to_string(asked.any_2, ','), true), pg_catalog.set_config('pgencoder.lexical_any_3', pg_catalog.array_to_string(asked.any_3, ','), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL), lexical_nearest AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, found.distance
    FROM (
        SELECT source.k1, passages.passage, passages.distance
        FROM "pgencoder"."plain_by_lexical" AS passages JOIN (SELECT "searched"."id"::bigint AS k1 FROM "public"."plain" AS searched) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL
        ORDER BY distance LIMIT 100
    ) AS found JOIN "pgencoder"."plain_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_widened AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config('pgencoder.lexical_weights', asked.weights::pg_catalog.text, true), pg_catalog.set_config('pgencoder.lexical_any_1', pg_catalog.array_to_string(asked.every, ','), true), pg_catalog.set_config('pgencoder.lexical_any_2', pg_catalog.array_to_string(asked.every, ','), true), pg_catalog.set_config('pgencoder.lexical_any_3', pg_catalog.array_to_string(asked.every, ','), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL AND NOT (SELECT asked.complete FROM lexical_asked AS asked) AND (SELECT pg_catalog.count(*) FROM lexical_nearest) OPERATOR(pg_catalog.<) $3), lexical_exact AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, found.distance
    FROM (
        SELECT source.k1, passages.passage, passages.distance
        FROM "pgencoder"."plain_by_lexical" AS passages JOIN (SELECT "searched"."id"::bigint AS k1 FROM "public"."plain" AS searched) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_widened) IS NOT NULL
        ORDER BY distance LIMIT 100
    ) AS found JOIN "pgencoder"."plain_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, passage) * FROM (TABLE lexical_nearest UNION ALL TABLE lexical_exact) AS stages) AS found
), recall AS MATERIALIZED (
    SELECT DISTINCT ON (k1, passage) k1, passage, span, content, dense, lexical, pg_catalog.min(recall_rank) OVER passage AS recall_rank, pg_catalog.min(dense_distance) OVER passage AS dense_distance, pg_catalog.min(dense_rank) OVER passage AS dense_rank, pg_catalog.min(lexical_distance) OVER passage AS lexical_distance, pg_catalog.min(lexical_rank) OVER passage AS lexical_rank
    FROM (SELECT k1, passage, span, content, dense, lexical, recall_rank, distance AS dense_distance, recall_rank AS dense_rank, NULL::double precision AS lexical_distance, NULL::int AS lexical_rank FROM dense_recall UNION ALL SELECT k1, passage, span, content, dense, lexical, recall_rank, NULL::double precision AS dense_distance, NULL::int AS dense_rank, distance AS lexical_distance, recall_rank AS lexical_rank FROM lexical_recall) AS recalls
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
        OPERATOR(pg_catalog./) (1 OPERATOR(pg_catalog.-) found.weight)) AS times OFFSET 0) AS counted) AS lexical_score FROM recall
)
SELECT k1, passage, span, content, score, relevance, recall_rank, dense_score AS dense_score, pg_catalog.jsonb_build_object('dense', pg_catalog.jsonb_build_object('score', dense_score, 'rank', dense_place), 'lexical', pg_catalog.jsonb_build_object('score', lexical_score, 'rank', lexical_place)) AS parts
FROM (SELECT * FROM (SELECT *, (((1.0 OPERATOR(pg_catalog.*) CASE WHEN (pg_catalog.max(dense_score) OVER ()) OPERATOR(pg_catalog.>) (pg_catalog.min(dense_score) OVER ()) AND (pg_catalog.stddev_pop(dense_score) OVER ()) OPERATOR(pg_catalog.>) 0 AND (pg_catalog.stddev_pop(dense_score) OVER ()) OPERATOR(pg_catalog.<) 'infinity' THEN (coalesce(dense_score, (pg_catalog.min(dense_score) OVER ())) OPERATOR(pg_catalog.-) (pg_catalog.avg(dense_score) OVER ())) OPERATOR(pg_catalog./) (pg_catalog.stddev_pop(dense_score) OVER ()) ELSE 0 END) OPERATOR(pg_catalog.+) (0.5 OPERATOR(pg_catalog.*) CASE WHEN (pg_catalog.max(lexical_score) OVER ()) OPERATOR(pg_catalog.>) (pg_catalog.min(lexical_score) OVER ()) AND (pg_catalog.stddev_pop(lexical_score) OVER ()) OPERATOR(pg_catalog.>) 0 AND (pg_catalog.stddev_pop(lexical_score) OVER ()) OPERATOR(pg_catalog.<) 'infinity' THEN (coalesce(lexical_score, (pg_catalog.min(lexical_score) OVER ())) OPERATOR(pg_catalog.-) (pg_catalog.avg(lexical_score) OVER ())) OPERATOR(pg_catalog./) (pg_catalog.stddev_pop(lexical_score) OVER ()) ELSE 0 END)) OPERATOR(pg_catalog./) (1.0 OPERATOR(pg_catalog.+) 0.5)) AS score, CASE WHEN (CASE WHEN dense_relevance IS NULL THEN 0 ELSE 1.0 END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE 0.5 END) OPERATOR(pg_catalog.>) 0 THEN (CASE WHEN dense_relevance IS NULL THEN 0 ELSE (1.0 OPERATOR(pg_catalog.*) dense_relevance) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE (0.5 OPERATOR(pg_catalog.*) lexical_relevance) END) OPERATOR(pg_catalog./) (CASE WHEN dense_relevance IS NULL THEN 0 ELSE 1.0 END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE 0.5 END) END AS relevance FROM (SELECT *, least(greatest(dense_score, 0), 1) AS dense_relevance, (lexical_score OPERATOR(pg_catalog./) (SELECT asked.highest FROM lexical_asked AS asked)) AS lexical_relevance, CASE WHEN dense_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST) END AS dense_place, CASE WHEN lexical_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY lexical_score DESC NULLS LAST) END AS lexical_place FROM scored) AS measured) AS fused ORDER BY score DESC NULLS LAST, k1, passage LIMIT $3) AS top) AS hits ORDER BY score DESC NULLS LAST, k1, passage;
        RETURN;
    END IF;
    -- on separate lines, because it may end with a comment
    wanted := E'\n' OPERATOR(pg_catalog.||) coalesce(filter, 'true') OPERATOR(pg_catalog.||) E'\n';
    boosted := E'\n' OPERATOR(pg_catalog.||) coalesce(boost, '0') OPERATOR(pg_catalog.||) E'\n';
    fused := CASE WHEN fusion OPERATOR(pg_catalog.=) 'zscore' THEN '(((coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) OPERATOR(pg_catalog.*) CASE WHEN (pg_catalog.max(dense_score) OVER ()) OPERATOR(pg_catalog.>) (pg_catalog.min(dense_score) OVER ()) AND (pg_catalog.stddev_pop(dense_score) OVER ()) OPERATOR(pg_catalog.>) 0 AND (pg_catalog.stddev_pop(dense_score) OVER ()) OPERATOR(pg_catalog.<) ''infinity'' THEN (coalesce(dense_score, (pg_catalog.min(dense_score) OVER ())) OPERATOR(pg_catalog.-) (pg_catalog.avg(dense_score) OVER ())) OPERATOR(pg_catalog./) (pg_catalog.stddev_pop(dense_score) OVER ()) ELSE 0 END) OPERATOR(pg_catalog.+) (coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) OPERATOR(pg_catalog.*) CASE WHEN (pg_catalog.max(lexical_score) OVER ()) OPERATOR(pg_catalog.>) (pg_catalog.min(lexical_score) OVER ()) AND (pg_catalog.stddev_pop(lexical_score) OVER ()) OPERATOR(pg_catalog.>) 0 AND (pg_catalog.stddev_pop(lexical_score) OVER ()) OPERATOR(pg_catalog.<) ''infinity'' THEN (coalesce(lexical_score, (pg_catalog.min(lexical_score) OVER ())) OPERATOR(pg_catalog.-) (pg_catalog.avg(lexical_score) OVER ())) OPERATOR(pg_catalog./) (pg_catalog.stddev_pop(lexical_score) OVER ()) ELSE 0 END)) OPERATOR(pg_catalog./) (coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) OPERATOR(pg_catalog.+) coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0)))' WHEN fusion OPERATOR(pg_catalog.=) 'rrf' THEN '(((coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) OPERATOR(pg_catalog.*) CASE WHEN dense_score IS NULL THEN 0 ELSE 1.0::double precision OPERATOR(pg_catalog./) (60 OPERATOR(pg_catalog.+) (pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST))) END) OPERATOR(pg_catalog.+) (coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) OPERATOR(pg_catalog.*) CASE WHEN lexical_score IS NULL THEN 0 ELSE 1.0::double precision OPERATOR(pg_catalog./) (60 OPERATOR(pg_catalog.+) (pg_catalog.rank() OVER (ORDER BY lexical_score DESC NULLS LAST))) END)) OPERATOR(pg_catalog./) (coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) OPERATOR(pg_catalog.+) coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0)))' WHEN fusion OPERATOR(pg_catalog.=) 'dense' THEN 'dense_score' WHEN fusion OPERATOR(pg_catalog.=) 'lexical' THEN 'lexical_score' END;
    relevant := CASE WHEN fusion OPERATOR(pg_catalog.=) 'zscore' THEN 'CASE WHEN (CASE WHEN dense_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) END) OPERATOR(pg_catalog.>) 0 THEN (CASE WHEN dense_relevance IS NULL THEN 0 ELSE (coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) OPERATOR(pg_catalog.*) dense_relevance) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE (coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) OPERATOR(pg_catalog.*) lexical_relevance) END) OPERATOR(pg_catalog./) (CASE WHEN dense_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) END) END' WHEN fusion OPERATOR(pg_catalog.=) 'rrf' THEN 'CASE WHEN (CASE WHEN dense_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) END) OPERATOR(pg_catalog.>) 0 THEN (CASE WHEN dense_relevance IS NULL THEN 0 ELSE (coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) OPERATOR(pg_catalog.*) dense_relevance) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE (coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) OPERATOR(pg_catalog.*) lexical_relevance) END) OPERATOR(pg_catalog./) (CASE WHEN dense_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''dense'')::double precision, 0) END OPERATOR(pg_catalog.+) CASE WHEN lexical_relevance IS NULL THEN 0 ELSE coalesce(($6 OPERATOR(pg_catalog.->>) ''lexical'')::double precision, 0) END) END' WHEN fusion OPERATOR(pg_catalog.=) 'dense' THEN 'dense_relevance' WHEN fusion OPERATOR(pg_catalog.=) 'lexical' THEN 'lexical_relevance' END;
    statement := CASE WHEN group_by OPERATOR(pg_catalog.=) 'passage' THEN 'SELECT k1, passage, content, score, relevance, recall_rank, dense_score, parts FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config(''hnsw.ef_search'', least($4, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config(''hnsw.iterative_scan'', ''relaxed_order'', true) AS done
    WHERE true
), lexical_asked AS MATERIALIZED (SELECT * FROM "pgencoder"."plain_lexical"($5) WHERE (SELECT done FROM setting) IS NOT NULL), dense_nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, source.boost, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."plain_1" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."plain" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL
    ORDER BY distance LIMIT $4
), dense_exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, source.boost, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."plain_1" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."plain" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.<) $4
    ORDER BY distance LIMIT $4
), dense_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT * FROM dense_nearest WHERE (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.>=) $4 UNION ALL TABLE dense_exact) AS found
), lexical_chosen AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config(''pgencoder.lexical_weights'', asked.weights::pg_catalog.text, true), pg_catalog.set_config(''pgencoder.lexical_any_1'', pg_catalog.array_to_string(asked.any_1, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_2'', pg_catalog.array_to_string(asked.any_2, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_3'', pg_catalog.array_to_string(asked.any_3, '',''), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL), lexical_nearest AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."plain_by_lexical" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."plain" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL
        ORDER BY distance LIMIT $4
    ) AS found JOIN "pgencoder"."plain_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_widened AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config(''pgencoder.lexical_weights'', asked.weights::pg_catalog.text, true), pg_catalog.set_config(''pgencoder.lexical_any_1'', pg_catalog.array_to_string(asked.every, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_2'', pg_catalog.array_to_string(asked.every, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_3'', pg_catalog.array_to_string(asked.every, '',''), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL AND NOT (SELECT asked.complete FROM lexical_asked AS asked) AND (SELECT pg_catalog.count(*) FROM lexical_nearest) OPERATOR(pg_catalog.<) $3), lexical_exact AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."plain_by_lexical" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."plain" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_widened) IS NOT NULL
        ORDER BY distance LIMIT $4
    ) AS found JOIN "pgencoder"."plain_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, passage) * FROM (TABLE lexical_nearest UNION ALL TABLE lexical_exact) AS stages) AS found
), recall AS MATERIALIZED (
    SELECT DISTINCT ON (k1, passage) k1, passage, span, content, dense, lexical, boost, pg_catalog.min(recall_rank) OVER passage AS recall_rank, pg_catalog.min(dense_distance) OVER passage AS dense_distance, pg_catalog.min(dense_rank) OVER passage AS dense_rank, pg_catalog.min(lexical_distance) OVER passage AS lexical_distance, pg_catalog.min(lexical_rank) OVER passage AS lexical_rank
    FROM (SELECT k1, passage, span, content, dense, lexical, boost, recall_rank, distance AS dense_distance, recall_rank AS dense_rank, NULL::double precision AS lexical_distance, NULL::int AS lexical_rank FROM dense_recall UNION ALL SELECT k1, passage, span, content, dense, lexical, boost, recall_rank, NULL::double precision AS dense_distance, NULL::int AS dense_rank, distance AS lexical_distance, recall_rank AS lexical_rank FROM lexical_recall) AS recalls
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
        OPERATOR(pg_catalog./) (1 OPERATOR(pg_catalog.-) found.weight)) AS times OFFSET 0) AS counted) AS lexical_score FROM recall
)
SELECT k1, passage, span, content, score, relevance, recall_rank, dense_score AS dense_score, pg_catalog.jsonb_build_object(''dense'', pg_catalog.jsonb_build_object(''score'', dense_score, ''rank'', dense_place), ''lexical'', pg_catalog.jsonb_build_object(''score'', lexical_score, ''rank'', lexical_place)) AS parts
FROM (SELECT * FROM (SELECT *, (' OPERATOR(pg_catalog.||) fused OPERATOR(pg_catalog.||) ') OPERATOR(pg_catalog.+) coalesce(boost, 0) AS score, ' OPERATOR(pg_catalog.||) relevant OPERATOR(pg_catalog.||) ' AS relevance FROM (SELECT *, least(greatest(dense_score, 0), 1) AS dense_relevance, (lexical_score OPERATOR(pg_catalog./) (SELECT asked.highest FROM lexical_asked AS asked)) AS lexical_relevance, CASE WHEN dense_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST) END AS dense_place, CASE WHEN lexical_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY lexical_score DESC NULLS LAST) END AS lexical_place FROM scored) AS measured) AS fused WHERE relevance OPERATOR(pg_catalog.>=) coalesce($7, ''-infinity'') ORDER BY score DESC NULLS LAST, k1, passage LIMIT $3) AS top) AS hits ORDER BY score DESC NULLS LAST, k1, passage' ELSE 'SELECT k1, passage, content, score, relevance, recall_rank, dense_score, parts FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config(''hnsw.ef_search'', least($4, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config(''hnsw.iterative_scan'', ''relaxed_order'', true) AS done
    WHERE true
), lexical_asked AS MATERIALIZED (SELECT * FROM "pgencoder"."plain_lexical"($5) WHERE (SELECT done FROM setting) IS NOT NULL), dense_nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, source.boost, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."plain_1" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."plain" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL
    ORDER BY distance LIMIT $4
), dense_wider AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, source.boost, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."plain_1" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."plain" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1 FROM dense_nearest) AS documents) OPERATOR(pg_catalog.<) $3
    ORDER BY distance LIMIT $4::bigint OPERATOR(pg_catalog.*) 10
), dense_exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, source.boost, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."plain_1" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."plain" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND ((SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.<) $4 OR (SELECT pg_catalog.count(*) FROM (SELECT k1 FROM dense_nearest UNION SELECT k1 FROM dense_wider) AS documents) OPERATOR(pg_catalog.<) $3)
    ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1 ORDER BY pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0) OPERATOR(pg_catalog.>) 1, distance LIMIT $4
), dense_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, passage) * FROM (TABLE dense_nearest UNION ALL TABLE dense_wider UNION ALL TABLE dense_exact) AS stages) AS found
), lexical_chosen AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config(''pgencoder.lexical_weights'', asked.weights::pg_catalog.text, true), pg_catalog.set_config(''pgencoder.lexical_any_1'', pg_catalog.array_to_string(asked.any_1, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_2'', pg_catalog.array_to_string(asked.any_2, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_3'', pg_catalog.array_to_string(asked.any_3, '',''), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL), lexical_nearest AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."plain_by_lexical" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."plain" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL
        ORDER BY distance LIMIT $4
    ) AS found JOIN "pgencoder"."plain_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_wider AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."plain_by_lexical" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."plain" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM lexical_nearest) OPERATOR(pg_catalog.>=) $4 AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1 FROM lexical_nearest) AS documents) OPERATOR(pg_catalog.<) $3
        ORDER BY distance LIMIT $4::bigint OPERATOR(pg_catalog.*) 10
    ) AS found JOIN "pgencoder"."plain_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_widened AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config(''pgencoder.lexical_weights'', asked.weights::pg_catalog.text, true), pg_catalog.set_config(''pgencoder.lexical_any_1'', pg_catalog.array_to_string(asked.every, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_2'', pg_catalog.array_to_string(asked.every, '',''), true), pg_catalog.set_config(''pgencoder.lexical_any_3'', pg_catalog.array_to_string(asked.every, '',''), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL AND NOT (SELECT asked.complete FROM lexical_asked AS asked) AND (SELECT pg_catalog.count(*) FROM (SELECT k1 FROM lexical_nearest UNION SELECT k1 FROM lexical_wider) AS documents) OPERATOR(pg_catalog.<) $3), lexical_exact AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."plain_by_lexical" AS passages JOIN (SELECT "id"::bigint AS k1, (' OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."plain" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_widened) IS NOT NULL
        ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1 ORDER BY passages.distance) OPERATOR(pg_catalog.>) 1, distance LIMIT $4
    ) AS found JOIN "pgencoder"."plain_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, passage) * FROM (TABLE lexical_nearest UNION ALL TABLE lexical_wider UNION ALL TABLE lexical_exact) AS stages) AS found
), recall AS MATERIALIZED (
    SELECT DISTINCT ON (k1, passage) k1, passage, span, content, dense, lexical, boost, pg_catalog.min(recall_rank) OVER passage AS recall_rank, pg_catalog.min(dense_distance) OVER passage AS dense_distance, pg_catalog.min(dense_rank) OVER passage AS dense_rank, pg_catalog.min(lexical_distance) OVER passage AS lexical_distance, pg_catalog.min(lexical_rank) OVER passage AS lexical_rank
    FROM (SELECT k1, passage, span, content, dense, lexical, boost, recall_rank, distance AS dense_distance, recall_rank AS dense_rank, NULL::double precision AS lexical_distance, NULL::int AS lexical_rank FROM dense_recall UNION ALL SELECT k1, passage, span, content, dense, lexical, boost, recall_rank, NULL::double precision AS dense_distance, NULL::int AS dense_rank, distance AS lexical_distance, recall_rank AS lexical_rank FROM lexical_recall) AS recalls
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
        OPERATOR(pg_catalog./) (1 OPERATOR(pg_catalog.-) found.weight)) AS times OFFSET 0) AS counted) AS lexical_score FROM recall
)
SELECT k1, passage, span, content, score, relevance, recall_rank, dense_score AS dense_score, pg_catalog.jsonb_build_object(''dense'', pg_catalog.jsonb_build_object(''score'', dense_score, ''rank'', dense_place), ''lexical'', pg_catalog.jsonb_build_object(''score'', lexical_score, ''rank'', lexical_place)) AS parts
FROM (SELECT * FROM (SELECT DISTINCT ON (k1) * FROM (SELECT *, (' OPERATOR(pg_catalog.||) fused OPERATOR(pg_catalog.||) ') OPERATOR(pg_catalog.+) coalesce(boost, 0) AS score, ' OPERATOR(pg_catalog.||) relevant OPERATOR(pg_catalog.||) ' AS relevance FROM (SELECT *, least(greatest(dense_score, 0), 1) AS dense_relevance, (lexical_score OPERATOR(pg_catalog./) (SELECT asked.highest FROM lexical_asked AS asked)) AS lexical_relevance, CASE WHEN dense_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST) END AS dense_place, CASE WHEN lexical_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY lexical_score DESC NULLS LAST) END AS lexical_place FROM scored) AS measured) AS fused WHERE relevance OPERATOR(pg_catalog.>=) coalesce($7, ''-infinity'') ORDER BY k1, score DESC NULLS LAST, passage) AS best ORDER BY score DESC NULLS LAST, k1, passage LIMIT $3) AS top) AS hits ORDER BY score DESC NULLS LAST, k1, passage' END;
    RETURN QUERY EXECUTE statement USING query_dense, query_tokens, k, greatest(k, candidates), query_text, weights, min_relevance, query_sparse;
END
$_$;

COMMENT ON FUNCTION pgencoder.plain_search(query_dense public.halfvec, query_tokens public.halfvec[], k integer, candidates integer, filter text, group_by text, query_encoder jsonb, query_text text, fusion text, weights jsonb, boost text, min_relevance double precision, query_sparse public.sparsevec) IS 'pgencoder: searches plain; filter is SQL on the source''s columns';

CREATE FUNCTION pgencoder.plain_sparse(query public.sparsevec) RETURNS TABLE(weights public.sparsevec, highest double precision, any_1 integer[], any_2 integer[], any_3 integer[], every integer[], complete boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$BEGIN
    RAISE EXCEPTION 'the collection % stores no sparse vectors', 'plain' USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Give a sparse model: pgencoder reencode --sparse-model MODEL.';
END
$$;

COMMENT ON FUNCTION pgencoder.plain_sparse(query public.sparsevec) IS 'pgencoder: plain, searches by a sparse vector';

CREATE FUNCTION pgencoder.plain_visible(bigint, bytea) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    AS $_$BEGIN
    RETURN EXISTS (
        SELECT FROM "public"."plain" AS source WHERE "source"."id" OPERATOR(pg_catalog.=) $1
            AND $2 OPERATOR(pg_catalog.=) pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.concat_ws(' ', "source"."body"), 'UTF8'))
    );
END
$_$;

COMMENT ON FUNCTION pgencoder.plain_visible(bigint, bytea) IS 'pgencoder: plain, whether the caller may see a row that holds what was hashed';

CREATE FUNCTION pgencoder.use_kernel(kernel text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    native boolean := kernel OPERATOR(pg_catalog.=) 'native';
    twin pg_catalog.record;
    twins int := 0;
BEGIN
    -- the lock of migrations: two sessions cannot replace the same functions at the same time
    LOCK TABLE pgencoder.revision IN SHARE ROW EXCLUSIVE MODE;
    IF (kernel OPERATOR(pg_catalog.=) ANY (ARRAY['sql', 'native'])) IS NOT TRUE THEN
        RAISE EXCEPTION 'no kernel %, only sql and native', coalesce(pg_catalog.quote_literal(kernel), 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF native AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_extension WHERE extname OPERATOR(pg_catalog.=) 'pgencoder_native') THEN
        RAISE EXCEPTION 'this database has no extension pgencoder_native'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Install it with "pgencoder native install", or run CREATE EXTENSION pgencoder_native.';
    END IF;
    FOR twin IN
        SELECT mine.proname, mine.proretset, other.procost, other.prorows,
               pg_catalog.pg_get_function_arguments(mine.oid) AS arguments,
               pg_catalog.pg_get_function_result(mine.oid) AS result,
               pg_catalog.format('%I.%I', namespace.nspname, other.proname) AS name
        FROM pg_catalog.pg_proc AS mine
        JOIN pg_catalog.pg_proc AS other ON other.proargtypes OPERATOR(pg_catalog.=) mine.proargtypes
        JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid OPERATOR(pg_catalog.=) other.pronamespace
        WHERE mine.pronamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
          AND mine.proname OPERATOR(pg_catalog.=) ANY (ARRAY['maxsim', 'maxsim_pairs'])
          AND namespace.nspname OPERATOR(pg_catalog.=) CASE WHEN native THEN 'pgencoder_native' ELSE 'pgencoder' END
          AND other.proname OPERATOR(pg_catalog.=)
              CASE WHEN native THEN mine.proname ELSE pg_catalog.concat('_', mine.proname, '_sql') END
    LOOP
        IF twin.proretset THEN
            EXECUTE pg_catalog.format(
                'CREATE OR REPLACE FUNCTION pgencoder.%I(%s) RETURNS %s LANGUAGE sql IMMUTABLE STRICT'
                ' PARALLEL SAFE COST %s ROWS %s BEGIN ATOMIC SELECT * FROM %s(query, document); END',
                twin.proname, twin.arguments, twin.result, twin.procost, twin.prorows, twin.name);
        ELSE
            EXECUTE pg_catalog.format(
                'CREATE OR REPLACE FUNCTION pgencoder.%I(%s) RETURNS %s LANGUAGE sql IMMUTABLE STRICT'
                ' PARALLEL SAFE COST %s RETURN %s(query, document)',
                twin.proname, twin.arguments, twin.result, twin.procost, twin.name);
        END IF;
        twins := twins OPERATOR(pg_catalog.+) 1;
    END LOOP;
    IF twins OPERATOR(pg_catalog.<>) 8 THEN
        RAISE EXCEPTION 'the kernel % has % of 8 functions', kernel, twins
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Run "pgencoder migrate", and ALTER EXTENSION pgencoder_native UPDATE.';
    END IF;
    EXECUTE pg_catalog.format(
        'CREATE OR REPLACE FUNCTION pgencoder.kernel() RETURNS pg_catalog.text LANGUAGE sql STABLE PARALLEL SAFE'
        ' RETURN %L', kernel);
    RETURN kernel;
END
$$;

COMMENT ON FUNCTION pgencoder.use_kernel(kernel text) IS 'Makes maxsim() and maxsim_pairs() call pure SQL (sql) or the extension pgencoder_native (native)';

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE pgencoder.bits_1 (
    id bigint NOT NULL,
    passage integer NOT NULL,
    span int4range NOT NULL,
    content text NOT NULL,
    content_hash bytea NOT NULL,
    truncated boolean NOT NULL,
    dense public.halfvec(32) NOT NULL,
    lexical public.sparsevec(536870913) NOT NULL,
    lexical_terms integer[] NOT NULL,
    tokens bit(16)[] NOT NULL,
    row_hash bytea,
    mostly_unknown boolean
)
WITH (parallel_workers='4');
ALTER TABLE ONLY pgencoder.bits_1 ALTER COLUMN lexical SET STORAGE MAIN;
ALTER TABLE ONLY pgencoder.bits_1 ALTER COLUMN lexical_terms SET STORAGE MAIN;
ALTER TABLE ONLY pgencoder.bits_1 ALTER COLUMN tokens SET STORAGE EXTERNAL;

COMMENT ON TABLE pgencoder.bits_1 IS 'pgencoder: bits, generation 1';

COMMENT ON COLUMN pgencoder.bits_1.row_hash IS 'SHA-256 of the whole content of the row of the passage';

COMMENT ON COLUMN pgencoder.bits_1.mostly_unknown IS 'True if the model knows less than half of its tokens; NULL if not checked';

CREATE SEQUENCE pgencoder.change
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

COMMENT ON SEQUENCE pgencoder.change IS 'Numbers the changes in the queues: a later change, a higher number';

CREATE TABLE pgencoder.bits_1_queue (
    id bigint NOT NULL,
    seq bigint DEFAULT nextval('pgencoder.change'::regclass) NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    run_after timestamp with time zone DEFAULT now() NOT NULL,
    claimed_until timestamp with time zone,
    last_error text,
    changed_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_cost_delay='0');

COMMENT ON TABLE pgencoder.bits_1_queue IS 'pgencoder: bits, generation 1';

CREATE TABLE pgencoder.bits_1_terms (
    representation text NOT NULL,
    element integer NOT NULL,
    passages integer NOT NULL
);

COMMENT ON TABLE pgencoder.bits_1_terms IS 'pgencoder: bits, terms of generation 1';

COMMENT ON COLUMN pgencoder.bits_1_terms.passages IS 'The passages that have the element, when they were counted last';

CREATE VIEW pgencoder.bits_1_write AS
 SELECT id,
    passage,
    span,
    content,
    content_hash,
    truncated,
    dense,
    lexical,
    lexical_terms,
    tokens,
    row_hash,
    mostly_unknown,
    NULL::text AS whole
   FROM pgencoder.bits_1;

COMMENT ON VIEW pgencoder.bits_1_write IS 'pgencoder: bits, generation 1, for workers';

CREATE VIEW pgencoder.bits_by_lexical WITH (security_barrier='true') AS
 SELECT id,
    passage,
    distance
   FROM ( SELECT passages_1.id,
            passages_1.passage,
            passages_1.row_hash,
            pgencoder._distance(passages_1.lexical, ( SELECT asked.weights
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)) AS distance
           FROM pgencoder.bits_1 passages_1
          WHERE (( SELECT ((asked.weights IS NOT NULL) AND (asked.any_1 IS NOT NULL) AND (asked.any_2 IS NOT NULL) AND (asked.any_3 IS NOT NULL))
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked) AND (passages_1.lexical_terms && ( SELECT asked.any_1
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)) AND (passages_1.lexical_terms && ( SELECT asked.any_2
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)) AND (passages_1.lexical_terms && ( SELECT asked.any_3
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)))
          ORDER BY (pgencoder._distance(passages_1.lexical, ( SELECT asked.weights
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)))) passages
  WHERE
        CASE
            WHEN (NOT ( SELECT row_security_active(('pgencoder.bits_1'::regclass)::oid) AS row_security_active)) THEN true
            ELSE
            CASE
                WHEN ( SELECT ((('public.bits'::regclass)::oid = (to_regclass('"public"."bits"'::text))::oid) IS NOT TRUE)) THEN false
                WHEN ( SELECT row_security_active(('public.bits'::regclass)::oid) AS row_security_active) THEN pgencoder.bits_visible(id, row_hash)
                ELSE (EXISTS ( SELECT
                   FROM pgencoder.bits_rows() source(k1)
                  WHERE (source.k1 = passages.id)))
            END
        END;

COMMENT ON VIEW pgencoder.bits_by_lexical IS 'pgencoder: bits, candidates of a search by words';

CREATE VIEW pgencoder.bits_by_sparse WITH (security_barrier='true') AS
 SELECT id,
    passage,
    (0)::double precision AS distance
   FROM pgencoder.bits_1
 LIMIT 0;

COMMENT ON VIEW pgencoder.bits_by_sparse IS 'pgencoder: bits, candidates of a search by a sparse vector';

CREATE VIEW pgencoder.bits_passages WITH (security_invoker='true') AS
 SELECT id,
    passage,
    span,
    content,
    dense,
    lexical,
    lexical_terms,
    tokens
   FROM pgencoder.bits_1;

COMMENT ON VIEW pgencoder.bits_passages IS 'pgencoder: bits, passages of the active generation';

CREATE TABLE pgencoder.collection (
    name text NOT NULL,
    source_schema text NOT NULL,
    source_table text NOT NULL,
    columns text[] NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT collection_columns_check CHECK ((cardinality(columns) > 0)),
    CONSTRAINT collection_name_check CHECK (((octet_length(name) >= 1) AND (octet_length(name) <= 40)))
);

COMMENT ON TABLE pgencoder.collection IS 'A source table and the columns of it that are encoded; by name, not oid, so that a restored dump works';

CREATE TABLE pgencoder.collection_key (
    collection text NOT NULL,
    "position" integer NOT NULL,
    source text NOT NULL,
    name text NOT NULL,
    type text NOT NULL,
    collate_as text NOT NULL
);

COMMENT ON TABLE pgencoder.collection_key IS 'The primary key of the source: its columns'' names there and in the passages table, types, collations';

CREATE VIEW pgencoder.failed AS
 SELECT collection,
    generation,
    key,
    error,
    attempts,
    retry_at,
    changed_at
   FROM pgencoder._read_failed() _read_failed(collection, generation, key, error, attempts, retry_at, changed_at);

COMMENT ON VIEW pgencoder.failed IS 'The rows that could not be encoded, with the error; if retry_at is NULL, they wait for pgencoder retry or a change';

CREATE TABLE pgencoder.generation (
    collection text NOT NULL,
    number integer NOT NULL,
    state text NOT NULL,
    encoder jsonb NOT NULL,
    chunking text NOT NULL,
    queued_at timestamp with time zone,
    queued_to text[],
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    activated_at timestamp with time zone,
    index_failures integer DEFAULT 0 NOT NULL,
    index_error text,
    index_retry_at timestamp with time zone,
    CONSTRAINT generation_chunking_check CHECK ((chunking = ANY (ARRAY['default'::text, 'truncate'::text]))),
    CONSTRAINT generation_number_check CHECK ((number > 0)),
    CONSTRAINT generation_state_check CHECK ((state = ANY (ARRAY['building'::text, 'active'::text, 'retired'::text])))
);

COMMENT ON TABLE pgencoder.generation IS 'One physical encoding of a collection by one encoder';

COMMENT ON COLUMN pgencoder.generation.encoder IS 'The fingerprint: what must be equal for two encodings to be comparable';

COMMENT ON COLUMN pgencoder.generation.queued_at IS 'When the rows that were there before the triggers had all been queued; NULL until then';

COMMENT ON COLUMN pgencoder.generation.queued_to IS 'The last key that was queued of the rows that were there before the generation; NULL before the first';

COMMENT ON COLUMN pgencoder.generation.activated_at IS 'When searches last began to use it; NULL: never';

COMMENT ON COLUMN pgencoder.generation.index_failures IS 'How often in a row the index could not be built';

COMMENT ON COLUMN pgencoder.generation.index_error IS 'Why it could not be built the last time';

COMMENT ON COLUMN pgencoder.generation.index_retry_at IS 'When workers try again';

CREATE TABLE pgencoder.halves_1 (
    id bigint NOT NULL,
    passage integer NOT NULL,
    span int4range NOT NULL,
    content text NOT NULL,
    content_hash bytea NOT NULL,
    truncated boolean NOT NULL,
    dense public.halfvec(32) NOT NULL,
    lexical public.sparsevec(536870913) NOT NULL,
    lexical_terms integer[] NOT NULL,
    tokens public.halfvec(16)[] NOT NULL,
    row_hash bytea,
    mostly_unknown boolean
)
WITH (parallel_workers='4');
ALTER TABLE ONLY pgencoder.halves_1 ALTER COLUMN lexical SET STORAGE MAIN;
ALTER TABLE ONLY pgencoder.halves_1 ALTER COLUMN lexical_terms SET STORAGE MAIN;
ALTER TABLE ONLY pgencoder.halves_1 ALTER COLUMN tokens SET STORAGE EXTERNAL;

COMMENT ON TABLE pgencoder.halves_1 IS 'pgencoder: halves, generation 1';

COMMENT ON COLUMN pgencoder.halves_1.row_hash IS 'SHA-256 of the whole content of the row of the passage';

COMMENT ON COLUMN pgencoder.halves_1.mostly_unknown IS 'True if the model knows less than half of its tokens; NULL if not checked';

CREATE TABLE pgencoder.halves_1_queue (
    id bigint NOT NULL,
    seq bigint DEFAULT nextval('pgencoder.change'::regclass) NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    run_after timestamp with time zone DEFAULT now() NOT NULL,
    claimed_until timestamp with time zone,
    last_error text,
    changed_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_cost_delay='0');

COMMENT ON TABLE pgencoder.halves_1_queue IS 'pgencoder: halves, generation 1';

CREATE TABLE pgencoder.halves_1_terms (
    representation text NOT NULL,
    element integer NOT NULL,
    passages integer NOT NULL
);

COMMENT ON TABLE pgencoder.halves_1_terms IS 'pgencoder: halves, terms of generation 1';

COMMENT ON COLUMN pgencoder.halves_1_terms.passages IS 'The passages that have the element, when they were counted last';

CREATE VIEW pgencoder.halves_1_write AS
 SELECT id,
    passage,
    span,
    content,
    content_hash,
    truncated,
    dense,
    lexical,
    lexical_terms,
    tokens,
    row_hash,
    mostly_unknown,
    NULL::text AS whole
   FROM pgencoder.halves_1;

COMMENT ON VIEW pgencoder.halves_1_write IS 'pgencoder: halves, generation 1, for workers';

CREATE VIEW pgencoder.halves_by_lexical WITH (security_barrier='true') AS
 SELECT id,
    passage,
    distance
   FROM ( SELECT passages_1.id,
            passages_1.passage,
            passages_1.row_hash,
            pgencoder._distance(passages_1.lexical, ( SELECT asked.weights
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)) AS distance
           FROM pgencoder.halves_1 passages_1
          WHERE (( SELECT ((asked.weights IS NOT NULL) AND (asked.any_1 IS NOT NULL) AND (asked.any_2 IS NOT NULL) AND (asked.any_3 IS NOT NULL))
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked) AND (passages_1.lexical_terms && ( SELECT asked.any_1
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)) AND (passages_1.lexical_terms && ( SELECT asked.any_2
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)) AND (passages_1.lexical_terms && ( SELECT asked.any_3
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)))
          ORDER BY (pgencoder._distance(passages_1.lexical, ( SELECT asked.weights
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)))) passages
  WHERE
        CASE
            WHEN (NOT ( SELECT row_security_active(('pgencoder.halves_1'::regclass)::oid) AS row_security_active)) THEN true
            ELSE
            CASE
                WHEN ( SELECT ((('public.halves'::regclass)::oid = (to_regclass('"public"."halves"'::text))::oid) IS NOT TRUE)) THEN false
                WHEN ( SELECT row_security_active(('public.halves'::regclass)::oid) AS row_security_active) THEN pgencoder.halves_visible(id, row_hash)
                ELSE (EXISTS ( SELECT
                   FROM pgencoder.halves_rows() source(k1)
                  WHERE (source.k1 = passages.id)))
            END
        END;

COMMENT ON VIEW pgencoder.halves_by_lexical IS 'pgencoder: halves, candidates of a search by words';

CREATE VIEW pgencoder.halves_by_sparse WITH (security_barrier='true') AS
 SELECT id,
    passage,
    (0)::double precision AS distance
   FROM pgencoder.halves_1
 LIMIT 0;

COMMENT ON VIEW pgencoder.halves_by_sparse IS 'pgencoder: halves, candidates of a search by a sparse vector';

CREATE VIEW pgencoder.halves_passages WITH (security_invoker='true') AS
 SELECT id,
    passage,
    span,
    content,
    dense,
    lexical,
    lexical_terms,
    tokens
   FROM pgencoder.halves_1;

COMMENT ON VIEW pgencoder.halves_passages IS 'pgencoder: halves, passages of the active generation';

CREATE TABLE pgencoder.late (
    id bigint NOT NULL,
    collection text NOT NULL,
    key text[]
);

COMMENT ON TABLE pgencoder.late IS 'Changes that workers put into the queues: of transactions whose snapshot kept them from it, and, with a NULL key, a TRUNCATE';

ALTER TABLE pgencoder.late ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgencoder.late_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pgencoder."odd ""50%"" {$1}_1" (
    passage_key text NOT NULL,
    "1" timestamp with time zone NOT NULL,
    passage integer NOT NULL,
    span int4range NOT NULL,
    content text NOT NULL,
    content_hash bytea NOT NULL,
    truncated boolean NOT NULL,
    dense public.halfvec(32) NOT NULL,
    lexical public.sparsevec(536870913) NOT NULL,
    lexical_terms integer[] NOT NULL,
    tokens bit(16)[] NOT NULL,
    row_hash bytea,
    mostly_unknown boolean
)
WITH (parallel_workers='4');
ALTER TABLE ONLY pgencoder."odd ""50%"" {$1}_1" ALTER COLUMN lexical SET STORAGE MAIN;
ALTER TABLE ONLY pgencoder."odd ""50%"" {$1}_1" ALTER COLUMN lexical_terms SET STORAGE MAIN;
ALTER TABLE ONLY pgencoder."odd ""50%"" {$1}_1" ALTER COLUMN tokens SET STORAGE EXTERNAL;

COMMENT ON TABLE pgencoder."odd ""50%"" {$1}_1" IS 'pgencoder: odd "50%" {$1}, generation 1';

COMMENT ON COLUMN pgencoder."odd ""50%"" {$1}_1".row_hash IS 'SHA-256 of the whole content of the row of the passage';

COMMENT ON COLUMN pgencoder."odd ""50%"" {$1}_1".mostly_unknown IS 'True if the model knows less than half of its tokens; NULL if not checked';

CREATE TABLE pgencoder."odd ""50%"" {$1}_1_queue" (
    passage_key text NOT NULL,
    "1" timestamp with time zone NOT NULL,
    seq bigint DEFAULT nextval('pgencoder.change'::regclass) NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    run_after timestamp with time zone DEFAULT now() NOT NULL,
    claimed_until timestamp with time zone,
    last_error text,
    changed_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_cost_delay='0');

COMMENT ON TABLE pgencoder."odd ""50%"" {$1}_1_queue" IS 'pgencoder: odd "50%" {$1}, generation 1';

CREATE TABLE pgencoder."odd ""50%"" {$1}_1_terms" (
    representation text NOT NULL,
    element integer NOT NULL,
    passages integer NOT NULL
);

COMMENT ON TABLE pgencoder."odd ""50%"" {$1}_1_terms" IS 'pgencoder: odd "50%" {$1}, terms of generation 1';

COMMENT ON COLUMN pgencoder."odd ""50%"" {$1}_1_terms".passages IS 'The passages that have the element, when they were counted last';

CREATE VIEW pgencoder."odd ""50%"" {$1}_1_write" AS
 SELECT passage_key,
    "1",
    passage,
    span,
    content,
    content_hash,
    truncated,
    dense,
    lexical,
    lexical_terms,
    tokens,
    row_hash,
    mostly_unknown,
    NULL::text AS whole
   FROM pgencoder."odd ""50%"" {$1}_1";

COMMENT ON VIEW pgencoder."odd ""50%"" {$1}_1_write" IS 'pgencoder: odd "50%" {$1}, generation 1, for workers';

CREATE VIEW pgencoder."odd ""50%"" {$1}_by_lexical" WITH (security_barrier='true') AS
 SELECT passage_key,
    "1",
    passage,
    distance
   FROM ( SELECT passages_1.passage_key,
            passages_1."1",
            passages_1.passage,
            passages_1.row_hash,
            pgencoder._distance(passages_1.lexical, ( SELECT asked.weights
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)) AS distance
           FROM pgencoder."odd ""50%"" {$1}_1" passages_1
          WHERE (( SELECT ((asked.weights IS NOT NULL) AND (asked.any_1 IS NOT NULL) AND (asked.any_2 IS NOT NULL) AND (asked.any_3 IS NOT NULL))
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked) AND (passages_1.lexical_terms && ( SELECT asked.any_1
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)) AND (passages_1.lexical_terms && ( SELECT asked.any_2
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)) AND (passages_1.lexical_terms && ( SELECT asked.any_3
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)))
          ORDER BY (pgencoder._distance(passages_1.lexical, ( SELECT asked.weights
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)))) passages
  WHERE
        CASE
            WHEN (NOT ( SELECT row_security_active(('pgencoder."odd ""50%"" {$1}_1"'::regclass)::oid) AS row_security_active)) THEN true
            ELSE
            CASE
                WHEN ( SELECT ((('"it''s a ""schema"""."odd ""50%"" {$1}"'::regclass)::oid = (to_regclass('"it''s a ""schema"""."odd ""50%"" {$1}"'::text))::oid) IS NOT TRUE)) THEN false
                WHEN ( SELECT row_security_active(('"it''s a ""schema"""."odd ""50%"" {$1}"'::regclass)::oid) AS row_security_active) THEN pgencoder."odd ""50%"" {$1}_visible"(passage_key, "1", row_hash)
                ELSE (EXISTS ( SELECT
                   FROM pgencoder."odd ""50%"" {$1}_rows"() source(k1, k2)
                  WHERE ((source.k1 = passages.passage_key) AND (source.k2 = passages."1"))))
            END
        END;

COMMENT ON VIEW pgencoder."odd ""50%"" {$1}_by_lexical" IS 'pgencoder: odd "50%" {$1}, candidates of a search by words';

CREATE VIEW pgencoder."odd ""50%"" {$1}_by_sparse" WITH (security_barrier='true') AS
 SELECT passage_key,
    "1",
    passage,
    (0)::double precision AS distance
   FROM pgencoder."odd ""50%"" {$1}_1"
 LIMIT 0;

COMMENT ON VIEW pgencoder."odd ""50%"" {$1}_by_sparse" IS 'pgencoder: odd "50%" {$1}, candidates of a search by a sparse vector';

CREATE VIEW pgencoder."odd ""50%"" {$1}_passages" WITH (security_invoker='true') AS
 SELECT passage_key,
    "1",
    passage,
    span,
    content,
    dense,
    lexical,
    lexical_terms,
    tokens
   FROM pgencoder."odd ""50%"" {$1}_1";

COMMENT ON VIEW pgencoder."odd ""50%"" {$1}_passages" IS 'pgencoder: odd "50%" {$1}, passages of the active generation';

CREATE TABLE pgencoder.plain_1 (
    id bigint NOT NULL,
    passage integer NOT NULL,
    span int4range NOT NULL,
    content text NOT NULL,
    content_hash bytea NOT NULL,
    truncated boolean NOT NULL,
    dense public.halfvec(32) NOT NULL,
    lexical public.sparsevec(536870913) NOT NULL,
    lexical_terms integer[] NOT NULL,
    row_hash bytea,
    mostly_unknown boolean
)
WITH (parallel_workers='4');
ALTER TABLE ONLY pgencoder.plain_1 ALTER COLUMN lexical SET STORAGE MAIN;
ALTER TABLE ONLY pgencoder.plain_1 ALTER COLUMN lexical_terms SET STORAGE MAIN;

COMMENT ON TABLE pgencoder.plain_1 IS 'pgencoder: plain, generation 1';

COMMENT ON COLUMN pgencoder.plain_1.row_hash IS 'SHA-256 of the whole content of the row of the passage';

COMMENT ON COLUMN pgencoder.plain_1.mostly_unknown IS 'True if the model knows less than half of its tokens; NULL if not checked';

CREATE TABLE pgencoder.plain_1_queue (
    id bigint NOT NULL,
    seq bigint DEFAULT nextval('pgencoder.change'::regclass) NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    run_after timestamp with time zone DEFAULT now() NOT NULL,
    claimed_until timestamp with time zone,
    last_error text,
    changed_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_cost_delay='0');

COMMENT ON TABLE pgencoder.plain_1_queue IS 'pgencoder: plain, generation 1';

CREATE TABLE pgencoder.plain_1_terms (
    representation text NOT NULL,
    element integer NOT NULL,
    passages integer NOT NULL
);

COMMENT ON TABLE pgencoder.plain_1_terms IS 'pgencoder: plain, terms of generation 1';

COMMENT ON COLUMN pgencoder.plain_1_terms.passages IS 'The passages that have the element, when they were counted last';

CREATE VIEW pgencoder.plain_1_write AS
 SELECT id,
    passage,
    span,
    content,
    content_hash,
    truncated,
    dense,
    lexical,
    lexical_terms,
    row_hash,
    mostly_unknown,
    NULL::text AS whole
   FROM pgencoder.plain_1;

COMMENT ON VIEW pgencoder.plain_1_write IS 'pgencoder: plain, generation 1, for workers';

CREATE VIEW pgencoder.plain_by_lexical WITH (security_barrier='true') AS
 SELECT id,
    passage,
    distance
   FROM ( SELECT passages_1.id,
            passages_1.passage,
            passages_1.row_hash,
            pgencoder._distance(passages_1.lexical, ( SELECT asked.weights
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)) AS distance
           FROM pgencoder.plain_1 passages_1
          WHERE (( SELECT ((asked.weights IS NOT NULL) AND (asked.any_1 IS NOT NULL) AND (asked.any_2 IS NOT NULL) AND (asked.any_3 IS NOT NULL))
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked) AND (passages_1.lexical_terms && ( SELECT asked.any_1
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)) AND (passages_1.lexical_terms && ( SELECT asked.any_2
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)) AND (passages_1.lexical_terms && ( SELECT asked.any_3
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)))
          ORDER BY (pgencoder._distance(passages_1.lexical, ( SELECT asked.weights
                   FROM ( SELECT (current_setting('pgencoder.lexical_weights'::text, true))::public.sparsevec(536870913) AS weights,
                            (string_to_array(current_setting('pgencoder.lexical_any_1'::text, true), ','::text))::integer[] AS any_1,
                            (string_to_array(current_setting('pgencoder.lexical_any_2'::text, true), ','::text))::integer[] AS any_2,
                            (string_to_array(current_setting('pgencoder.lexical_any_3'::text, true), ','::text))::integer[] AS any_3) asked)))) passages
  WHERE
        CASE
            WHEN (NOT ( SELECT row_security_active(('pgencoder.plain_1'::regclass)::oid) AS row_security_active)) THEN true
            ELSE
            CASE
                WHEN ( SELECT ((('public.plain'::regclass)::oid = (to_regclass('"public"."plain"'::text))::oid) IS NOT TRUE)) THEN false
                WHEN ( SELECT row_security_active(('public.plain'::regclass)::oid) AS row_security_active) THEN pgencoder.plain_visible(id, row_hash)
                ELSE (EXISTS ( SELECT
                   FROM pgencoder.plain_rows() source(k1)
                  WHERE (source.k1 = passages.id)))
            END
        END;

COMMENT ON VIEW pgencoder.plain_by_lexical IS 'pgencoder: plain, candidates of a search by words';

CREATE VIEW pgencoder.plain_by_sparse WITH (security_barrier='true') AS
 SELECT id,
    passage,
    (0)::double precision AS distance
   FROM pgencoder.plain_1
 LIMIT 0;

COMMENT ON VIEW pgencoder.plain_by_sparse IS 'pgencoder: plain, candidates of a search by a sparse vector';

CREATE VIEW pgencoder.plain_passages WITH (security_invoker='true') AS
 SELECT id,
    passage,
    span,
    content,
    dense,
    lexical,
    lexical_terms
   FROM pgencoder.plain_1;

COMMENT ON VIEW pgencoder.plain_passages IS 'pgencoder: plain, passages of the active generation';

CREATE TABLE pgencoder.representation (
    collection text NOT NULL,
    generation integer NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    dims integer NOT NULL,
    indexed boolean NOT NULL,
    options jsonb NOT NULL,
    passages bigint DEFAULT 0 NOT NULL,
    mean_length double precision DEFAULT 0 NOT NULL,
    counted_changes bigint,
    CONSTRAINT representation_name_check CHECK ((name ~ '^[a-z][a-z0-9_]{0,9}$'::text))
);

COMMENT ON TABLE pgencoder.representation IS 'What a generation stores of each passage: a column of the passages table for each row';

COMMENT ON COLUMN pgencoder.representation.kind IS 'How it is made, stored and compared';

COMMENT ON COLUMN pgencoder.representation.indexed IS 'An index of it, named <collection>_<generation>_<name>, is built';

COMMENT ON COLUMN pgencoder.representation.options IS 'What else its kind must know';

COMMENT ON COLUMN pgencoder.representation.passages IS 'Passages when their terms were counted last';

COMMENT ON COLUMN pgencoder.representation.mean_length IS 'Terms of a passage, on average, when they were counted last';

COMMENT ON COLUMN pgencoder.representation.counted_changes IS 'Changes of passages that the server had seen when the terms were counted last; NULL: never';

CREATE TABLE pgencoder.revision (
    version_num character varying(32) NOT NULL
);

CREATE VIEW pgencoder.status AS
 SELECT collection,
    generation,
    state,
    model,
    source_rows,
    passages,
    coverage,
    queued,
    in_flight,
    failed,
    lag_seconds,
    rows_per_second,
    workers,
    indexed,
    truncated,
    bytes,
    problem,
    unknown
   FROM pgencoder._read_status() _read_status(collection, generation, state, model, source_rows, passages, coverage, queued, in_flight, failed, lag_seconds, rows_per_second, workers, indexed, truncated, bytes, problem, unknown);

COMMENT ON VIEW pgencoder.status IS 'Each generation: the encoded share of the rows, the keys that are queued, in flight or failed, the age of the oldest waiting change, the rows per second and the living workers';

CREATE TABLE pgencoder.worker (
    id uuid NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    models text[] DEFAULT '{}'::text[] NOT NULL,
    device text,
    waiting boolean DEFAULT false NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen timestamp with time zone DEFAULT now() NOT NULL,
    rows bigint DEFAULT 0 NOT NULL,
    passages bigint DEFAULT 0 NOT NULL,
    failures bigint DEFAULT 0 NOT NULL,
    rates jsonb DEFAULT '{}'::jsonb NOT NULL,
    problem text
);

COMMENT ON TABLE pgencoder.worker IS 'Heartbeats: a worker renews its row while it runs and removes it at the end';

COMMENT ON COLUMN pgencoder.worker.rates IS 'Rows a second in the last minute, by passages table';

ALTER TABLE ONLY pgencoder.bits_1
    ADD CONSTRAINT bits_1_pkey PRIMARY KEY (id, passage);

ALTER TABLE ONLY pgencoder.bits_1_queue
    ADD CONSTRAINT bits_1_queue_pkey PRIMARY KEY (id);

ALTER TABLE ONLY pgencoder.bits_1_terms
    ADD CONSTRAINT bits_1_terms_pkey PRIMARY KEY (representation, element);

ALTER TABLE ONLY pgencoder.collection_key
    ADD CONSTRAINT collection_key_pkey PRIMARY KEY (collection, "position");

ALTER TABLE ONLY pgencoder.collection
    ADD CONSTRAINT collection_pkey PRIMARY KEY (name);

ALTER TABLE ONLY pgencoder.generation
    ADD CONSTRAINT generation_pkey PRIMARY KEY (collection, number);

ALTER TABLE ONLY pgencoder.halves_1
    ADD CONSTRAINT halves_1_pkey PRIMARY KEY (id, passage);

ALTER TABLE ONLY pgencoder.halves_1_queue
    ADD CONSTRAINT halves_1_queue_pkey PRIMARY KEY (id);

ALTER TABLE ONLY pgencoder.halves_1_terms
    ADD CONSTRAINT halves_1_terms_pkey PRIMARY KEY (representation, element);

ALTER TABLE ONLY pgencoder.late
    ADD CONSTRAINT late_pkey PRIMARY KEY (id);

ALTER TABLE ONLY pgencoder."odd ""50%"" {$1}_1"
    ADD CONSTRAINT "odd ""50%"" {$1}_1_pkey" PRIMARY KEY (passage_key, "1", passage);

ALTER TABLE ONLY pgencoder."odd ""50%"" {$1}_1_queue"
    ADD CONSTRAINT "odd ""50%"" {$1}_1_queue_pkey" PRIMARY KEY (passage_key, "1");

ALTER TABLE ONLY pgencoder."odd ""50%"" {$1}_1_terms"
    ADD CONSTRAINT "odd ""50%"" {$1}_1_terms_pkey" PRIMARY KEY (representation, element);

ALTER TABLE ONLY pgencoder.plain_1
    ADD CONSTRAINT plain_1_pkey PRIMARY KEY (id, passage);

ALTER TABLE ONLY pgencoder.plain_1_queue
    ADD CONSTRAINT plain_1_queue_pkey PRIMARY KEY (id);

ALTER TABLE ONLY pgencoder.plain_1_terms
    ADD CONSTRAINT plain_1_terms_pkey PRIMARY KEY (representation, element);

ALTER TABLE ONLY pgencoder.representation
    ADD CONSTRAINT representation_pkey PRIMARY KEY (collection, generation, name);

ALTER TABLE ONLY pgencoder.revision
    ADD CONSTRAINT revision_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY pgencoder.worker
    ADD CONSTRAINT worker_pkey PRIMARY KEY (id);

CREATE INDEX bits_1_queue_run_after_idx ON pgencoder.bits_1_queue USING btree (run_after) WHERE (attempts > 0);

CREATE INDEX bits_1_queue_seq_idx ON pgencoder.bits_1_queue USING btree (seq) WHERE (attempts = 0);

CREATE UNIQUE INDEX generation_active ON pgencoder.generation USING btree (collection) WHERE (state = 'active'::text);

CREATE INDEX halves_1_queue_run_after_idx ON pgencoder.halves_1_queue USING btree (run_after) WHERE (attempts > 0);

CREATE INDEX halves_1_queue_seq_idx ON pgencoder.halves_1_queue USING btree (seq) WHERE (attempts = 0);

CREATE INDEX "odd ""50%"" {$1}_1_queue_run_after_idx" ON pgencoder."odd ""50%"" {$1}_1_queue" USING btree (run_after) WHERE (attempts > 0);

CREATE INDEX "odd ""50%"" {$1}_1_queue_seq_idx" ON pgencoder."odd ""50%"" {$1}_1_queue" USING btree (seq) WHERE (attempts = 0);

CREATE INDEX plain_1_queue_run_after_idx ON pgencoder.plain_1_queue USING btree (run_after) WHERE (attempts > 0);

CREATE INDEX plain_1_queue_seq_idx ON pgencoder.plain_1_queue USING btree (seq) WHERE (attempts = 0);

CREATE TRIGGER write INSTEAD OF INSERT ON pgencoder.bits_1_write FOR EACH ROW EXECUTE FUNCTION pgencoder.bits_1_write();

CREATE TRIGGER write INSTEAD OF INSERT ON pgencoder.halves_1_write FOR EACH ROW EXECUTE FUNCTION pgencoder.halves_1_write();

CREATE TRIGGER write INSTEAD OF INSERT ON pgencoder."odd ""50%"" {$1}_1_write" FOR EACH ROW EXECUTE FUNCTION pgencoder."odd ""50%"" {$1}_1_write"();

CREATE TRIGGER write INSTEAD OF INSERT ON pgencoder.plain_1_write FOR EACH ROW EXECUTE FUNCTION pgencoder.plain_1_write();

ALTER TABLE ONLY pgencoder.collection_key
    ADD CONSTRAINT collection_key_collection_fkey FOREIGN KEY (collection) REFERENCES pgencoder.collection(name) ON DELETE CASCADE;

ALTER TABLE ONLY pgencoder.generation
    ADD CONSTRAINT generation_collection_fkey FOREIGN KEY (collection) REFERENCES pgencoder.collection(name) ON DELETE CASCADE;

ALTER TABLE ONLY pgencoder.representation
    ADD CONSTRAINT representation_collection_generation_fkey FOREIGN KEY (collection, generation) REFERENCES pgencoder.generation(collection, number) ON DELETE CASCADE;

ALTER TABLE pgencoder.bits_1 ENABLE ROW LEVEL SECURITY;

CREATE POLICY changed ON pgencoder.late FOR INSERT WITH CHECK ((EXISTS ( SELECT
   FROM pg_proc p
  WHERE ((p.pronamespace = ('pgencoder'::regnamespace)::oid) AND (p.proname = concat(late.collection, '_changed')) AND pg_has_role(p.proowner, 'USAGE'::text)))));

CREATE POLICY claim ON pgencoder.late FOR UPDATE USING (true);

CREATE POLICY done ON pgencoder.late FOR DELETE USING (true);

ALTER TABLE pgencoder.halves_1 ENABLE ROW LEVEL SECURITY;

ALTER TABLE pgencoder.late ENABLE ROW LEVEL SECURITY;

ALTER TABLE pgencoder."odd ""50%"" {$1}_1" ENABLE ROW LEVEL SECURITY;

CREATE POLICY "pgencoder detach bits" ON pgencoder.bits_1 FOR SELECT USING (
CASE
    WHEN ( SELECT ((('public.bits'::regclass)::oid = (to_regclass('"public"."bits"'::text))::oid) IS NOT TRUE)) THEN false
    WHEN ( SELECT row_security_active(('public.bits'::regclass)::oid) AS row_security_active) THEN pgencoder.bits_visible(id, row_hash)
    ELSE (EXISTS ( SELECT
       FROM pgencoder.bits_rows() source(k1)
      WHERE (source.k1 = bits_1.id)))
END);

CREATE POLICY "pgencoder detach halves" ON pgencoder.halves_1 FOR SELECT USING (
CASE
    WHEN ( SELECT ((('public.halves'::regclass)::oid = (to_regclass('"public"."halves"'::text))::oid) IS NOT TRUE)) THEN false
    WHEN ( SELECT row_security_active(('public.halves'::regclass)::oid) AS row_security_active) THEN pgencoder.halves_visible(id, row_hash)
    ELSE (EXISTS ( SELECT
       FROM pgencoder.halves_rows() source(k1)
      WHERE (source.k1 = halves_1.id)))
END);

CREATE POLICY "pgencoder detach odd ""50%"" {$1}" ON pgencoder."odd ""50%"" {$1}_1" FOR SELECT USING (
CASE
    WHEN ( SELECT ((('"it''s a ""schema"""."odd ""50%"" {$1}"'::regclass)::oid = (to_regclass('"it''s a ""schema"""."odd ""50%"" {$1}"'::text))::oid) IS NOT TRUE)) THEN false
    WHEN ( SELECT row_security_active(('"it''s a ""schema"""."odd ""50%"" {$1}"'::regclass)::oid) AS row_security_active) THEN pgencoder."odd ""50%"" {$1}_visible"(passage_key, "1", row_hash)
    ELSE (EXISTS ( SELECT
       FROM pgencoder."odd ""50%"" {$1}_rows"() source(k1, k2)
      WHERE ((source.k1 = "odd ""50%"" {$1}_1".passage_key) AND (source.k2 = "odd ""50%"" {$1}_1"."1"))))
END);

CREATE POLICY "pgencoder detach plain" ON pgencoder.plain_1 FOR SELECT USING (
CASE
    WHEN ( SELECT ((('public.plain'::regclass)::oid = (to_regclass('"public"."plain"'::text))::oid) IS NOT TRUE)) THEN false
    WHEN ( SELECT row_security_active(('public.plain'::regclass)::oid) AS row_security_active) THEN pgencoder.plain_visible(id, row_hash)
    ELSE (EXISTS ( SELECT
       FROM pgencoder.plain_rows() source(k1)
      WHERE (source.k1 = plain_1.id)))
END);

ALTER TABLE pgencoder.plain_1 ENABLE ROW LEVEL SECURITY;

CREATE POLICY read ON pgencoder.late FOR SELECT USING (true);

REVOKE ALL ON FUNCTION pgencoder.bits_1_build() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.bits_1_count() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.bits_1_write() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.bits_active() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.bits_changed() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.bits_lexical(query text) FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.bits_read(key1 text[], bytes bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.bits_scan(after text[], count integer, hashed boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.bits_sparse(query public.sparsevec) FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.halves_1_build() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.halves_1_count() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.halves_1_write() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.halves_active() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.halves_changed() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.halves_lexical(query text) FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.halves_read(key1 text[], bytes bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.halves_scan(after text[], count integer, hashed boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.halves_sparse(query public.sparsevec) FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder."odd ""50%"" {$1}_1_build"() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder."odd ""50%"" {$1}_1_count"() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder."odd ""50%"" {$1}_1_write"() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder."odd ""50%"" {$1}_active"() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder."odd ""50%"" {$1}_changed"() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder."odd ""50%"" {$1}_lexical"(query text) FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder."odd ""50%"" {$1}_read"(key1 text[], key2 text[], bytes bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder."odd ""50%"" {$1}_scan"(after text[], count integer, hashed boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder."odd ""50%"" {$1}_sparse"(query public.sparsevec) FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.plain_1_build() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.plain_1_count() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.plain_1_write() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.plain_active() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.plain_changed() FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.plain_lexical(query text) FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.plain_read(key1 text[], bytes bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.plain_scan(after text[], count integer, hashed boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION pgencoder.plain_sparse(query public.sparsevec) FROM PUBLIC;
