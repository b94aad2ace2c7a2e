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
    SELECT o.owner INTO other FROM ({other_owner}) AS o (owner, superuser);
    IF other IS NOT NULL THEN
        RAISE EXCEPTION 'the schema pgencoder, or a part of it, belongs to "%", who is no superuser', other
            USING ERRCODE = 'insufficient_privilege', HINT = 'Run this script as a role that is no superuser.';
    END IF;
    IF pg_catalog.to_regclass('pgencoder.revision') IS NOT NULL THEN
        SELECT version_num INTO revision FROM pgencoder.revision;
    END IF;
    IF (revision OPERATOR(pg_catalog.=) {head}) IS NOT TRUE THEN
        RAISE EXCEPTION 'this database has no schema pgencoder at revision %', {head} USING HINT = 'Run: pgencoder migrate';
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_extension WHERE extname OPERATOR(pg_catalog.=) 'vector'
            AND extnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace({vector_name})
    ) THEN
        RAISE EXCEPTION 'the extension vector is not in the schema %', {vector_name}
            USING HINT = 'In env.py: context.configure(..., pgencoder_vector_schema="...")';
    END IF;
    -- a type such as "int" or "color" is given as people write it; a column shows which type it is, and its full name
    CREATE TABLE pgencoder.key_as_given ({given}, PRIMARY KEY ({names}));
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog', true);
    SELECT pg_catalog.string_agg(spelled, ', ' ORDER BY n) FILTER (WHERE own),
        pg_catalog.string_agg(spelled, ', ' ORDER BY n) FILTER (WHERE NOT own),
        pg_catalog.array_agg(type ORDER BY n) FILTER (WHERE own),
        pg_catalog.array_agg(CASE WHEN type OPERATOR(pg_catalog.~) {full_type} THEN type
            ELSE 'pg_catalog.' OPERATOR(pg_catalog.||) type END ORDER BY n) FILTER (WHERE own),
        pg_catalog.array_agg(collate_as ORDER BY n) FILTER (WHERE own)
    INTO key, given, types, full_types, collations
    FROM (
        SELECT k.n, own, k.type, CASE WHEN k.collate_as OPERATOR(pg_catalog.<>) '' THEN k.collate_as END AS collate_as,
            pg_catalog.format('%I %s', k.name, k.type) OPERATOR(pg_catalog.||) CASE
                WHEN k.collate_as OPERATOR(pg_catalog.=) '' THEN ''
                ELSE ' COLLATE ' OPERATOR(pg_catalog.||) k.collate_as END AS spelled
        FROM (VALUES ({source_name}::pg_catalog.regclass, true), ('pgencoder.key_as_given'::pg_catalog.regclass, false))
            AS tables (relation, own)
        CROSS JOIN LATERAL pgencoder._source_key(relation) AS k
    ) AS columns;
    PERFORM pg_catalog.set_config('search_path', path, true);
    DROP TABLE pgencoder.key_as_given;
    IF EXISTS (SELECT FROM pgencoder._source_key({source_name}::pg_catalog.regclass) AS k WHERE NOT k.usable) THEN
        RAISE EXCEPTION 'the key of % is (%): only enums and types of Postgres itself can be a key', {source_name}, key;
    END IF;
    IF (key OPERATOR(pg_catalog.=) given) IS NOT TRUE THEN
        RAISE EXCEPTION 'the key of % is (%), not (%)', {source_name}, key, given
            USING HINT = 'Give its columns and types as key={{...}} to the operation.';
    END IF;
    {then}
END
