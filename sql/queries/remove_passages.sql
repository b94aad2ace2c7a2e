DELETE FROM {write} AS passage USING ROWS FROM ({unnest_keys}) AS claim({claim_columns}) WHERE {passage_is_claim}
