-- Locks in the order that everyone locks in, so that no two wait for each other; "C" sorts alike for all of them
INSERT INTO {table} ({id}, {content}, {metadata})
SELECT * FROM unnest($1::{key_type}[], $2::text[], $3::jsonb[]) AS given (id, content, metadata)
ORDER BY given.id::text COLLATE "C"
ON CONFLICT ({id}) DO UPDATE SET {content} = EXCLUDED.{content}, {metadata} = EXCLUDED.{metadata}
