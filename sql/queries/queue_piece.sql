-- Existing rows come after every change: their numbers begin above all numbers of changes
WITH piece AS MATERIALIZED (SELECT {scanned} FROM {scan}($1, $2, false)),
added AS (
    INSERT INTO {queue} ({key}, seq)
    SELECT {claim_columns}, pg_catalog.nextval('pgencoder.change') OPERATOR(pg_catalog.+) 4611686018427387904
    FROM piece ORDER BY {order}
    ON CONFLICT ({key}) DO NOTHING RETURNING 1
)
SELECT (SELECT pg_catalog.count(*) FROM piece), (SELECT pg_catalog.count(*) FROM added),
    (SELECT ARRAY[{key_text}] FROM piece ORDER BY {descending} LIMIT 1)
