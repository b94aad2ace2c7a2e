INSERT INTO pgencoder.worker AS w
    (id, host, pid, models, device, waiting, rows, passages, failures, rates, problem)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (id) DO UPDATE SET
    models = EXCLUDED.models, device = EXCLUDED.device, waiting = EXCLUDED.waiting, last_seen = pg_catalog.now(),
    rows = EXCLUDED.rows, passages = EXCLUDED.passages, failures = EXCLUDED.failures, rates = EXCLUDED.rates,
    problem = EXCLUDED.problem
