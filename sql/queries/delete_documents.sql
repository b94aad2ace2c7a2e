WITH locked AS MATERIALIZED (
    SELECT {id} AS id FROM {table} WHERE {id} = ANY ($1::{key_type}[]) ORDER BY {id}::text COLLATE "C" FOR UPDATE
)
DELETE FROM {table} AS stored USING locked WHERE stored.{id} = locked.id
