-- A term is a number of 29 bits, a hash of a lexeme. Identifiers, codes, paths and versions such as ERR_42,
-- numpy.linalg or ORA-00942 count twice: as one lexeme, so that they are found exactly, and by their parts. 3.14 stays whole.
CREATE OR REPLACE FUNCTION pgencoder._terms(config pg_catalog.regconfig, content pg_catalog.text)
RETURNS TABLE (term int, count int)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 20
BEGIN ATOMIC
    SELECT hashed.term, pg_catalog.sum(hashed.count)::int
    FROM (
        SELECT ((pg_catalog.concat('x', pg_catalog.substr(pg_catalog.encode(
                pg_catalog.sha256(pg_catalog.convert_to(found.lexeme, 'UTF8')), 'hex'), 1, 8))::bit(32)::int
            OPERATOR(pg_catalog.&) 536870911) OPERATOR(pg_catalog.+) 1), found.count
        FROM (
            SELECT word.lexeme, pg_catalog.cardinality(word.positions)
            FROM pg_catalog.unnest(pg_catalog.to_tsvector(config, pg_catalog.regexp_replace(pg_catalog.regexp_replace(
                content, '([[:alnum:]])[_/\\:@#+-]+(?=[[:alnum:]])', '\1 ', 'g'),
                '([[:alpha:]])[.]+(?=[[:alnum:]])|([[:digit:]])[.]+(?=[[:alpha:]])', '\1\2 ', 'g'))) AS word
            UNION ALL
            SELECT pg_catalog.lower(compound[1]), 1
            FROM pg_catalog.regexp_matches(
                content, '((?:[[:alnum:]]+[._/\\:@#+-]+)+[[:alnum:]]+|[[:alnum:]]+[+#]+)', 'g') AS compound
        ) AS found (lexeme, count)
    ) AS hashed (term, count)
    GROUP BY hashed.term;
END;
COMMENT ON FUNCTION pgencoder._terms(pg_catalog.regconfig, pg_catalog.text) IS
    'The terms of a text, each with the number of times that it occurs';
