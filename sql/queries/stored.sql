SELECT (claim.n OPERATOR(pg_catalog.-) 1)::int, passage.passage, passage.content_hash, passage.row_hash
FROM ROWS FROM ({unnest_keys}) WITH ORDINALITY AS claim({claim_columns}, n)
JOIN {write} AS passage ON {passage_is_claim}
