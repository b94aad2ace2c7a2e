SELECT pg_catalog.count(*) FILTER (WHERE last_error IS NULL), pg_catalog.count(last_error), pg_catalog.min(last_error)
FROM {queue} WHERE {key} OPERATOR(pg_catalog.=) ANY ($1::{key_type}[])
