SELECT c.name, c.source_schema, c.source_table, c.columns,
    (
        SELECT pg_catalog.jsonb_agg(
            pg_catalog.jsonb_build_array(k.source, k.name, k.type, k.collate_as) ORDER BY k.position)
        FROM pgencoder.collection_key k WHERE k.collection OPERATOR(pg_catalog.=) c.name
    ),
    g.number, g.state, g.encoder,
    (
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', r.name, 'kind', r.kind, 'dims', r.dims, 'options', r.options))
        FROM pgencoder.representation r
        WHERE r.collection OPERATOR(pg_catalog.=) g.collection AND r.generation OPERATOR(pg_catalog.=) g.number
    ),
    g.chunking, g.queued_at IS NOT NULL
FROM pgencoder.collection c JOIN pgencoder.generation g ON g.collection OPERATOR(pg_catalog.=) c.name
WHERE %(name)s::pg_catalog.text IS NULL OR c.name OPERATOR(pg_catalog.=) %(name)s
ORDER BY c.name, g.number
