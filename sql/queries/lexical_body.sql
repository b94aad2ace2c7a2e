BEGIN
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT t.term, t.count AS weight FROM pgencoder._terms({configuration}, $1) AS t
        -- a sparsevec has at most 16,000 elements
        ORDER BY t.count DESC, t.term LIMIT 15000
    ), counted AS MATERIALIZED (
        {counted}
    ), weighted AS (
        SELECT c.term, c.counts, r.passages, r.mean_length, c.weight OPERATOR(pg_catalog.*) pg_catalog.ln(
            1 OPERATOR(pg_catalog.+) ((greatest(r.passages OPERATOR(pg_catalog.-) c.counts[1], 0) OPERATOR(pg_catalog.+) 0.5)
                OPERATOR(pg_catalog./) (c.counts[1] OPERATOR(pg_catalog.+) 0.5)))::double precision AS impact
        FROM counted AS c, pgencoder.representation AS r
        WHERE r.collection OPERATOR(pg_catalog.=) {name} AND r.generation OPERATOR(pg_catalog.=) {number}
            AND r.name OPERATOR(pg_catalog.=) {representation}
    ), query AS (
        SELECT pg_catalog.concat('{{', pg_catalog.string_agg(pg_catalog.concat(w.term, ':', w.impact::real), ','),
                '}}/536870913')::{vector}.sparsevec AS weights,
            pg_catalog.array_agg(pg_catalog.concat('{{', w.term, ':1}}/536870913')::{vector}.sparsevec
                ORDER BY w.counts[1], w.term) AS units,
            coalesce(pg_catalog.array_agg(w.term ORDER BY w.counts[1], w.term), '{{}}') AS terms,
            pg_catalog.array_agg(w.impact ORDER BY w.counts[1], w.term) AS impacts,
            pg_catalog.array_agg(w.counts ORDER BY w.counts[1], w.term) AS counts,
            pg_catalog.max(w.passages)::double precision AS passages,
            2.2::double precision OPERATOR(pg_catalog.*) pg_catalog.sum(w.impact) AS highest,
            -- no passage has a length of 0 and a term
            greatest(pg_catalog.max(w.mean_length), 1) AS mean_length
        FROM weighted AS w
    )
    SELECT q.weights, q.units, q.impacts, q.mean_length, q.highest, c.any_1, c.any_2, c.any_3, c.every, c.complete
    FROM query AS q, pgencoder._choose_terms(q.terms, q.impacts, q.counts, greatest(q.passages, 1),
        least({most}, greatest({least}, q.passages OPERATOR(pg_catalog.*) {part})), {usual}) AS c;
END
