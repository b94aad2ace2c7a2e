SELECT queue.ctid, claim.*
FROM ROWS FROM ({arrays}) AS claim({claim_columns}, {columns})
JOIN {queue} AS queue ON {queue_is_claim} AND queue.seq OPERATOR(pg_catalog.=) claim.seq
FOR UPDATE OF queue SKIP LOCKED
