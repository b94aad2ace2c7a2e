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
        FROM (VALUES ('"public"."halves"'::pg_catalog.regclass, true), ('pgencoder.key_as_given'::pg_catalog.regclass, false))
            AS tables (relation, own)
        CROSS JOIN LATERAL pgencoder._source_key(relation) AS k
    ) AS columns;
    PERFORM pg_catalog.set_config('search_path', path, true);
    DROP TABLE pgencoder.key_as_given;
    IF EXISTS (SELECT FROM pgencoder._source_key('"public"."halves"'::pg_catalog.regclass) AS k WHERE NOT k.usable) THEN
        RAISE EXCEPTION 'the key of % is (%): only enums and types of Postgres itself can be a key', '"public"."halves"', key;
    END IF;
    IF (key OPERATOR(pg_catalog.=) given) IS NOT TRUE THEN
        RAISE EXCEPTION 'the key of % is (%), not (%)', '"public"."halves"', key, given
            USING HINT = 'Give its columns and types as key={...} to the operation.';
    END IF;
    EXECUTE $pgencoder$INSERT INTO pgencoder.collection (name, source_schema, source_table, columns) VALUES ('halves', 'public', 'halves', '{body}')
;
INSERT INTO pgencoder.collection_key VALUES ('halves', 1, 'id', 'id', 'bigint', '')
;
INSERT INTO pgencoder.generation (collection, number, state, encoder, chunking, activated_at)
VALUES ('halves', 1, 'active', '{"model": "words", "dims": [32, 16]}', 'truncate',
    CASE WHEN 'active' OPERATOR(pg_catalog.=) 'active' THEN pg_catalog.now() END);
INSERT INTO pgencoder.representation (collection, generation, name, kind, dims, indexed, options)
SELECT 'halves', 1, stored.name, stored.kind, stored.dims, stored.indexed, stored.options
FROM pg_catalog.jsonb_to_recordset('[{"name": "dense", "kind": "dense", "dims": 32, "indexed": true, "options": {}}, {"name": "lexical", "kind": "bm25", "dims": 536870913, "indexed": true, "options": {"configuration": "pg_catalog.english"}}, {"name": "tokens", "kind": "halfvec", "dims": 16, "indexed": false, "options": {}}]')
    AS stored (name pg_catalog.text, kind pg_catalog.text, dims int, indexed boolean, options pg_catalog.jsonb)
;
SELECT pgencoder._check_free('halves', NULL);
CREATE TABLE "pgencoder"."halves_1" (
    "id" $pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ NOT NULL,
    passage int NOT NULL,
    span pg_catalog.int4range NOT NULL,
    content pg_catalog.text NOT NULL,
    content_hash pg_catalog.bytea NOT NULL,
    truncated boolean NOT NULL,
    "dense" "public".halfvec(32) NOT NULL,
    "lexical" "public".sparsevec(536870913) NOT NULL,
    "lexical_terms" int[] NOT NULL,
    "tokens" "public".halfvec(16)[] NOT NULL,
    row_hash pg_catalog.bytea,
    mostly_unknown boolean,
    PRIMARY KEY ("id", passage)
);
ALTER TABLE "pgencoder"."halves_1" ALTER COLUMN "lexical" SET STORAGE MAIN;
ALTER TABLE "pgencoder"."halves_1" ALTER COLUMN "lexical_terms" SET STORAGE MAIN;
ALTER TABLE "pgencoder"."halves_1" ALTER COLUMN "tokens" SET STORAGE EXTERNAL;
-- The planner looks at the heap, which is small compared with its TOAST, and would never scan in parallel
ALTER TABLE "pgencoder"."halves_1" SET (parallel_workers = 4);
ALTER TABLE "pgencoder"."halves_1" ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE "pgencoder"."halves_1" IS 'pgencoder: halves, generation 1';
COMMENT ON COLUMN "pgencoder"."halves_1".mostly_unknown IS 'True if the model knows less than half of its tokens; NULL if not checked';
COMMENT ON COLUMN "pgencoder"."halves_1".row_hash IS 'SHA-256 of the whole content of the row of the passage';
CREATE TABLE "pgencoder"."halves_1_queue" (
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
CREATE INDEX ON "pgencoder"."halves_1_queue" (seq) WHERE attempts OPERATOR(pg_catalog.=) 0;
CREATE INDEX ON "pgencoder"."halves_1_queue" (run_after) WHERE attempts OPERATOR(pg_catalog.>) 0;
-- Most rows of a queue are dead; by default vacuum would wait for a fifth of the largest size of the queue
ALTER TABLE "pgencoder"."halves_1_queue" SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE "pgencoder"."halves_1_queue" IS 'pgencoder: halves, generation 1';
CREATE TABLE IF NOT EXISTS "pgencoder"."halves_1_terms" (
    representation pg_catalog.text NOT NULL,
    element int NOT NULL,
    passages int NOT NULL,
    PRIMARY KEY (representation, element)
);
COMMENT ON TABLE "pgencoder"."halves_1_terms" IS 'pgencoder: halves, terms of generation 1';
COMMENT ON COLUMN "pgencoder"."halves_1_terms".passages IS 'The passages that have the element, when they were counted last';
;
DO '-- The functions that read the source run as its owner, so code in the types of the source runs with its owner''s rights. The
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
        WHERE c.oid OPERATOR(pg_catalog.=) ''"public"."halves"''::pg_catalog.regclass::pg_catalog.oid;
    PERFORM pg_catalog.set_config(''pgencoder.role_before'', pg_catalog.current_setting(''role''), true);
    PERFORM pg_catalog.set_config(''pgencoder.granted_to'', '''', true);
    -- each role could run code as the other: with the types of the table, or with triggers on the queue
    IF keeper.rolsuper OPERATOR(pg_catalog.<>) owner.rolsuper THEN
        RAISE EXCEPTION ''the table % belongs to %, and the schema pgencoder to %: only one of them is a superuser,''
            '' and the other could act as that one; let one role that is no superuser own both'', ''"public"."halves"'', owner.rolname,
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
                AND p.proname OPERATOR(pg_catalog.=) ANY (ARRAY[''halves_changed'', ''halves_read'', ''halves_scan''])
        LOOP
            EXECUTE pg_catalog.format(''ALTER FUNCTION %s OWNER TO %I'', each.signature, owner.rolname);
        END LOOP;
        PERFORM pg_catalog.set_config(''role'', owner.rolname, true);
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE EXCEPTION ''what reads the table % runs as its owner, and % may not become that (%); run: GRANT % TO %; or:''
            '' ALTER TABLE % OWNER TO %'', ''"public"."halves"'', CURRENT_USER, SQLERRM, pg_catalog.quote_ident(owner.rolname),
            pg_catalog.quote_ident(CURRENT_USER), ''"public"."halves"'', pg_catalog.quote_ident(CURRENT_USER)
            USING ERRCODE = ''insufficient_privilege'';
    END;
END
';
-- Runs as its owner, because an application that writes to the source has no rights here; therefore the path is pinned.
-- The settings make keys and contents the same text in every session.
-- Dynamic SQL on purpose: a plan that is kept from a change of one row would be a nested loop for a change of a hundred
-- thousand rows.
CREATE OR REPLACE FUNCTION "pgencoder"."halves_changed"() RETURNS pg_catalog.trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1
    SET bytea_output = 'hex'

AS 'DECLARE
    keys pg_catalog.text := CASE WHEN TG_OP OPERATOR(pg_catalog.=) ''INSERT'' THEN ''SELECT "new"."id" FROM "new_rows" AS "new"''
        WHEN TG_OP OPERATOR(pg_catalog.=) ''UPDATE'' THEN ''SELECT "new"."id" FROM new_rows AS new
WHERE NOT EXISTS (
    SELECT FROM old_rows AS old
    WHERE "new"."id" OPERATOR(pg_catalog.=) "old"."id" AND pg_catalog.concat_ws('''' '''', "old"."body") OPERATOR(pg_catalog.=) pg_catalog.concat_ws('''' '''', "new"."body") COLLATE pg_catalog."C"
)
UNION
SELECT "old"."id" FROM old_rows AS old WHERE NOT EXISTS (SELECT FROM new_rows AS new WHERE "new"."id" OPERATOR(pg_catalog.=) "old"."id")
''
        WHEN TG_OP OPERATOR(pg_catalog.=) ''DELETE'' THEN ''SELECT "old"."id" FROM "old_rows" AS "old"'' END;
    queues CONSTANT pg_catalog.text := ''"queue_1" AS (
    INSERT INTO "pgencoder"."halves_1_queue" AS queue ("id") SELECT * FROM changed
    ON CONFLICT ("id") DO UPDATE SET
        seq = EXCLUDED.seq, attempts = 0, run_after = EXCLUDED.run_after, claimed_until = NULL, last_error = NULL
)
'';
    changed bigint := 1;
    lost pg_catalog.text;
BEGIN
    -- checked before, because catching the error would cost every statement a subtransaction
    IF TG_OP OPERATOR(pg_catalog.<>) ''TRUNCATE'' THEN
        SELECT pg_catalog.string_agg(pg_catalog.quote_ident(needed), '', '') INTO lost
        FROM pg_catalog.unnest(CASE WHEN TG_OP OPERATOR(pg_catalog.=) ''UPDATE'' THEN ARRAY[''id'', ''body'']::pg_catalog.text[]
            ELSE ARRAY[''id'']::pg_catalog.text[] END) AS needed
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) TG_RELID
                AND a.attname OPERATOR(pg_catalog.=) needed::pg_catalog.name AND NOT a.attisdropped
        );
        IF lost IS NOT NULL THEN
            RAISE EXCEPTION ''the table % has no column % any more, which the collection % is made of'', TG_RELID::pg_catalog.regclass,
                lost, pg_catalog.quote_literal(''halves'') USING ERRCODE = ''undefined_column'', HINT = pg_catalog.concat(
                    ''Bring the column back; or run: pgencoder detach '', ''halves'');
        END IF;
    END IF;
    IF TG_OP OPERATOR(pg_catalog.=) ''TRUNCATE'' THEN
        INSERT INTO pgencoder.late (collection) VALUES (''halves'');
    ELSIF pg_catalog.current_setting(''transaction_isolation'') OPERATOR(pg_catalog.^@) ''read'' THEN
        EXECUTE ''WITH changed AS MATERIALIZED (SELECT DISTINCT * FROM ('' OPERATOR(pg_catalog.||) keys OPERATOR(pg_catalog.||) '') AS changed("id") ORDER BY 1),
'' OPERATOR(pg_catalog.||) queues OPERATOR(pg_catalog.||) ''
SELECT pg_catalog.count(*) FROM changed
'' INTO changed;
    ELSE
        BEGIN
            EXECUTE ''WITH changed AS MATERIALIZED (SELECT DISTINCT * FROM ('' OPERATOR(pg_catalog.||) keys OPERATOR(pg_catalog.||) '') AS changed("id") ORDER BY 1),
'' OPERATOR(pg_catalog.||) queues OPERATOR(pg_catalog.||) ''
SELECT pg_catalog.count(*) FROM changed
'' INTO changed;
        EXCEPTION WHEN serialization_failure THEN
            -- A worker has claimed a key after this transaction''s snapshot, so the transaction cannot change the key''s
            -- row in the queue. The application must not fail for that.
            EXECUTE ''INSERT INTO pgencoder.late (collection, key)
SELECT ''''halves'''', ARRAY[pg_catalog.concat("id")] FROM ('' OPERATOR(pg_catalog.||) keys OPERATOR(pg_catalog.||) '') AS changed("id")
'';
        END;
    END IF;
    -- only if a worker waits for it: NOTIFY lets commits wait for each other, and forbids PREPARE TRANSACTION
    IF changed OPERATOR(pg_catalog.>) 0
        AND pg_catalog.current_setting(''max_prepared_transactions'') OPERATOR(pg_catalog.=) ''0''
        AND EXISTS (
            SELECT FROM pgencoder.worker WHERE waiting
                AND last_seen OPERATOR(pg_catalog.>) (pg_catalog.now() OPERATOR(pg_catalog.-) interval ''1 minute'')
        ) THEN
        PERFORM pg_catalog.pg_notify(''pgencoder'', ''halves'');
    END IF;
    RETURN NULL;
END
';
COMMENT ON FUNCTION "pgencoder"."halves_changed"() IS 'pgencoder: halves, queues what changes';
REVOKE ALL ON FUNCTION "pgencoder"."halves_changed"() FROM PUBLIC;
;
-- These run as the owner of the table, so a worker reads every row, independent of row level security for its role.
-- With row_security off, a policy that also applies to the owner raises an error instead of hiding rows.
CREATE OR REPLACE FUNCTION "pgencoder"."halves_read"(key1 pg_catalog.text[], bytes bigint)
RETURNS TABLE (n int, content pg_catalog.text, k1 $pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 500 SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1
    SET bytea_output = 'hex'
 SET row_security = off
AS $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$BEGIN
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
    RETURN QUERY EXECUTE $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$SELECT n, CASE WHEN total OPERATOR(pg_catalog.<=) $2 OR total OPERATOR(pg_catalog.=) size THEN content END,
    k1
FROM (
    SELECT *, pg_catalog.octet_length(content)::bigint AS size,
        pg_catalog.sum(pg_catalog.octet_length(content)) OVER (ORDER BY n) AS total
    FROM (
        SELECT (claim.n OPERATOR(pg_catalog.-) 1)::int AS n, pg_catalog.concat_ws(' ', "source"."body") AS content, "source"."id"::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ AS k1
        FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[])) WITH ORDINALITY AS claim(k1, n)
        JOIN "public"."halves" AS source ON "source"."id" OPERATOR(pg_catalog.=) claim.k1::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$
        OFFSET 0
    ) AS found
) AS sized
$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$ USING key1, bytes;
END
$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$;
CREATE OR REPLACE FUNCTION "pgencoder"."halves_scan"(after pg_catalog.text[], count int, hashed boolean)
RETURNS TABLE (k1 $pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$, row_hash pg_catalog.bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10000 SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1
    SET bytea_output = 'hex'
 SET row_security = off
AS $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$BEGIN
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
    RETURN QUERY EXECUTE $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$SELECT k1,
    CASE WHEN $3 AND pg_catalog.btrim(content, E' \t\n\r\f\x0b') OPERATOR(pg_catalog.<>) ''
        THEN pg_catalog.sha256(pg_catalog.convert_to(content, 'UTF8')) END
FROM (
    SELECT "source"."id"::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ AS k1, CASE WHEN $3 THEN pg_catalog.concat_ws(' ', "source"."body") END AS content FROM "public"."halves" AS source
    WHERE $1 IS NULL OR ("source"."id") OPERATOR(pg_catalog.>) ($1[1]::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$) ORDER BY "source"."id" LIMIT $2
) AS piece
$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$ USING after, count, hashed;
END
$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$;
REVOKE ALL ON FUNCTION "pgencoder"."halves_read"(pg_catalog.text[], bigint), "pgencoder"."halves_scan"(pg_catalog.text[], int, boolean) FROM PUBLIC;
COMMENT ON FUNCTION "pgencoder"."halves_read"(pg_catalog.text[], bigint) IS 'pgencoder: halves, rows by their keys, contents up to some bytes';
COMMENT ON FUNCTION "pgencoder"."halves_scan"(pg_catalog.text[], int, boolean) IS 'pgencoder: halves, keys in order after one, with the hash of their contents';
;
DO '-- The owner of the schema does not own these functions, but may call them and let workers call them
DECLARE
    keeper CONSTANT pg_catalog.name := (
        SELECT r.rolname FROM pg_catalog.pg_namespace n
        JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
        WHERE n.nspname OPERATOR(pg_catalog.=) ''pgencoder'');
BEGIN
    IF keeper OPERATOR(pg_catalog.<>) CURRENT_USER THEN
        EXECUTE pg_catalog.format(''GRANT EXECUTE ON FUNCTION %s(%s, bigint), %s(pg_catalog.text[], int, boolean) TO %I''
            '' WITH GRANT OPTION'', ''"pgencoder"."halves_read"'', ''pg_catalog.text[]'', ''"pgencoder"."halves_scan"'', keeper);
    END IF;
END
';
DO 'DECLARE
    granted CONSTANT pg_catalog.text := pg_catalog.current_setting(''pgencoder.granted_to'');
BEGIN
    PERFORM pg_catalog.set_config(''role'', pg_catalog.current_setting(''pgencoder.role_before''), true);
    IF granted OPERATOR(pg_catalog.<>) '''' THEN
        EXECUTE pg_catalog.format(''REVOKE CREATE ON SCHEMA pgencoder FROM %I'', granted);
    END IF;
END
';
-- Inlined into the calling statement, so the policy is planned as if it named the columns, but does not depend on them
CREATE OR REPLACE FUNCTION "pgencoder"."halves_rows"() RETURNS TABLE (k1 $pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$)
LANGUAGE sql STABLE ROWS 10000
AS $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$SELECT "source"."id"::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ AS k1 FROM "public"."halves" AS source
$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$;
COMMENT ON FUNCTION "pgencoder"."halves_rows"() IS 'pgencoder: halves, the keys of the rows that the caller may see';
-- For roles with row level security on the source: it runs with their rights and shows only the row's present content. A
-- passage may be older than its row and contain text that the role was never allowed to see. The path is the caller's,
-- because a policy of the source may call functions by plain names.
CREATE OR REPLACE FUNCTION "pgencoder"."halves_visible"($pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$, pg_catalog.bytea) RETURNS boolean
LANGUAGE plpgsql STABLE
    SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1
    SET bytea_output = 'hex'

AS 'BEGIN
    RETURN EXISTS (
        SELECT FROM "public"."halves" AS source WHERE "source"."id" OPERATOR(pg_catalog.=) $1
            AND $2 OPERATOR(pg_catalog.=) pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.concat_ws('' '', "source"."body"), ''UTF8''))
    );
END
';
COMMENT ON FUNCTION "pgencoder"."halves_visible"($pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$, pg_catalog.bytea) IS 'pgencoder: halves, whether the caller may see a row that holds what was hashed';
;
-- A worker that does not own the passages writes through this view: a view reads and writes with its owner's rights, so
-- row level security of the passages applies only to searches. COPY into a view needs the trigger, which makes what is
-- made of words: of `whole`, where `content` is cut at the model's limit.
CREATE OR REPLACE VIEW "pgencoder"."halves_1_write" AS SELECT *, NULL::pg_catalog.text AS whole FROM "pgencoder"."halves_1";
CREATE OR REPLACE FUNCTION "pgencoder"."halves_1_write"() RETURNS pg_catalog.trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'BEGIN
    INSERT INTO "pgencoder"."halves_1" ("id", "passage", "span", "content", "content_hash", "truncated", "row_hash", "mostly_unknown", "dense", "tokens", "lexical", "lexical_terms")
    SELECT "new"."id", "new"."passage", "new"."span", "new"."content", "new"."content_hash", "new"."truncated", "new"."row_hash", "new"."mostly_unknown", "new"."dense", "new"."tokens", "lexical", "lexical_terms" FROM (VALUES (1)) AS one (row), pgencoder._bm25(''pg_catalog.english''::pg_catalog.regconfig, coalesce(NEW.whole, NEW.content)) AS "lexical_made" ("lexical", "lexical_terms");
    RETURN NEW;
END
';
CREATE OR REPLACE TRIGGER write INSTEAD OF INSERT ON "pgencoder"."halves_1_write" FOR EACH ROW EXECUTE FUNCTION "pgencoder"."halves_1_write"();
REVOKE ALL ON FUNCTION "pgencoder"."halves_1_write"() FROM PUBLIC;
CREATE OR REPLACE FUNCTION "pgencoder"."halves_1_build"() RETURNS pg_catalog.void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'BEGIN
    CREATE INDEX IF NOT EXISTS "halves_1_dense" ON "pgencoder"."halves_1" USING hnsw ("dense" "public".halfvec_ip_ops);
    CREATE INDEX IF NOT EXISTS "halves_1_lexical" ON "pgencoder"."halves_1" USING gin ("lexical_terms" pg_catalog.array_ops) WITH (fastupdate = ''off'');
    PERFORM "pgencoder"."halves_1_count"();
    ANALYZE "pgencoder"."halves_1";
END
';
REVOKE ALL ON FUNCTION "pgencoder"."halves_1_build"() FROM PUBLIC;
CREATE OR REPLACE FUNCTION "pgencoder"."halves_1_count"() RETURNS pg_catalog.void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'BEGIN
    PERFORM FROM pgencoder.representation AS r
    WHERE r.collection OPERATOR(pg_catalog.=) ''halves'' AND r.generation OPERATOR(pg_catalog.=) 1
        AND r.name OPERATOR(pg_catalog.=) ''lexical''
    FOR UPDATE SKIP LOCKED;
IF FOUND THEN  -- nobody else counts
    WITH counted AS MATERIALIZED (
        SELECT term.element, pg_catalog.count(*)::int AS passages
        FROM "pgencoder"."halves_1" AS passage, pg_catalog.unnest(passage."lexical_terms") AS term (element) GROUP BY term.element
    ), gone AS (
        DELETE FROM "pgencoder"."halves_1_terms" AS t WHERE t.representation OPERATOR(pg_catalog.=) ''lexical''
            AND NOT EXISTS (SELECT FROM counted WHERE counted.element OPERATOR(pg_catalog.=) t.element)
    )
    INSERT INTO "pgencoder"."halves_1_terms" AS t (representation, element, passages)
    SELECT ''lexical'', counted.element, counted.passages FROM counted
    ON CONFLICT (representation, element) DO UPDATE SET passages = EXCLUDED.passages
        WHERE t.passages OPERATOR(pg_catalog.<>) EXCLUDED.passages;
    UPDATE pgencoder.representation AS r
        SET passages = counted.passages, mean_length = counted.length, counted_changes = (pg_catalog.pg_stat_get_tuples_inserted(''"pgencoder"."halves_1"''::pg_catalog.regclass::pg_catalog.oid)
    OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_tuples_updated(''"pgencoder"."halves_1"''::pg_catalog.regclass::pg_catalog.oid)
    OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_tuples_deleted(''"pgencoder"."halves_1"''::pg_catalog.regclass::pg_catalog.oid))

        FROM (SELECT pg_catalog.count(*), coalesce(pg_catalog.avg(pgencoder._bm25_length(passage.lexical)), 0) FROM "pgencoder"."halves_1" AS passage)
            AS counted (passages, length)
        WHERE r.collection OPERATOR(pg_catalog.=) ''halves'' AND r.generation OPERATOR(pg_catalog.=) 1
            AND r.name OPERATOR(pg_catalog.=) ''lexical'';
    ANALYZE "pgencoder"."halves_1_terms";
END IF;

END
';
REVOKE ALL ON FUNCTION "pgencoder"."halves_1_count"() FROM PUBLIC;
COMMENT ON VIEW "pgencoder"."halves_1_write" IS 'pgencoder: halves, generation 1, for workers';
COMMENT ON FUNCTION "pgencoder"."halves_1_write"() IS 'pgencoder: halves, generation 1, for workers';
COMMENT ON FUNCTION "pgencoder"."halves_1_build"() IS 'pgencoder: halves, generation 1, for workers';
COMMENT ON FUNCTION "pgencoder"."halves_1_count"() IS 'pgencoder: halves, generation 1, for workers';
;
DO '-- The rights of the trigger, which runs as the owner of the source
DECLARE
    owner pg_catalog.record;
BEGIN
    SELECT r.* INTO owner FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) c.relowner
        WHERE c.oid OPERATOR(pg_catalog.=) ''"public"."halves"''::pg_catalog.regclass::pg_catalog.oid;
    IF owner.rolname OPERATOR(pg_catalog.=) CURRENT_USER OR (
        SELECT r.rolsuper FROM pg_catalog.pg_namespace n
        JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
        WHERE n.nspname OPERATOR(pg_catalog.=) ''pgencoder''
    ) THEN
        RETURN;
    END IF;
    EXECUTE pg_catalog.format(''GRANT USAGE ON SCHEMA pgencoder TO %1$I; GRANT INSERT ON pgencoder.late TO %1$I;''
        '' GRANT SELECT (waiting, last_seen) ON pgencoder.worker TO %1$I; GRANT USAGE ON SEQUENCE pgencoder.change TO %1$I'',
        owner.rolname);
    EXECUTE pg_catalog.format(''GRANT SELECT, INSERT, UPDATE ON %s TO %I'', ''"pgencoder"."halves_1_queue"'', owner.rolname);
END
';
DROP POLICY IF EXISTS source_row ON "pgencoder"."halves_1";
DROP POLICY IF EXISTS "pgencoder detach halves" ON "pgencoder"."halves_1";
ALTER TABLE "pgencoder"."halves_1" ENABLE ROW LEVEL SECURITY;
-- The policy depends on the table, so that a DROP TABLE reports it, but on none of its columns. It shows nothing if another
-- table has that name now. A condition that is the same for all rows is a subquery, which runs once. All is one CASE: for a
-- comparison the planner would expect that few rows pass, and would not use the index.
CREATE POLICY "pgencoder detach halves" ON "pgencoder"."halves_1" FOR SELECT USING (
    CASE WHEN (SELECT ('"public"."halves"'::pg_catalog.regclass OPERATOR(pg_catalog.=) pg_catalog.to_regclass('"public"."halves"'))
            IS NOT TRUE) THEN false
        WHEN (SELECT pg_catalog.row_security_active('"public"."halves"'::pg_catalog.regclass))
            THEN "pgencoder"."halves_visible"("pgencoder"."halves_1"."id", row_hash)
        ELSE EXISTS (SELECT FROM "pgencoder"."halves_rows"() AS source (k1) WHERE source.k1 OPERATOR(pg_catalog.=) "pgencoder"."halves_1"."id") END

);
;
DO '-- The functions that read the source run as its owner, so code in the types of the source runs with its owner''s rights. The
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
        WHERE c.oid OPERATOR(pg_catalog.=) ''"public"."halves"''::pg_catalog.regclass::pg_catalog.oid;
    PERFORM pg_catalog.set_config(''pgencoder.role_before'', pg_catalog.current_setting(''role''), true);
    PERFORM pg_catalog.set_config(''pgencoder.granted_to'', '''', true);
    -- each role could run code as the other: with the types of the table, or with triggers on the queue
    IF keeper.rolsuper OPERATOR(pg_catalog.<>) owner.rolsuper THEN
        RAISE EXCEPTION ''the table % belongs to %, and the schema pgencoder to %: only one of them is a superuser,''
            '' and the other could act as that one; let one role that is no superuser own both'', ''"public"."halves"'', owner.rolname,
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
                AND p.proname OPERATOR(pg_catalog.=) ANY (ARRAY[''halves_changed'', ''halves_read'', ''halves_scan''])
        LOOP
            EXECUTE pg_catalog.format(''ALTER FUNCTION %s OWNER TO %I'', each.signature, owner.rolname);
        END LOOP;
        PERFORM pg_catalog.set_config(''role'', owner.rolname, true);
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE EXCEPTION ''what reads the table % runs as its owner, and % may not become that (%); run: GRANT % TO %; or:''
            '' ALTER TABLE % OWNER TO %'', ''"public"."halves"'', CURRENT_USER, SQLERRM, pg_catalog.quote_ident(owner.rolname),
            pg_catalog.quote_ident(CURRENT_USER), ''"public"."halves"'', pg_catalog.quote_ident(CURRENT_USER)
            USING ERRCODE = ''insufficient_privilege'';
    END;
END
';
DO 'DECLARE
    relation pg_catalog.regclass;
BEGIN
    FOR relation IN WITH RECURSIVE tree (oid) AS (
        SELECT ''"public"."halves"''::pg_catalog.regclass::pg_catalog.oid
        UNION
        SELECT i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent OPERATOR(pg_catalog.=) tree.oid
    ) SELECT c.oid FROM tree JOIN pg_catalog.pg_class c
        ON c.oid OPERATOR(pg_catalog.=) tree.oid AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY[''r'', ''p'']::pg_catalog."char"[])
    LOOP
        EXECUTE ''CREATE OR REPLACE TRIGGER "pgencoder_halves_insert" AFTER INSERT ON '' OPERATOR(pg_catalog.||) relation::pg_catalog.text OPERATOR(pg_catalog.||) ''
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "pgencoder"."halves_changed"();
CREATE OR REPLACE TRIGGER "pgencoder_halves_update" AFTER UPDATE ON '' OPERATOR(pg_catalog.||) relation::pg_catalog.text OPERATOR(pg_catalog.||) ''
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "pgencoder"."halves_changed"();
CREATE OR REPLACE TRIGGER "pgencoder_halves_delete" AFTER DELETE ON '' OPERATOR(pg_catalog.||) relation::pg_catalog.text OPERATOR(pg_catalog.||) ''
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION "pgencoder"."halves_changed"();
CREATE OR REPLACE TRIGGER "pgencoder_halves_truncate" AFTER TRUNCATE ON '' OPERATOR(pg_catalog.||) relation::pg_catalog.text OPERATOR(pg_catalog.||) ''
    FOR EACH STATEMENT EXECUTE FUNCTION "pgencoder"."halves_changed"();
'';
    END LOOP;
END
';
DO 'DECLARE
    granted CONSTANT pg_catalog.text := pg_catalog.current_setting(''pgencoder.granted_to'');
BEGIN
    PERFORM pg_catalog.set_config(''role'', pg_catalog.current_setting(''pgencoder.role_before''), true);
    IF granted OPERATOR(pg_catalog.<>) '''' THEN
        EXECUTE pg_catalog.format(''REVOKE CREATE ON SCHEMA pgencoder FROM %I'', granted);
    END IF;
END
';
SELECT '[1]'::"public".halfvec;
-- The settings are named here, so that their values are restored when the function ends. The search path is pinned.
CREATE OR REPLACE FUNCTION "pgencoder"."halves_search"(
    query_dense "public".halfvec, query_tokens "public".halfvec[], k int DEFAULT 10, candidates int DEFAULT 100,
    filter pg_catalog.text DEFAULT NULL, group_by pg_catalog.text DEFAULT 'passage',
    query_encoder pg_catalog.jsonb DEFAULT NULL, query_text pg_catalog.text DEFAULT NULL,
    fusion pg_catalog.text DEFAULT NULL, weights pg_catalog.jsonb DEFAULT NULL, boost pg_catalog.text DEFAULT NULL,
    min_relevance double precision DEFAULT NULL, query_sparse "public".sparsevec DEFAULT NULL
) RETURNS TABLE (
    "id" $pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$, passage int, content pg_catalog.text, score double precision, relevance double precision,
    recall_rank int, dense_score double precision, parts pg_catalog.jsonb
)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 10
SET hnsw.ef_search = 100 SET hnsw.iterative_scan = relaxed_order SET jit = off
AS $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$-- The statement that is asked for most is planned once in a session. It has no variables by their names, which may be those of
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
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "searched"."id"::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ AS k1 FROM "public"."halves" AS searched) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL
    ORDER BY distance LIMIT 100
), dense_exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "searched"."id"::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ AS k1 FROM "public"."halves" AS searched) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.<) 100
    ORDER BY distance LIMIT 100
), dense_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT * FROM dense_nearest WHERE (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.>=) 100 UNION ALL TABLE dense_exact) AS found
), lexical_chosen AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config('pgencoder.lexical_weights', asked.weights::pg_catalog.text, true), pg_catalog.set_config('pgencoder.lexical_any_1', pg_catalog.array_to_string(asked.any_1, ','), true), pg_catalog.set_config('pgencoder.lexical_any_2', pg_catalog.array_to_string(asked.any_2, ','), true), pg_catalog.set_config('pgencoder.lexical_any_3', pg_catalog.array_to_string(asked.any_3, ','), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL), lexical_nearest AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.distance
    FROM (
        SELECT source.k1, passages.passage, passages.distance
        FROM "pgencoder"."halves_by_lexical" AS passages JOIN (SELECT "searched"."id"::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ AS k1 FROM "public"."halves" AS searched) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL
        ORDER BY distance LIMIT 100
    ) AS found JOIN "pgencoder"."halves_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_widened AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config('pgencoder.lexical_weights', asked.weights::pg_catalog.text, true), pg_catalog.set_config('pgencoder.lexical_any_1', pg_catalog.array_to_string(asked.every, ','), true), pg_catalog.set_config('pgencoder.lexical_any_2', pg_catalog.array_to_string(asked.every, ','), true), pg_catalog.set_config('pgencoder.lexical_any_3', pg_catalog.array_to_string(asked.every, ','), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL AND NOT (SELECT asked.complete FROM lexical_asked AS asked) AND (SELECT pg_catalog.count(*) FROM lexical_nearest) OPERATOR(pg_catalog.<) $3), lexical_exact AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.distance
    FROM (
        SELECT source.k1, passages.passage, passages.distance
        FROM "pgencoder"."halves_by_lexical" AS passages JOIN (SELECT "searched"."id"::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ AS k1 FROM "public"."halves" AS searched) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
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
    statement := CASE WHEN group_by OPERATOR(pg_catalog.=) 'passage' THEN $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$SELECT k1, passage, content, score, relevance, recall_rank, dense_score, parts FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least($4, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE true
), lexical_asked AS MATERIALIZED (SELECT * FROM "pgencoder"."halves_lexical"($5) WHERE (SELECT done FROM setting) IS NOT NULL), dense_nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ AS k1, ($pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$ OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$)) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL
    ORDER BY distance LIMIT $4
), dense_exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ AS k1, ($pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$ OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$)) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.<) $4
    ORDER BY distance LIMIT $4
), dense_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT * FROM dense_nearest WHERE (SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.>=) $4 UNION ALL TABLE dense_exact) AS found
), lexical_chosen AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config('pgencoder.lexical_weights', asked.weights::pg_catalog.text, true), pg_catalog.set_config('pgencoder.lexical_any_1', pg_catalog.array_to_string(asked.any_1, ','), true), pg_catalog.set_config('pgencoder.lexical_any_2', pg_catalog.array_to_string(asked.any_2, ','), true), pg_catalog.set_config('pgencoder.lexical_any_3', pg_catalog.array_to_string(asked.any_3, ','), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL), lexical_nearest AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."halves_by_lexical" AS passages JOIN (SELECT "id"::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ AS k1, ($pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$ OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$)) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL
        ORDER BY distance LIMIT $4
    ) AS found JOIN "pgencoder"."halves_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_widened AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config('pgencoder.lexical_weights', asked.weights::pg_catalog.text, true), pg_catalog.set_config('pgencoder.lexical_any_1', pg_catalog.array_to_string(asked.every, ','), true), pg_catalog.set_config('pgencoder.lexical_any_2', pg_catalog.array_to_string(asked.every, ','), true), pg_catalog.set_config('pgencoder.lexical_any_3', pg_catalog.array_to_string(asked.every, ','), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL AND NOT (SELECT asked.complete FROM lexical_asked AS asked) AND (SELECT pg_catalog.count(*) FROM lexical_nearest) OPERATOR(pg_catalog.<) $3), lexical_exact AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."halves_by_lexical" AS passages JOIN (SELECT "id"::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ AS k1, ($pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$ OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
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
FROM (SELECT * FROM (SELECT *, (' OPERATOR(pg_catalog.||) fused OPERATOR(pg_catalog.||) ') OPERATOR(pg_catalog.+) coalesce(boost, 0) AS score, ' OPERATOR(pg_catalog.||) relevant OPERATOR(pg_catalog.||) ' AS relevance FROM (SELECT *, least(greatest(dense_score, 0), 1) AS dense_relevance, (lexical_score OPERATOR(pg_catalog./) (SELECT asked.highest FROM lexical_asked AS asked)) AS lexical_relevance, least(greatest((tokens_score OPERATOR(pg_catalog./) greatest(pg_catalog.cardinality($2), 1)), 0), 1) AS tokens_relevance, CASE WHEN dense_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY dense_score DESC NULLS LAST) END AS dense_place, CASE WHEN lexical_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY lexical_score DESC NULLS LAST) END AS lexical_place, CASE WHEN tokens_score IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY tokens_score DESC NULLS LAST) END AS tokens_place FROM scored) AS measured) AS fused WHERE relevance OPERATOR(pg_catalog.>=) coalesce($7, ''-infinity'') ORDER BY score DESC NULLS LAST, k1, passage LIMIT $3) AS top) AS hits ORDER BY score DESC NULLS LAST, k1, passage' ELSE $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$SELECT k1, passage, content, score, relevance, recall_rank, dense_score, parts FROM (WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least($4, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE true
), lexical_asked AS MATERIALIZED (SELECT * FROM "pgencoder"."halves_lexical"($5) WHERE (SELECT done FROM setting) IS NOT NULL), dense_nearest AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ AS k1, ($pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$ OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$)) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL
    ORDER BY distance LIMIT $4
), dense_wider AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ AS k1, ($pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$ OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$)) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1 FROM dense_nearest) AS documents) OPERATOR(pg_catalog.<) $3
    ORDER BY distance LIMIT $4::bigint OPERATOR(pg_catalog.*) 10
), dense_exact AS (
    SELECT source.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, source.boost, pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0 AS distance
    FROM "pgencoder"."halves_1" AS passages JOIN (SELECT "id"::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ AS k1, ($pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$ OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$)) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
    WHERE (SELECT done FROM setting) IS NOT NULL AND $1 IS NOT NULL AND ((SELECT pg_catalog.count(*) FROM dense_nearest) OPERATOR(pg_catalog.<) $4 OR (SELECT pg_catalog.count(*) FROM (SELECT k1 FROM dense_nearest UNION SELECT k1 FROM dense_wider) AS documents) OPERATOR(pg_catalog.<) $3)
    ORDER BY pg_catalog.row_number() OVER (PARTITION BY source.k1 ORDER BY pgencoder._distance(dense, $1) OPERATOR(pg_catalog.+) 0) OPERATOR(pg_catalog.>) 1, distance LIMIT $4
), dense_recall AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, k1, passage)::int AS recall_rank
    FROM (SELECT DISTINCT ON (k1, passage) * FROM (TABLE dense_nearest UNION ALL TABLE dense_wider UNION ALL TABLE dense_exact) AS stages) AS found
), lexical_chosen AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config('pgencoder.lexical_weights', asked.weights::pg_catalog.text, true), pg_catalog.set_config('pgencoder.lexical_any_1', pg_catalog.array_to_string(asked.any_1, ','), true), pg_catalog.set_config('pgencoder.lexical_any_2', pg_catalog.array_to_string(asked.any_2, ','), true), pg_catalog.set_config('pgencoder.lexical_any_3', pg_catalog.array_to_string(asked.any_3, ','), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL), lexical_nearest AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."halves_by_lexical" AS passages JOIN (SELECT "id"::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ AS k1, ($pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$ OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$)) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL
        ORDER BY distance LIMIT $4
    ) AS found JOIN "pgencoder"."halves_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_wider AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."halves_by_lexical" AS passages JOIN (SELECT "id"::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ AS k1, ($pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$ OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) $pgencoder$ OPERATOR(pg_catalog.||) pg_catalog.quote_literal($pgencoder$)) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
        WHERE (SELECT done FROM lexical_chosen) IS NOT NULL AND (SELECT pg_catalog.count(*) FROM lexical_nearest) OPERATOR(pg_catalog.>=) $4 AND (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT k1 FROM lexical_nearest) AS documents) OPERATOR(pg_catalog.<) $3
        ORDER BY distance LIMIT $4::bigint OPERATOR(pg_catalog.*) 10
    ) AS found JOIN "pgencoder"."halves_1" AS passages ON passages."id" OPERATOR(pg_catalog.=) found.k1 AND passages.passage OPERATOR(pg_catalog.=) found.passage
), lexical_widened AS MATERIALIZED (SELECT pg_catalog.concat(pg_catalog.set_config('pgencoder.lexical_weights', asked.weights::pg_catalog.text, true), pg_catalog.set_config('pgencoder.lexical_any_1', pg_catalog.array_to_string(asked.every, ','), true), pg_catalog.set_config('pgencoder.lexical_any_2', pg_catalog.array_to_string(asked.every, ','), true), pg_catalog.set_config('pgencoder.lexical_any_3', pg_catalog.array_to_string(asked.every, ','), true)) AS done FROM lexical_asked AS asked WHERE (SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL AND NOT (SELECT asked.complete FROM lexical_asked AS asked) AND (SELECT pg_catalog.count(*) FROM (SELECT k1 FROM lexical_nearest UNION SELECT k1 FROM lexical_wider) AS documents) OPERATOR(pg_catalog.<) $3), lexical_exact AS (
    SELECT found.k1, passages.passage, passages.span, passages.content, passages.dense, passages.lexical, passages.tokens, found.boost, found.distance
    FROM (
        SELECT source.k1, passages.passage, source.boost, passages.distance
        FROM "pgencoder"."halves_by_lexical" AS passages JOIN (SELECT "id"::$pgencoder$ OPERATOR(pg_catalog.||) full_types[1] OPERATOR(pg_catalog.||) $pgencoder$ AS k1, ($pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$ OPERATOR(pg_catalog.||) boosted OPERATOR(pg_catalog.||) ')::double precision AS boost FROM "public"."halves" WHERE (' OPERATOR(pg_catalog.||) wanted OPERATOR(pg_catalog.||) ')) AS source ON passages."id" OPERATOR(pg_catalog.=) source.k1
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
$pgencoder$) OPERATOR(pg_catalog.||) $pgencoder$;
COMMENT ON FUNCTION "pgencoder"."halves_search"("public".halfvec, "public".halfvec[], int, int, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text, double precision, "public".sparsevec) IS 'pgencoder: searches halves; filter is SQL on the source''s columns';
DO 'BEGIN
    -- The path has the schema of the source for the caller''s filter, if only roles that the caller trusts may create in it
    EXECUTE pg_catalog.concat(
        ''ALTER FUNCTION '', ''"pgencoder"."halves_search"("public".halfvec, "public".halfvec[], int, int, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text, double precision, "public".sparsevec)'', '' SET search_path = pg_catalog, '',
        (
            SELECT pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '', ''
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
            WHERE n.nspname OPERATOR(pg_catalog.=) ''public'' AND c.relname OPERATOR(pg_catalog.=) ''halves''
                AND NOT EXISTS (
                    SELECT FROM (
                        SELECT n.nspowner
                        UNION ALL
                        SELECT a.grantee
                        FROM pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault(''n'', n.nspowner))) AS a
                        WHERE a.privilege_type OPERATOR(pg_catalog.=) ''CREATE''
                    ) AS makers (maker)
                    LEFT JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) maker
                    LEFT JOIN pg_catalog.pg_database d ON d.datdba OPERATOR(pg_catalog.=) maker
                        AND d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
                    WHERE (r.rolsuper OR d.oid IS NOT NULL OR r.rolname OPERATOR(pg_catalog.=) ''pg_database_owner''
                        OR (maker OPERATOR(pg_catalog.=) n.nspowner AND maker OPERATOR(pg_catalog.=) c.relowner))
                        IS NOT TRUE
                )
        ),
        ''pg_temp''
    );
END
';
;
-- It runs as the owner, because the counts say of words if any passage has them
CREATE OR REPLACE FUNCTION "pgencoder"."halves_lexical"(query pg_catalog.text) RETURNS TABLE (
    weights "public".sparsevec, units "public".sparsevec[], impacts double precision[], mean_length double precision,
    highest double precision, any_1 int[], any_2 int[], any_3 int[], every int[], complete boolean
)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp SET jit = off
AS 'BEGIN
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT t.term, t.count AS weight FROM pgencoder._terms(''pg_catalog.english''::pg_catalog.regconfig, $1) AS t
        -- a sparsevec has at most 16,000 elements
        ORDER BY t.count DESC, t.term LIMIT 15000
    ), counted AS MATERIALIZED (
        SELECT l.term, l.weight, pg_catalog.array_agg(l.passages ORDER BY l.level) AS counts
        FROM (
            SELECT a.term, a.weight, level, (pg_catalog.sum(coalesce((
                -- no join, which might read the whole table
                SELECT c.passages FROM "pgencoder"."halves_1_terms" AS c WHERE c.representation OPERATOR(pg_catalog.=) ''lexical''
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
        WHERE r.collection OPERATOR(pg_catalog.=) ''halves'' AND r.generation OPERATOR(pg_catalog.=) 1
            AND r.name OPERATOR(pg_catalog.=) ''lexical''
    ), query AS (
        SELECT pg_catalog.concat(''{'', pg_catalog.string_agg(pg_catalog.concat(w.term, '':'', w.impact::real), '',''),
                ''}/536870913'')::"public".sparsevec AS weights,
            pg_catalog.array_agg(pg_catalog.concat(''{'', w.term, '':1}/536870913'')::"public".sparsevec
                ORDER BY w.counts[1], w.term) AS units,
            coalesce(pg_catalog.array_agg(w.term ORDER BY w.counts[1], w.term), ''{}'') AS terms,
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
';
COMMENT ON FUNCTION "pgencoder"."halves_lexical"(pg_catalog.text) IS 'pgencoder: halves, searches by words';
REVOKE ALL ON FUNCTION "pgencoder"."halves_lexical"(pg_catalog.text) FROM PUBLIC;
;
-- It runs as the owner, because the counts say of terms if any passage has them
CREATE OR REPLACE FUNCTION "pgencoder"."halves_sparse"(query "public".sparsevec) RETURNS TABLE (
    weights "public".sparsevec, highest double precision, any_1 int[], any_2 int[], any_3 int[], every int[],
    complete boolean
)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp SET jit = off
AS 'BEGIN
    RAISE EXCEPTION ''the collection % stores no sparse vectors'', ''halves'' USING ERRCODE = ''object_not_in_prerequisite_state'',
        HINT = ''Give a sparse model: pgencoder reencode --sparse-model MODEL.'';
END
';
COMMENT ON FUNCTION "pgencoder"."halves_sparse"("public".sparsevec) IS 'pgencoder: halves, searches by a sparse vector';
REVOKE ALL ON FUNCTION "pgencoder"."halves_sparse"("public".sparsevec) FROM PUBLIC;
;
-- Under row level security Postgres uses no index for a condition of the search, because its operator is not leakproof. This
-- view reads with its owner's rights and has that condition inside, then that of the policy, which is checked for the best
-- passages first, until there are enough. It shows less than the passages do. A search sets what it asks for; wrong
-- settings fail before a row is read, so that an error tells nothing of rows.
CREATE OR REPLACE VIEW "pgencoder"."halves_by_lexical" WITH (security_barrier = true) AS
SELECT "id", passage, distance
FROM (
    SELECT passages."id", passages.passage, passages.row_hash, pgencoder._distance(lexical, (SELECT asked.weights FROM (SELECT pg_catalog.current_setting('pgencoder.lexical_weights', true)::"public".sparsevec(536870913) AS weights, pg_catalog.string_to_array(pg_catalog.current_setting('pgencoder.lexical_any_1', true), ',')::int[] AS any_1, pg_catalog.string_to_array(pg_catalog.current_setting('pgencoder.lexical_any_2', true), ',')::int[] AS any_2, pg_catalog.string_to_array(pg_catalog.current_setting('pgencoder.lexical_any_3', true), ',')::int[] AS any_3) AS asked)) AS distance FROM "pgencoder"."halves_1" AS passages
    WHERE (SELECT asked.weights IS NOT NULL AND asked.any_1 IS NOT NULL AND asked.any_2 IS NOT NULL AND asked.any_3 IS NOT NULL FROM (SELECT pg_catalog.current_setting('pgencoder.lexical_weights', true)::"public".sparsevec(536870913) AS weights, pg_catalog.string_to_array(pg_catalog.current_setting('pgencoder.lexical_any_1', true), ',')::int[] AS any_1, pg_catalog.string_to_array(pg_catalog.current_setting('pgencoder.lexical_any_2', true), ',')::int[] AS any_2, pg_catalog.string_to_array(pg_catalog.current_setting('pgencoder.lexical_any_3', true), ',')::int[] AS any_3) AS asked) AND passages.lexical_terms OPERATOR(pg_catalog.&&) (SELECT asked.any_1 FROM (SELECT pg_catalog.current_setting('pgencoder.lexical_weights', true)::"public".sparsevec(536870913) AS weights, pg_catalog.string_to_array(pg_catalog.current_setting('pgencoder.lexical_any_1', true), ',')::int[] AS any_1, pg_catalog.string_to_array(pg_catalog.current_setting('pgencoder.lexical_any_2', true), ',')::int[] AS any_2, pg_catalog.string_to_array(pg_catalog.current_setting('pgencoder.lexical_any_3', true), ',')::int[] AS any_3) AS asked) AND passages.lexical_terms OPERATOR(pg_catalog.&&) (SELECT asked.any_2 FROM (SELECT pg_catalog.current_setting('pgencoder.lexical_weights', true)::"public".sparsevec(536870913) AS weights, pg_catalog.string_to_array(pg_catalog.current_setting('pgencoder.lexical_any_1', true), ',')::int[] AS any_1, pg_catalog.string_to_array(pg_catalog.current_setting('pgencoder.lexical_any_2', true), ',')::int[] AS any_2, pg_catalog.string_to_array(pg_catalog.current_setting('pgencoder.lexical_any_3', true), ',')::int[] AS any_3) AS asked) AND passages.lexical_terms OPERATOR(pg_catalog.&&) (SELECT asked.any_3 FROM (SELECT pg_catalog.current_setting('pgencoder.lexical_weights', true)::"public".sparsevec(536870913) AS weights, pg_catalog.string_to_array(pg_catalog.current_setting('pgencoder.lexical_any_1', true), ',')::int[] AS any_1, pg_catalog.string_to_array(pg_catalog.current_setting('pgencoder.lexical_any_2', true), ',')::int[] AS any_2, pg_catalog.string_to_array(pg_catalog.current_setting('pgencoder.lexical_any_3', true), ',')::int[] AS any_3) AS asked)
    ORDER BY distance
) AS passages
WHERE CASE WHEN NOT (SELECT pg_catalog.row_security_active('"pgencoder"."halves_1"'::pg_catalog.regclass)) THEN true
    ELSE CASE WHEN (SELECT ('"public"."halves"'::pg_catalog.regclass OPERATOR(pg_catalog.=) pg_catalog.to_regclass('"public"."halves"'))
            IS NOT TRUE) THEN false
        WHEN (SELECT pg_catalog.row_security_active('"public"."halves"'::pg_catalog.regclass))
            THEN "pgencoder"."halves_visible"(passages."id", row_hash)
        ELSE EXISTS (SELECT FROM "pgencoder"."halves_rows"() AS source (k1) WHERE source.k1 OPERATOR(pg_catalog.=) passages."id") END
 END;
COMMENT ON VIEW "pgencoder"."halves_by_lexical" IS 'pgencoder: halves, candidates of a search by words';
;
-- LIMIT 0 and not WHERE false, by which the planner would leave out the check of the whole search
CREATE OR REPLACE VIEW "pgencoder"."halves_by_sparse" WITH (security_barrier = true) AS
SELECT "id", passage, 0::double precision AS distance FROM "pgencoder"."halves_1" LIMIT 0;
COMMENT ON VIEW "pgencoder"."halves_by_sparse" IS 'pgencoder: halves, candidates of a search by a sparse vector';
;
CREATE OR REPLACE VIEW "pgencoder"."halves_passages" WITH (security_invoker = true) AS
    SELECT "id", passage, span, content, "dense", "lexical", "lexical_terms", "tokens" FROM "pgencoder"."halves_1";
COMMENT ON VIEW "pgencoder"."halves_passages" IS 'pgencoder: halves, passages of the active generation';
;
-- A function with constants, because the catalogue could be of another snapshot than the view, which is always current
CREATE OR REPLACE FUNCTION "pgencoder"."halves_active"() RETURNS pg_catalog.jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN  E'{"collection": "halves", "generation": 1, "source": "\\"public\\".\\"halves\\"", "key": "\\"id\\"", "encoder": {"model": "words", "dims": [32, 16]}}'::pg_catalog.jsonb;
COMMENT ON FUNCTION "pgencoder"."halves_active"() IS 'pgencoder: halves, the active generation';
REVOKE ALL ON FUNCTION "pgencoder"."halves_active"() FROM PUBLIC;
;
SELECT pg_catalog.count(*) FROM "pgencoder"."halves_scan"(NULL, 0, true);
DO 'BEGIN
    IF (SELECT pg_catalog.count(*) OPERATOR(pg_catalog.=) 2 FROM pg_catalog.pg_roles
WHERE rolname OPERATOR(pg_catalog.=) ANY (ARRAY[''pgencoder_reader'', ''pgencoder_worker''])
    AND pg_catalog.has_schema_privilege(oid, ''pgencoder'', ''USAGE'')
) THEN
        EXECUTE ''GRANT SELECT ON "pgencoder"."halves_1", "pgencoder"."halves_passages", "pgencoder"."halves_by_lexical", "pgencoder"."halves_by_sparse" TO pgencoder_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON "pgencoder"."halves_1_queue" TO pgencoder_worker;
GRANT SELECT, INSERT, DELETE ON "pgencoder"."halves_1_write" TO pgencoder_worker;
GRANT SELECT ON "pgencoder"."halves_1", "pgencoder"."halves_passages", "pgencoder"."halves_by_lexical", "pgencoder"."halves_by_sparse" TO pgencoder_worker;
GRANT EXECUTE ON FUNCTION "pgencoder"."halves_1_build"(), "pgencoder"."halves_1_count"(), "pgencoder"."halves_read"(pg_catalog.text[], bigint), "pgencoder"."halves_scan"(pg_catalog.text[], int, boolean)
    TO pgencoder_worker;
GRANT EXECUTE ON FUNCTION "pgencoder"."halves_active"(), "pgencoder"."halves_lexical"(pg_catalog.text), "pgencoder"."halves_sparse"("public".sparsevec) TO pgencoder_reader, pgencoder_worker;
'';
    END IF;
END
'$pgencoder$;
UPDATE pgencoder.collection_key SET type = types[position], collate_as = coalesce(collations[position], '')
WHERE collection OPERATOR(pg_catalog.=) 'halves';

END
$pgencoder1$;
