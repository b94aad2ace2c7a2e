SELECT {id}::pg_catalog.text, {content}::pg_catalog.text, {metadata}, node
FROM {table} WHERE {id} OPERATOR(pg_catalog.=) ANY ($1::{key_type}[])
