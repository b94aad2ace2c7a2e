SELECT seq, {key_text} FROM {queue}
WHERE attempts OPERATOR(pg_catalog.=) 0 AND seq OPERATOR(pg_catalog.>) $1 ORDER BY seq LIMIT $2 FOR UPDATE SKIP LOCKED
