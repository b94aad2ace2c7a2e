SELECT pg_catalog.to_regclass(%(queue)s) IS NOT NULL
    AND pg_catalog.count(*) OPERATOR(pg_catalog.=) pg_catalog.cardinality(%(columns)s::pg_catalog.text[])
FROM pg_catalog.pg_attribute
WHERE attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(%(passages)s)
    AND attname OPERATOR(pg_catalog.=) ANY (%(columns)s::pg_catalog.text[]) AND NOT attisdropped
