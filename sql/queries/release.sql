UPDATE {queue} AS queue SET claimed_until = NULL, last_error = %(error)s
FROM ROWS FROM ({unnest_keys}, unnest(%(seqs)s::bigint[])) AS claim({claim_columns}, seq)
WHERE {queue_is_claim} AND queue.seq = claim.seq
