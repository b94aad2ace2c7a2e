SELECT count(*) FILTER (WHERE last_error IS NULL), count(last_error), min(last_error)
FROM {queue} WHERE {key} = ANY ($1::{key_type}[])
