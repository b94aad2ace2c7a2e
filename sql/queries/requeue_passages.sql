WITH piece AS MATERIALIZED (
    SELECT DISTINCT {key} FROM {write} AS passage
    WHERE $1::pg_catalog.text[] IS NULL OR ({key}) OPERATOR(pg_catalog.>) ({after}) ORDER BY {key} LIMIT $2
), added AS (
    INSERT INTO {queue} ({key}, seq)
    SELECT {key}, pg_catalog.nextval('pgencoder.change') OPERATOR(pg_catalog.+) 4611686018427387904 FROM piece
    ON CONFLICT ({key}) DO NOTHING
)
SELECT pg_catalog.count(*), (SELECT ARRAY[{key_text}] FROM piece ORDER BY {key_descending} LIMIT 1) FROM piece
