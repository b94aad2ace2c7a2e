SELECT claim.n OPERATOR(pg_catalog.-) 1, {source_key}
FROM ROWS FROM ({unnest_keys}) WITH ORDINALITY AS claim({claim_columns}, n)
JOIN {source} AS source ON {source_is_claim}
