SELECT word.text, ARRAY(SELECT pg_catalog.split_part(pg_catalog.btrim(unit::pg_catalog.text, '{{'), ':', 1)::int
    FROM {lexical}(word.text) AS asked, pg_catalog.unnest(asked.units) AS unit)
FROM pg_catalog.unnest($1::pg_catalog.text[]) AS word (text)
