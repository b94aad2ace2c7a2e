SELECT {claim_columns}, CASE WHEN $3 AND btrim(content, E' \t\n\r\f\x0b') <> '' THEN sha256(convert_to(content, 'UTF8')) END
FROM (
    SELECT {source_key}, {content} AS content FROM {source} AS source
    WHERE $1 IS NULL OR ({source_order}) > ({after}) ORDER BY {source_order} LIMIT $2
) AS piece
