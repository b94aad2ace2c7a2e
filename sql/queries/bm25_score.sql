-- How often a term occurs is computed back from its weight, and rounded, so the score is exact. No function, because a call
-- costs as much again. `units` has a vector for each term of the query, with 1 in the dimension of the term.
(SELECT pg_catalog.sum((term.impact OPERATOR(pg_catalog.*) 2.2::double precision) OPERATOR(pg_catalog.*) (
    counted.times OPERATOR(pg_catalog./) (counted.times OPERATOR(pg_catalog.+) (1.2::double precision OPERATOR(pg_catalog.*)
        (0.25::double precision OPERATOR(pg_catalog.+) (0.75::double precision OPERATOR(pg_catalog.*)
            (passage.length OPERATOR(pg_catalog./) asked.mean_length)))))))
FROM {asked} AS asked,
    LATERAL (SELECT pgencoder._bm25_length({column}) AS length OFFSET 0) AS passage,
    ROWS FROM (pg_catalog.unnest(asked.units), pg_catalog.unnest(asked.impacts)) AS term (unit, impact),
    LATERAL (SELECT OPERATOR(pg_catalog.-) pgencoder._distance({column}, term.unit) AS weight OFFSET 0) AS found,
    LATERAL (SELECT pg_catalog.round((found.weight OPERATOR(pg_catalog.*) (1.2::double precision OPERATOR(pg_catalog.*)
        (0.25::double precision OPERATOR(pg_catalog.+) (0.0075::double precision OPERATOR(pg_catalog.*) passage.length))))
        OPERATOR(pg_catalog./) (1 OPERATOR(pg_catalog.-) found.weight)) AS times OFFSET 0) AS counted)
