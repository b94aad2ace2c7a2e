SELECT {id}::text, {content}::text, coalesce({metadata}, '{{}}') FROM {table} WHERE {id} = ANY ($1::{key_type}[])
