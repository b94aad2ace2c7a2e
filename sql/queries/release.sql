UPDATE {queue} AS queue SET claimed_until = NULL, last_error = {error}
FROM ROWS FROM ({unnest_keys}, unnest({seqs})) AS claim({claim_columns}, seq)
WHERE {queue_is_claim} AND queue.seq = claim.seq
