-- Locks rows in the order that all use, so that two sessions never wait for each other; "C" sorts the same for all
INSERT INTO {table} ({id}, {content}, {metadata})
SELECT * FROM ROWS FROM (
    pg_catalog.unnest($1::{key_type}[]), pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.jsonb[])
) AS given (id, content, metadata)
ORDER BY given.id::pg_catalog.text COLLATE pg_catalog."C"
ON CONFLICT ({id}) DO UPDATE SET {content} = EXCLUDED.{content}, {metadata} = EXCLUDED.{metadata}
