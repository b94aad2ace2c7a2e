{recall} AS MATERIALIZED (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, {keys}, passage)::int AS recall_rank
    FROM (
        SELECT DISTINCT ON ({keys}, passage) * FROM ({stages}) AS stages
    ) AS found
)
