-- A configuration of full text search by its name, perhaps with its schema; those of Postgres first. All, without a name
SELECT pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(c.cfgname)), n.nspname, c.cfgname
FROM pg_catalog.pg_ts_config AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.cfgnamespace
WHERE %(name)s::pg_catalog.text IS NULL OR %(name)s::pg_catalog.text OPERATOR(pg_catalog.=) ANY (ARRAY[c.cfgname::pg_catalog.text,
    pg_catalog.concat(n.nspname, '.', c.cfgname),
    pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(c.cfgname))])
ORDER BY (n.nspname OPERATOR(pg_catalog.=) 'pg_catalog') DESC, n.nspname, c.cfgname
