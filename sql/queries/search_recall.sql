{recall} AS (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, {keys}, passage)::int AS recall_rank
    FROM ({stages}) AS found
)
