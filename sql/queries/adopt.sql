WITH row AS MATERIALIZED (
    SELECT r.*, pg_catalog.sha256(pg_catalog.convert_to(r.content, 'UTF8')) AS hash{made}{columns}
    FROM {read}({keys}, {bytes}) AS r JOIN {from} AS v ON {from_is_row}{calls}
    WHERE {given} IS NOT NULL
        AND pg_catalog.btrim(r.content, E' \t\n\r\f\x0b') OPERATOR(pg_catalog.<>) ''
), removed AS (
    DELETE FROM {passages} AS passage USING row WHERE {passage_is_row} AND passage.passage OPERATOR(pg_catalog.>) 0
), done AS (
    DELETE FROM {queue} AS queue USING row WHERE {queue_is_row}
)
INSERT INTO {passages} AS passage
    ({key}, passage, span, content, content_hash, truncated, row_hash{stored}{columns})
SELECT {claim_columns}, 0, pg_catalog.int4range(0, pg_catalog.char_length(content)), content, hash, false, hash{stored}{columns}
FROM row
ON CONFLICT ({key}, passage) DO UPDATE SET span = EXCLUDED.span, content = EXCLUDED.content,
    content_hash = EXCLUDED.content_hash, truncated = false, row_hash = EXCLUDED.row_hash{replaced}, mostly_unknown = NULL
