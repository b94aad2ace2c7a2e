{part} AS (
    INSERT INTO {queue} AS queue ({key}) SELECT * FROM changed
    ON CONFLICT ({key}) DO UPDATE SET
        seq = EXCLUDED.seq, attempts = 0, run_after = EXCLUDED.run_after, claimed_until = NULL, last_error = NULL
)
