SELECT NOT EXISTS (
    SELECT FROM pg_catalog.unnest(%(indexes)s::pg_catalog.text[]) AS wanted (name)
    WHERE NOT EXISTS (
        SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
        WHERE i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(%(passages)s)::pg_catalog.oid
            AND c.relname::pg_catalog.text OPERATOR(pg_catalog.=) wanted.name
    )
)
