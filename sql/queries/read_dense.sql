SELECT wanted.place::int OPERATOR(pg_catalog.-) 1, passages.dense::real[]
FROM ROWS FROM (pg_catalog.unnest($1::{key_type}[]), pg_catalog.unnest($2::int[]))
    WITH ORDINALITY AS wanted (key, passage, place)
JOIN {passages} AS passages
    ON passages.{key} OPERATOR(pg_catalog.=) wanted.key AND passages.passage OPERATOR(pg_catalog.=) wanted.passage
ORDER BY wanted.place
