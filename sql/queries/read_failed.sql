SELECT * FROM pgencoder.failed
WHERE %(name)s::pg_catalog.text IS NULL OR collection OPERATOR(pg_catalog.=) %(name)s
ORDER BY changed_at LIMIT %(limit)s
