CREATE OR REPLACE FUNCTION pgencoder._missing_parts(
    collection pg_catalog.text, generation int, passages pg_catalog.oid
) RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
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
COMMENT ON FUNCTION pgencoder._missing_parts(pg_catalog.text, int, pg_catalog.oid) IS
    'The objects of a generation that are missing; NULL if none is';
