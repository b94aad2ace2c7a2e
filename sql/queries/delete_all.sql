WITH locked AS MATERIALIZED (SELECT {id} AS id FROM {table} ORDER BY {id}::pg_catalog.text COLLATE pg_catalog."C" FOR UPDATE)
DELETE FROM {table} AS stored USING locked WHERE stored.{id} OPERATOR(pg_catalog.=) locked.id
