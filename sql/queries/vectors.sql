SELECT passage.content_hash{stored}
FROM ROWS FROM ({unnest_keys}) AS claim({claim_columns})
JOIN {write} AS passage ON {passage_is_claim} AND passage.content_hash OPERATOR(pg_catalog.=) ANY ({hashes})
