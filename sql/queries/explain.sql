-- The joins are those of searches, and the passages' policy decides what is visible. If a row was cut, the token model may
-- have read more than the passage: a passage ends where the first of two models stops.
SELECT passages.content, pg_catalog.lower(passages.span), {tokens}, {row_content},
       pairs.query_tokens, pairs.document_tokens, pairs.similarities
FROM {passages} AS passages
JOIN {source} AS source ON {same_key}
CROSS JOIN LATERAL (
    SELECT pg_catalog.array_agg(query_token ORDER BY query_token) AS query_tokens,
           pg_catalog.array_agg(document_token ORDER BY query_token) AS document_tokens,
           pg_catalog.array_agg(similarity ORDER BY query_token) AS similarities
    FROM {pairs} AS pair
) AS pairs
WHERE {is_passage}
