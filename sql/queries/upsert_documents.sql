INSERT INTO {table} ({id}, {content}, {metadata})
SELECT * FROM unnest($1::{key_type}[], $2::text[], $3::jsonb[])
ON CONFLICT ({id}) DO UPDATE SET {content} = EXCLUDED.{content}, {metadata} = EXCLUDED.{metadata}
