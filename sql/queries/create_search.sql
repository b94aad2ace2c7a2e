-- The settings are named here, so that their values are restored when the function ends. The search path is pinned.
CREATE OR REPLACE FUNCTION {function}(
    query_dense {vector}.halfvec, query_tokens {vector}.halfvec[], k int DEFAULT 10, candidates int DEFAULT 100,
    filter pg_catalog.text DEFAULT NULL, group_by pg_catalog.text DEFAULT 'passage',
    query_encoder pg_catalog.jsonb DEFAULT NULL, query_text pg_catalog.text DEFAULT NULL,
    fusion pg_catalog.text DEFAULT NULL, weights pg_catalog.jsonb DEFAULT NULL, boost pg_catalog.text DEFAULT NULL,
    min_relevance double precision DEFAULT NULL, query_sparse {vector}.sparsevec DEFAULT NULL
) RETURNS TABLE (
    {key_columns}, passage int, content pg_catalog.text, score double precision, relevance double precision,
    recall_rank int, dense_score double precision, parts pg_catalog.jsonb
)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 10
SET hnsw.ef_search = 100 SET hnsw.iterative_scan = relaxed_order SET jit = off
AS {body};
COMMENT ON FUNCTION {signature} IS {comment};
DO {pin};
