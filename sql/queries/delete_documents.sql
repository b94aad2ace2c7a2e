WITH locked AS MATERIALIZED (
    SELECT {id} AS id FROM {table} WHERE {id} OPERATOR(pg_catalog.=) ANY ($1::{key_type}[])
    ORDER BY {id}::pg_catalog.text COLLATE pg_catalog."C" FOR UPDATE
)
DELETE FROM {table} AS stored USING locked WHERE stored.{id} OPERATOR(pg_catalog.=) locked.id
