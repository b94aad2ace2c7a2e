SELECT attname, pg_catalog.format_type(atttypid, NULL), attgenerated OPERATOR(pg_catalog.=) 'v'
FROM pg_catalog.pg_attribute
WHERE attrelid OPERATOR(pg_catalog.=) %s AND attnum OPERATOR(pg_catalog.>) 0 AND NOT attisdropped
ORDER BY attnum
