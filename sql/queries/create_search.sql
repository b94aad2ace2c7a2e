-- The settings are named here so that what the statement sets ends with the function.
CREATE OR REPLACE FUNCTION {function}(
    query_dense {vector}.halfvec, query_tokens {vector}.halfvec[], k int DEFAULT 10, candidates int DEFAULT 100,
    filter text DEFAULT NULL, group_by text DEFAULT 'passage', query_encoder jsonb DEFAULT NULL
) RETURNS TABLE ({key_columns}, passage int, content text, score float8, recall_rank int, dense_score float8)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 10
SET hnsw.ef_search = 100 SET hnsw.iterative_scan = relaxed_order
AS {body};
COMMENT ON FUNCTION {function}({vector}.halfvec, {vector}.halfvec[], int, int, text, text, jsonb) IS {comment};
