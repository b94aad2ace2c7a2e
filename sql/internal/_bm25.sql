-- BM25 with k1 = 1.2 and b = 0.75, without the document frequencies: a weight is c / (c + k1 (1 - b + b n / 100)),
-- where c is the number of times that the term occurs, and n that of all terms. BM25 has the mean length in the place of 100,
-- which changes with every row. So candidates are chosen by these weights, and bm25_score.sql computes what they are worth
-- now; for that, the last dimension holds n. An element of `terms` is a term, and in its last 3 bits the level of the
-- weight, 0 to 7.
CREATE OR REPLACE FUNCTION pgencoder._bm25(
    config pg_catalog.regconfig, content pg_catalog.text, OUT weights {vector}.sparsevec, OUT terms int[]
)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.concat('{{', pg_catalog.string_agg(
            pg_catalog.concat(weighted.term, ':', weighted.weight, ','), '' ORDER BY weighted.term),
            '536870913:', coalesce(pg_catalog.max(weighted.length), 0), '}}/536870913')::{vector}.sparsevec,
        coalesce(pg_catalog.array_agg((((weighted.term OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog.<<) 3)
            OPERATOR(pg_catalog.|) pg_catalog.width_bucket(weighted.weight, ARRAY[0.5, 0.62, 0.7, 0.76, 0.82, 0.87, 0.92]::real[]))
            ORDER BY weighted.term), '{{}}')
    FROM (
        SELECT counted.term, counted.length,
            (counted.count OPERATOR(pg_catalog./) (counted.count OPERATOR(pg_catalog.+) (1.2::double precision
                OPERATOR(pg_catalog.*) (0.25 OPERATOR(pg_catalog.+) (0.0075 OPERATOR(pg_catalog.*) counted.length)))))::real
                AS weight
        FROM (
            SELECT t.term, t.count, pg_catalog.sum(t.count) OVER () AS length
            FROM pgencoder._terms(config, content) AS t
            -- a sparsevec has at most 16,000 elements
            ORDER BY t.count DESC, t.term LIMIT 15000
        ) AS counted
    ) AS weighted;
END;
COMMENT ON FUNCTION pgencoder._bm25(pg_catalog.regconfig, pg_catalog.text) IS
    'What is stored of a passage for BM25: the weights of its terms, and the terms for an index';
