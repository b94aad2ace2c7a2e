WITH piece AS MATERIALIZED (
    SELECT DISTINCT {key} FROM {write} AS passage WHERE $1::text[] IS NULL OR ({key}) > ({after}) ORDER BY {key} LIMIT $2
), added AS (
    INSERT INTO {queue} ({key}, seq) SELECT {key}, nextval('pgencoder.change') + 4611686018427387904 FROM piece
    ON CONFLICT ({key}) DO NOTHING
)
SELECT count(*), (SELECT ARRAY[{key_text}] FROM piece ORDER BY {key_descending} LIMIT 1) FROM piece
