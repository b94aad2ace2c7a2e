-- BM25 of the stored passage for each term of the query alone, as searches compute it
SELECT pg_catalog.split_part(pg_catalog.btrim(term.unit::pg_catalog.text, '{{'), ':', 1)::int, {score}
FROM {passages} AS passages, {lexical}($1) AS asked,
    ROWS FROM (pg_catalog.unnest(asked.units), pg_catalog.unnest(asked.impacts)) AS term (unit, impact)
WHERE {is_passage}
