-- The terms with the largest weights come first: they add the most to a score, however many passages have them
BEGIN
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT pg_catalog.split_part(part, ':', 1)::int AS term, pg_catalog.split_part(part, ':', 2)::double precision AS weight
        FROM pg_catalog.string_to_table(pg_catalog.split_part(pg_catalog.ltrim(
            ($1::{vector}.sparsevec({dims}))::pg_catalog.text, '{{'), '}}', 1), ',') AS part
    ), counted AS MATERIALIZED (
        {counted}
    ), query AS (
        SELECT pg_catalog.sum(c.weight) OPERATOR(pg_catalog.*) {strong}::double precision AS highest,
            coalesce(pg_catalog.array_agg(c.term ORDER BY c.weight DESC, c.term), '{{}}') AS terms,
            pg_catalog.array_agg(c.weight ORDER BY c.weight DESC, c.term) AS impacts,
            pg_catalog.array_agg(c.counts ORDER BY c.weight DESC, c.term) AS counts
        FROM counted AS c
    )
    SELECT CASE WHEN q.highest OPERATOR(pg_catalog.>) 0 THEN $1 END, q.highest, c.any_1, c.any_2, c.any_3, c.every, c.complete
    FROM query AS q, pgencoder.representation AS r, pgencoder._choose_terms(q.terms, q.impacts, q.counts,
        greatest(r.passages, 1), least({most}, greatest({least}, r.passages OPERATOR(pg_catalog.*) {part})), {usual}) AS c
    WHERE r.collection OPERATOR(pg_catalog.=) {name} AND r.generation OPERATOR(pg_catalog.=) {number}
        AND r.name OPERATOR(pg_catalog.=) {representation};
END
