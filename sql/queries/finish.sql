-- A row that is locked, or has changed after the claim, stays queued: its passages would be out of date.
WITH claim AS (
    SELECT * FROM ROWS FROM ({unnest_keys}, pg_catalog.unnest({seqs})) WITH ORDINALITY AS c({claim_columns}, seq, n)
), mine AS MATERIALIZED (
    SELECT claim.* FROM claim JOIN {queue} AS queue ON {queue_is_claim} AND queue.seq OPERATOR(pg_catalog.=) claim.seq
    FOR UPDATE OF queue SKIP LOCKED
), done AS (
    DELETE FROM {queue} AS queue USING mine AS claim WHERE {queue_is_claim} RETURNING 1
)
SELECT (n OPERATOR(pg_catalog.-) 1)::int FROM mine
