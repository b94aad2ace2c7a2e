-- A widely copied example, written from its description: both arrays are unnested and crossed; the largest cosine
-- similarity of each query token counts, and the result is their sum
CREATE FUNCTION pg_temp.example(query {vector}.halfvec[], document {vector}.halfvec[]) RETURNS double precision
LANGUAGE sql IMMUTABLE AS $$
    WITH query_token AS (SELECT pg_catalog.row_number() OVER () AS n, q FROM pg_catalog.unnest(query) AS q),
    document_token AS (SELECT d FROM pg_catalog.unnest(document) AS d),
    pair AS (
        SELECT n, 1 OPERATOR(pg_catalog.-) (d OPERATOR({vector}.<=>) q) AS similarity
        FROM query_token CROSS JOIN document_token
    ),
    best AS (SELECT pg_catalog.max(similarity) AS similarity FROM pair GROUP BY n)
    SELECT pg_catalog.sum(similarity) FROM best
$$
