SELECT {claim_columns},
    CASE WHEN $3 AND pg_catalog.btrim(content, E' \t\n\r\f\x0b') OPERATOR(pg_catalog.<>) ''
        THEN pg_catalog.sha256(pg_catalog.convert_to(content, 'UTF8')) END
FROM (
    SELECT {source_key}, CASE WHEN $3 THEN {content} END AS content FROM {source} AS source
    WHERE $1 IS NULL OR ({source_order}) OPERATOR(pg_catalog.>) ({after}) ORDER BY {source_order} LIMIT $2
) AS piece
