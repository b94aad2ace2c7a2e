SELECT l.term, l.weight, pg_catalog.array_agg(l.passages ORDER BY l.level) AS counts
        FROM (
            SELECT a.term, a.weight, level, (pg_catalog.sum(coalesce((
                -- no join, which might read the whole table
                SELECT c.passages FROM {terms} AS c WHERE c.representation OPERATOR(pg_catalog.=) {representation}
                    AND c.element OPERATOR(pg_catalog.=) (
                        ((a.term OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog.<<) 3) OPERATOR(pg_catalog.|) level)
                ), 0)) OVER (PARTITION BY a.term ORDER BY level DESC))::int AS passages
            FROM asked AS a CROSS JOIN pg_catalog.generate_series(0, 7) AS level
        ) AS l
        GROUP BY l.term, l.weight