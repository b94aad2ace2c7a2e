-- If a generation of this encoder was in use before, this script fails and names it.
-- Then activate it, and run this script again: pgencoder activate NAME --generation NUMBER

DO $pgencoder1$
DECLARE
    path CONSTANT pg_catalog.text := pg_catalog.current_setting('search_path');
    other pg_catalog.text;
    revision pg_catalog.text;
    key pg_catalog.text;
    given pg_catalog.text;
    types pg_catalog.text[];
    full_types pg_catalog.text[];
    collations pg_catalog.text[];
BEGIN
    SELECT o.owner INTO other FROM (SELECT owner.rolname, session_user
FROM pg_catalog.pg_namespace AS schema
CROSS JOIN LATERAL (
    SELECT schema.nspowner
    UNION ALL
    SELECT coalesce(relation.relowner, routine.proowner)
    FROM pg_catalog.pg_depend AS part
    LEFT JOIN pg_catalog.pg_class AS relation ON relation.oid OPERATOR(pg_catalog.=) part.objid
        AND part.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
    LEFT JOIN pg_catalog.pg_proc AS routine ON routine.oid OPERATOR(pg_catalog.=) part.objid
        AND part.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
    WHERE true AND part.refobjid OPERATOR(pg_catalog.=) schema.oid
        AND part.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
) AS found (owner)
JOIN pg_catalog.pg_roles AS owner ON owner.oid OPERATOR(pg_catalog.=) found.owner AND NOT owner.rolsuper
WHERE schema.nspname OPERATOR(pg_catalog.=) 'pgencoder'
    -- not current_user: after SET ROLE, code can get a superuser's rights back with RESET ROLE
    AND (SELECT me.rolsuper FROM pg_catalog.pg_roles AS me WHERE me.rolname OPERATOR(pg_catalog.=) session_user)
LIMIT 1
) AS o (owner, superuser);
    IF other IS NOT NULL THEN
        RAISE EXCEPTION 'the schema pgencoder, or a part of it, belongs to "%", who is no superuser', other
            USING ERRCODE = 'insufficient_privilege', HINT = 'Run this script as a role that is no superuser.';
    END IF;
    IF pg_catalog.to_regclass('pgencoder.revision') IS NOT NULL THEN
        SELECT version_num INTO revision FROM pgencoder.revision;
    END IF;
    IF (revision OPERATOR(pg_catalog.=) '0001') IS NOT TRUE THEN
        RAISE EXCEPTION 'this database has no schema pgencoder at revision %', '0001' USING HINT = 'Run: pgencoder migrate';
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_extension WHERE extname OPERATOR(pg_catalog.=) 'vector'
            AND extnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('"public"')
    ) THEN
        RAISE EXCEPTION 'the extension vector is not in the schema %', '"public"'
            USING HINT = 'In env.py: context.configure(..., pgencoder_vector_schema="...")';
    END IF;
    -- a type such as "int" or "color" is given as people write it; a column shows which type it is, and its full name
    CREATE TABLE pgencoder.key_as_given ("id" bigint, PRIMARY KEY ("id"));
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog', true);
    SELECT pg_catalog.string_agg(spelled, ', ' ORDER BY n) FILTER (WHERE own),
        pg_catalog.string_agg(spelled, ', ' ORDER BY n) FILTER (WHERE NOT own),
        pg_catalog.array_agg(type ORDER BY n) FILTER (WHERE own),
        pg_catalog.array_agg(CASE WHEN type OPERATOR(pg_catalog.~) '^(?:bit|boolean|character|double|integer|bigint|smallint|interval|numeric|real|time|timestamp)(?![a-z0-9_])|[.]' THEN type
            ELSE 'pg_catalog.' OPERATOR(pg_catalog.||) type END ORDER BY n) FILTER (WHERE own),
        pg_catalog.array_agg(collate_as ORDER BY n) FILTER (WHERE own)
    INTO key, given, types, full_types, collations
    FROM (
        SELECT k.n, own, k.type, CASE WHEN k.collate_as OPERATOR(pg_catalog.<>) '' THEN k.collate_as END AS collate_as,
            pg_catalog.format('%I %s', k.name, k.type) OPERATOR(pg_catalog.||) CASE
                WHEN k.collate_as OPERATOR(pg_catalog.=) '' THEN ''
                ELSE ' COLLATE ' OPERATOR(pg_catalog.||) k.collate_as END AS spelled
        FROM (VALUES ('"public"."bits"'::pg_catalog.regclass, true), ('pgencoder.key_as_given'::pg_catalog.regclass, false))
            AS tables (relation, own)
        CROSS JOIN LATERAL pgencoder._source_key(relation) AS k
    ) AS columns;
    PERFORM pg_catalog.set_config('search_path', path, true);
    DROP TABLE pgencoder.key_as_given;
    IF EXISTS (SELECT FROM pgencoder._source_key('"public"."bits"'::pg_catalog.regclass) AS k WHERE NOT k.usable) THEN
        RAISE EXCEPTION 'the key of % is (%): only enums and types of Postgres itself can be a key', '"public"."bits"', key;
    END IF;
    IF (key OPERATOR(pg_catalog.=) given) IS NOT TRUE THEN
        RAISE EXCEPTION 'the key of % is (%), not (%)', '"public"."bits"', key, given
            USING HINT = 'Give its columns and types as key={...} to the operation.';
    END IF;
    DECLARE
    role CONSTANT pg_catalog.text := pg_catalog.current_setting('role');
    latest int;
    queues pg_catalog.text;
    chosen pg_catalog.record;
    other pg_catalog.record;
BEGIN
    PERFORM FROM pgencoder.generation g WHERE g.collection OPERATOR(pg_catalog.=) 'bits' ORDER BY g.number FOR UPDATE;
    -- no writer is between its change and its commit now, so the next writers run the new function
    LOCK TABLE "public"."bits" IN SHARE ROW EXCLUSIVE MODE;
    SELECT pg_catalog.max(number) INTO latest FROM pgencoder.generation WHERE collection OPERATOR(pg_catalog.=) 'bits';
    IF latest IS NULL THEN
        RAISE EXCEPTION 'no collection %', pg_catalog.quote_literal('bits') USING ERRCODE = 'undefined_object';
    END IF;
    IF EXISTS (
        SELECT FROM pgencoder.representation r JOIN pgencoder.generation g
            ON r.collection OPERATOR(pg_catalog.=) g.collection AND r.generation OPERATOR(pg_catalog.=) g.number
        WHERE g.collection OPERATOR(pg_catalog.=) 'bits' AND g.state OPERATOR(pg_catalog.=) 'active'
            AND r.name OPERATOR(pg_catalog.<>) ALL ('{dense,lexical,sparse,tokens}')
    ) THEN
        RAISE EXCEPTION 'a script cannot encode % again, because it stores more than vectors: pgencoder reencode %',
            pg_catalog.quote_literal('bits'), pg_catalog.quote_literal('bits') USING ERRCODE = 'feature_not_supported';
    END IF;
    SELECT * INTO chosen FROM pgencoder.generation g
        WHERE collection OPERATOR(pg_catalog.=) 'bits' AND '{"dense": ["dense", 32, {}], "lexical": ["bm25", 536870913, {"configuration": "pg_catalog.english"}], "tokens": ["bit", 16, {}]}'::pg_catalog.jsonb OPERATOR(pg_catalog.=) (
                SELECT pg_catalog.jsonb_object_agg(r.name, pg_catalog.jsonb_build_array(r.kind, r.dims, r.options))
                FROM pgencoder.representation r
                WHERE r.collection OPERATOR(pg_catalog.=) g.collection AND r.generation OPERATOR(pg_catalog.=) g.number
            )
            AND chunking OPERATOR(pg_catalog.=) 'default'
            AND pgencoder._comparable(g.encoder) OPERATOR(pg_catalog.=) pgencoder._comparable('{"model": "words", "dims": [32, 16]}'::pg_catalog.jsonb)
        ORDER BY (state OPERATOR(pg_catalog.=) 'active') DESC, (state OPERATOR(pg_catalog.=) 'building') DESC, number DESC
        LIMIT 1;
    IF chosen.state OPERATOR(pg_catalog.=) 'retired' THEN
        RAISE EXCEPTION 'generation % of % is there already: pgencoder activate % --generation %',
            chosen.number, pg_catalog.quote_literal('bits'), pg_catalog.quote_literal('bits'), chosen.number;
    END IF;
    FOR other IN
        SELECT * FROM pgencoder.generation
        WHERE collection OPERATOR(pg_catalog.=) 'bits' AND state OPERATOR(pg_catalog.=) 'building'
            AND (number OPERATOR(pg_catalog.=) chosen.number) IS NOT TRUE
    LOOP
        RAISE NOTICE 'generation % of % is removed', other.number, pg_catalog.quote_literal('bits');
        PERFORM pgencoder._drop_generation('bits', other.number);
    END LOOP;
    -- the new objects get the owner of the collection, because the trigger runs as that role
    PERFORM pg_catalog.set_config('role', 'none', true);
    PERFORM pg_catalog.set_config('role', r.rolname, true)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) c.relowner
        WHERE r.rolname OPERATOR(pg_catalog.<>) current_user AND c.oid OPERATOR(pg_catalog.=) (
            SELECT pg_catalog.to_regclass(pg_catalog.format(
                'pgencoder.%I', 'bits' OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) number))
            FROM pgencoder.generation
            WHERE collection OPERATOR(pg_catalog.=) 'bits' AND state OPERATOR(pg_catalog.=) 'active');
    IF chosen IS NULL THEN
        INSERT INTO pgencoder.generation (collection, number, state, encoder, chunking, activated_at)
VALUES ('bits', latest OPERATOR(pg_catalog.+) 1, 'building', '{"model": "words", "dims": [32, 16]}', 'default',
    CASE WHEN 'building' OPERATOR(pg_catalog.=) 'active' THEN pg_catalog.now() END);
INSERT INTO pgencoder.representation (collection, generation, name, kind, dims, indexed, options)
SELECT 'bits', latest OPERATOR(pg_catalog.+) 1, stored.name, stored.kind, stored.dims, stored.indexed, stored.options
FROM pg_catalog.jsonb_to_recordset('[{"name": "dense", "kind": "dense", "dims": 32, "indexed": true, "options": {}}, {"name": "lexical", "kind": "bm25", "dims": 536870913, "indexed": true, "options": {"configuration": "pg_catalog.english"}}, {"name": "tokens", "kind": "bit", "dims": 16, "indexed": false, "options": {}}]')
    AS stored (name pg_catalog.text, kind pg_catalog.text, dims int, indexed boolean, options pg_catalog.jsonb)
;
        PERFORM pgencoder._check_free('bits', latest OPERATOR(pg_catalog.+) 1);
        EXECUTE $pgencoder$CREATE TABLE "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$" (
    "id" $pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ NOT NULL,
    passage int NOT NULL,
    span pg_catalog.int4range NOT NULL,
    content pg_catalog.text NOT NULL,
    content_hash pg_catalog.bytea NOT NULL,
    truncated boolean NOT NULL,
    "dense" "public".halfvec(32) NOT NULL,
    "lexical" "public".sparsevec(536870913) NOT NULL,
    "lexical_terms" int[] NOT NULL,
    "tokens" bit(16)[] NOT NULL,
    row_hash pg_catalog.bytea,
    mostly_unknown boolean,
    PRIMARY KEY ("id", passage)
);
ALTER TABLE "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$" ALTER COLUMN "lexical" SET STORAGE MAIN;
ALTER TABLE "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$" ALTER COLUMN "lexical_terms" SET STORAGE MAIN;
ALTER TABLE "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$" ALTER COLUMN "tokens" SET STORAGE EXTERNAL;
-- The planner looks at the heap, which is small compared with its TOAST, and would never scan in parallel
ALTER TABLE "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$" SET (parallel_workers = 4);
ALTER TABLE "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$" ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$" IS $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$pgencoder: bits, generation $pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text) OPERATOR(pg_catalog.||) $pgencoder$;
COMMENT ON COLUMN "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$".mostly_unknown IS 'True if the model knows less than half of its tokens; NULL if not checked';
COMMENT ON COLUMN "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$".row_hash IS 'SHA-256 of the whole content of the row of the passage';
CREATE TABLE "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_queue" (
    "id" $pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ NOT NULL,
    seq bigint NOT NULL DEFAULT pg_catalog.nextval('pgencoder.change'),
    attempts int NOT NULL DEFAULT 0,
    run_after timestamp with time zone NOT NULL DEFAULT pg_catalog.now(),
    claimed_until timestamp with time zone,
    last_error pg_catalog.text,
    changed_at timestamp with time zone NOT NULL DEFAULT pg_catalog.now(),
    PRIMARY KEY ("id")
);
-- A claim moves a row from the first index to the second; when the lease ends, the row can be claimed again
CREATE INDEX ON "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_queue" (seq) WHERE attempts OPERATOR(pg_catalog.=) 0;
CREATE INDEX ON "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_queue" (run_after) WHERE attempts OPERATOR(pg_catalog.>) 0;
-- Most rows of a queue are dead; by default vacuum would wait for a fifth of the largest size of the queue
ALTER TABLE "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_queue" SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_queue" IS $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$pgencoder: bits, generation $pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text) OPERATOR(pg_catalog.||) $pgencoder$;
CREATE TABLE IF NOT EXISTS "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_terms" (
    representation pg_catalog.text NOT NULL,
    element int NOT NULL,
    passages int NOT NULL,
    PRIMARY KEY (representation, element)
);
COMMENT ON TABLE "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_terms" IS $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$pgencoder: bits, terms of generation $pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text) OPERATOR(pg_catalog.||) $pgencoder$;
COMMENT ON COLUMN "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_terms".passages IS 'The passages that have the element, when they were counted last';
;
-- A worker that does not own the passages writes through this view: a view reads and writes with its owner's rights, so
-- row level security of the passages applies only to searches. COPY into a view needs the trigger, which makes what is
-- made of words: of `whole`, where `content` is cut at the model's limit.
CREATE OR REPLACE VIEW "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_write" AS SELECT *, NULL::pg_catalog.text AS whole FROM "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$";
CREATE OR REPLACE FUNCTION "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_write"() RETURNS pg_catalog.trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$BEGIN
    INSERT INTO "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$" ("id", "passage", "span", "content", "content_hash", "truncated", "row_hash", "mostly_unknown", "dense", "tokens", "lexical", "lexical_terms")
    SELECT "new"."id", "new"."passage", "new"."span", "new"."content", "new"."content_hash", "new"."truncated", "new"."row_hash", "new"."mostly_unknown", "new"."dense", "new"."tokens", "lexical", "lexical_terms" FROM (VALUES (1)) AS one (row), pgencoder._bm25('pg_catalog.english'::pg_catalog.regconfig, coalesce(NEW.whole, NEW.content)) AS "lexical_made" ("lexical", "lexical_terms");
    RETURN NEW;
END
$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$;
CREATE OR REPLACE TRIGGER write INSTEAD OF INSERT ON "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_write" FOR EACH ROW EXECUTE FUNCTION "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_write"();
REVOKE ALL ON FUNCTION "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_write"() FROM PUBLIC;
CREATE OR REPLACE FUNCTION "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_build"() RETURNS pg_catalog.void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$BEGIN
    CREATE INDEX IF NOT EXISTS "bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_dense" ON "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$" USING hnsw ("dense" "public".halfvec_ip_ops);
    CREATE INDEX IF NOT EXISTS "bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_lexical" ON "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$" USING gin ("lexical_terms" pg_catalog.array_ops) WITH (fastupdate = 'off');
    PERFORM "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_count"();
    ANALYZE "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$";
END
$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$;
REVOKE ALL ON FUNCTION "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_build"() FROM PUBLIC;
CREATE OR REPLACE FUNCTION "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_count"() RETURNS pg_catalog.void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$BEGIN
    PERFORM FROM pgencoder.representation AS r
    WHERE r.collection OPERATOR(pg_catalog.=) 'bits' AND r.generation OPERATOR(pg_catalog.=) $pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$
        AND r.name OPERATOR(pg_catalog.=) 'lexical'
    FOR UPDATE SKIP LOCKED;
IF FOUND THEN  -- nobody else counts
    WITH counted AS MATERIALIZED (
        SELECT term.element, pg_catalog.count(*)::int AS passages
        FROM "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$" AS passage, pg_catalog.unnest(passage."lexical_terms") AS term (element) GROUP BY term.element
    ), gone AS (
        DELETE FROM "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_terms" AS t WHERE t.representation OPERATOR(pg_catalog.=) 'lexical'
            AND NOT EXISTS (SELECT FROM counted WHERE counted.element OPERATOR(pg_catalog.=) t.element)
    )
    INSERT INTO "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_terms" AS t (representation, element, passages)
    SELECT 'lexical', counted.element, counted.passages FROM counted
    ON CONFLICT (representation, element) DO UPDATE SET passages = EXCLUDED.passages
        WHERE t.passages OPERATOR(pg_catalog.<>) EXCLUDED.passages;
    UPDATE pgencoder.representation AS r
        SET passages = counted.passages, mean_length = counted.length, counted_changes = (pg_catalog.pg_stat_get_tuples_inserted($pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$"pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$"$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$::pg_catalog.regclass::pg_catalog.oid)
    OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_tuples_updated($pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$"pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$"$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$::pg_catalog.regclass::pg_catalog.oid)
    OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_tuples_deleted($pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$"pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$"$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$::pg_catalog.regclass::pg_catalog.oid))

        FROM (SELECT pg_catalog.count(*), coalesce(pg_catalog.avg(pgencoder._bm25_length(passage.lexical)), 0) FROM "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$" AS passage)
            AS counted (passages, length)
        WHERE r.collection OPERATOR(pg_catalog.=) 'bits' AND r.generation OPERATOR(pg_catalog.=) $pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$
            AND r.name OPERATOR(pg_catalog.=) 'lexical';
    ANALYZE "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_terms";
END IF;

END
$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$;
REVOKE ALL ON FUNCTION "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_count"() FROM PUBLIC;
COMMENT ON VIEW "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_write" IS $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$pgencoder: bits, generation $pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$, for workers$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$;
COMMENT ON FUNCTION "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_write"() IS $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$pgencoder: bits, generation $pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$, for workers$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$;
COMMENT ON FUNCTION "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_build"() IS $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$pgencoder: bits, generation $pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$, for workers$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$;
COMMENT ON FUNCTION "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_count"() IS $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$pgencoder: bits, generation $pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$, for workers$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$;
;
DO $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$-- The rights of the trigger, which runs as the owner of the source
DECLARE
    owner pg_catalog.record;
BEGIN
    SELECT r.* INTO owner FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) c.relowner
        WHERE c.oid OPERATOR(pg_catalog.=) '"public"."bits"'::pg_catalog.regclass::pg_catalog.oid;
    IF owner.rolname OPERATOR(pg_catalog.=) CURRENT_USER OR (
        SELECT r.rolsuper FROM pg_catalog.pg_namespace n
        JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
        WHERE n.nspname OPERATOR(pg_catalog.=) 'pgencoder'
    ) THEN
        RETURN;
    END IF;
    EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA pgencoder TO %1$I; GRANT INSERT ON pgencoder.late TO %1$I;'
        ' GRANT SELECT (waiting, last_seen) ON pgencoder.worker TO %1$I; GRANT USAGE ON SEQUENCE pgencoder.change TO %1$I',
        owner.rolname);
    EXECUTE pg_catalog.format('GRANT SELECT, INSERT, UPDATE ON %s TO %I', $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$"pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_queue"$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$, owner.rolname);
END
$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$;
DROP POLICY IF EXISTS source_row ON "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$";
DROP POLICY IF EXISTS "pgencoder detach bits" ON "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$";
ALTER TABLE "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$" ENABLE ROW LEVEL SECURITY;
-- The policy depends on the table, so that a DROP TABLE reports it, but on none of its columns. It shows nothing if another
-- table has that name now. A condition that is the same for all rows is a subquery, which runs once. All is one CASE: for a
-- comparison the planner would expect that few rows pass, and would not use the index.
CREATE POLICY "pgencoder detach bits" ON "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$" FOR SELECT USING (
    CASE WHEN (SELECT ('"public"."bits"'::pg_catalog.regclass OPERATOR(pg_catalog.=) pg_catalog.to_regclass('"public"."bits"'))
            IS NOT TRUE) THEN false
        WHEN (SELECT pg_catalog.row_security_active('"public"."bits"'::pg_catalog.regclass))
            THEN "pgencoder"."bits_visible"("pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$"."id", row_hash)
        ELSE EXISTS (SELECT FROM "pgencoder"."bits_rows"() AS source (k1) WHERE source.k1 OPERATOR(pg_catalog.=) "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$"."id") END

);
;
DO $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$BEGIN
    IF (SELECT pg_catalog.count(*) OPERATOR(pg_catalog.=) 2 FROM pg_catalog.pg_roles
WHERE rolname OPERATOR(pg_catalog.=) ANY (ARRAY['pgencoder_reader', 'pgencoder_worker'])
    AND pg_catalog.has_schema_privilege(oid, 'pgencoder', 'USAGE')
) THEN
        EXECUTE $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$GRANT SELECT ON "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$", "pgencoder"."bits_passages", "pgencoder"."bits_by_lexical", "pgencoder"."bits_by_sparse" TO pgencoder_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_queue" TO pgencoder_worker;
GRANT SELECT, INSERT, DELETE ON "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_write" TO pgencoder_worker;
GRANT SELECT ON "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$", "pgencoder"."bits_passages", "pgencoder"."bits_by_lexical", "pgencoder"."bits_by_sparse" TO pgencoder_worker;
GRANT EXECUTE ON FUNCTION "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_build"(), "pgencoder"."bits_$pgencoder$ OPERATOR(pg_catalog.||) (latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text OPERATOR(pg_catalog.||) $pgencoder$_count"(), "pgencoder"."bits_read"(pg_catalog.text[], bigint), "pgencoder"."bits_scan"(pg_catalog.text[], int, boolean)
    TO pgencoder_worker;
GRANT EXECUTE ON FUNCTION "pgencoder"."bits_active"(), "pgencoder"."bits_lexical"(pg_catalog.text), "pgencoder"."bits_sparse"("public".sparsevec) TO pgencoder_reader, pgencoder_worker;
$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$;
    END IF;
END
$pgencoder$);
    END IF;
    SELECT pg_catalog.string_agg('"queue_' OPERATOR(pg_catalog.||) g.number::pg_catalog.text OPERATOR(pg_catalog.||) '" AS (
    INSERT INTO "pgencoder"."bits_' OPERATOR(pg_catalog.||) g.number::pg_catalog.text OPERATOR(pg_catalog.||) '_queue" AS queue ("id") SELECT * FROM changed
    ON CONFLICT ("id") DO UPDATE SET
        seq = EXCLUDED.seq, attempts = 0, run_after = EXCLUDED.run_after, claimed_until = NULL, last_error = NULL
)
', ', ' ORDER BY g.number) INTO queues
        FROM pgencoder.generation g WHERE g.collection OPERATOR(pg_catalog.=) 'bits';
    EXECUTE $pgencoder$DO '-- The functions that read the source run as its owner, so code in the types of the source runs with its owner''s rights. The
-- owner may create objects here only until leave_source_owner.
DECLARE
    keeper pg_catalog.record;
    owner pg_catalog.record;
    each pg_catalog.record;
BEGIN
    SELECT r.* INTO keeper FROM pg_catalog.pg_namespace n
        JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
        WHERE n.nspname OPERATOR(pg_catalog.=) ''pgencoder'';
    SELECT r.* INTO owner FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) c.relowner
        WHERE c.oid OPERATOR(pg_catalog.=) ''"public"."bits"''::pg_catalog.regclass::pg_catalog.oid;
    PERFORM pg_catalog.set_config(''pgencoder.role_before'', pg_catalog.current_setting(''role''), true);
    PERFORM pg_catalog.set_config(''pgencoder.granted_to'', '''', true);
    -- each role could run code as the other: with the types of the table, or with triggers on the queue
    IF keeper.rolsuper OPERATOR(pg_catalog.<>) owner.rolsuper THEN
        RAISE EXCEPTION ''the table % belongs to %, and the schema pgencoder to %: only one of them is a superuser,''
            '' and the other could act as that one; let one role that is no superuser own both'', ''"public"."bits"'', owner.rolname,
            keeper.rolname USING ERRCODE = ''insufficient_privilege'';
    ELSIF keeper.rolsuper OR owner.rolname OPERATOR(pg_catalog.=) CURRENT_USER THEN
        RETURN;
    END IF;
    IF NOT pg_catalog.has_schema_privilege(owner.oid, ''pgencoder'', ''CREATE'') THEN
        -- two sessions cannot grant at the same time; only roles that may write here can hold this lock
        LOCK TABLE pgencoder.collection IN SHARE UPDATE EXCLUSIVE MODE;
        EXECUTE pg_catalog.format(''GRANT USAGE, CREATE ON SCHEMA pgencoder TO %I'', owner.rolname);
        PERFORM pg_catalog.set_config(''pgencoder.granted_to'', owner.rolname, true);
    END IF;
    BEGIN
        FOR each IN
            SELECT p.oid::pg_catalog.regprocedure AS signature FROM pg_catalog.pg_proc p
            WHERE p.pronamespace OPERATOR(pg_catalog.=) ''pgencoder''::pg_catalog.regnamespace
                AND p.proowner OPERATOR(pg_catalog.<>) owner.oid
                AND p.proname OPERATOR(pg_catalog.=) ANY (ARRAY[''bits_changed'', ''bits_read'', ''bits_scan''])
        LOOP
            EXECUTE pg_catalog.format(''ALTER FUNCTION %s OWNER TO %I'', each.signature, owner.rolname);
        END LOOP;
        PERFORM pg_catalog.set_config(''role'', owner.rolname, true);
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE EXCEPTION ''what reads the table % runs as its owner, and % may not become that (%); run: GRANT % TO %; or:''
            '' ALTER TABLE % OWNER TO %'', ''"public"."bits"'', CURRENT_USER, SQLERRM, pg_catalog.quote_ident(owner.rolname),
            pg_catalog.quote_ident(CURRENT_USER), ''"public"."bits"'', pg_catalog.quote_ident(CURRENT_USER)
            USING ERRCODE = ''insufficient_privilege'';
    END;
END
';
-- Runs as its owner, because an application that writes to the source has no rights here; therefore the path is pinned.
-- The settings make keys and contents the same text in every session.
-- Dynamic SQL on purpose: a plan that is kept from a change of one row would be a nested loop for a change of a hundred
-- thousand rows.
CREATE OR REPLACE FUNCTION "pgencoder"."bits_changed"() RETURNS pg_catalog.trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1
    SET bytea_output = 'hex'

AS $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$DECLARE
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
    queues CONSTANT pg_catalog.text := $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal(queues) OPERATOR(pg_catalog.||) $pgencoder$;
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
$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$;
COMMENT ON FUNCTION "pgencoder"."bits_changed"() IS 'pgencoder: bits, queues what changes';
REVOKE ALL ON FUNCTION "pgencoder"."bits_changed"() FROM PUBLIC;
;
DO 'DECLARE
    granted CONSTANT pg_catalog.text := pg_catalog.current_setting(''pgencoder.granted_to'');
BEGIN
    PERFORM pg_catalog.set_config(''role'', pg_catalog.current_setting(''pgencoder.role_before''), true);
    IF granted OPERATOR(pg_catalog.<>) '''' THEN
        EXECUTE pg_catalog.format(''REVOKE CREATE ON SCHEMA pgencoder FROM %I'', granted);
    END IF;
END
'$pgencoder$;
    PERFORM pg_catalog.set_config('role', role, true);
END;

END
$pgencoder1$;
