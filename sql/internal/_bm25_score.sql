-- `units` has a vector for each term of the query, with 1 in the dimension of the term. How often a term occurs is
-- computed back from its weight, and rounded, so the score is exact.
CREATE OR REPLACE FUNCTION pgencoder._bm25_score(
    weights {vector}.sparsevec, units {vector}.sparsevec[], impacts double precision[], mean_length double precision
) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000
BEGIN ATOMIC
    SELECT pg_catalog.sum((term.impact OPERATOR(pg_catalog.*) 2.2) OPERATOR(pg_catalog.*) (
        term.count OPERATOR(pg_catalog./) (term.count OPERATOR(pg_catalog.+) (1.2::double precision OPERATOR(pg_catalog.*) (
            0.25 OPERATOR(pg_catalog.+) ((0.75 OPERATOR(pg_catalog.*) term.length) OPERATOR(pg_catalog./) mean_length))))))
    FROM (
        SELECT asked.impact, passage.length, pg_catalog.round(
            (found.weight OPERATOR(pg_catalog.*) (1.2::double precision OPERATOR(pg_catalog.*) (
                0.25 OPERATOR(pg_catalog.+) (0.0075 OPERATOR(pg_catalog.*) passage.length))))
            OPERATOR(pg_catalog./) (1 OPERATOR(pg_catalog.-) found.weight)) AS count
        FROM (SELECT pgencoder._bm25_length(weights) AS length OFFSET 0) AS passage,
            ROWS FROM (pg_catalog.unnest(units), pg_catalog.unnest(impacts)) AS asked (unit, impact),
            LATERAL (SELECT 0 OPERATOR(pg_catalog.-) (weights OPERATOR({vector}.<#>) asked.unit) AS weight OFFSET 0) AS found
    ) AS term;
END;
COMMENT ON FUNCTION pgencoder._bm25_score(
    {vector}.sparsevec, {vector}.sparsevec[], double precision[], double precision
) IS 'BM25 of a passage, with the document frequencies and the mean length of now';
