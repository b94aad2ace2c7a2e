SELECT n, CASE WHEN total OPERATOR(pg_catalog.<=) {bytes} OR total OPERATOR(pg_catalog.=) size THEN content END,
    {claim_columns}
FROM (
    SELECT *, pg_catalog.octet_length(content)::bigint AS size,
        pg_catalog.sum(pg_catalog.octet_length(content)) OVER (ORDER BY n) AS total
    FROM (
        SELECT (claim.n OPERATOR(pg_catalog.-) 1)::int AS n, {content} AS content, {source_key}
        FROM ROWS FROM ({unnest_keys}) WITH ORDINALITY AS claim({claim_columns}, n)
        JOIN {source} AS source ON {source_is_claim}
        OFFSET 0
    ) AS found
) AS sized
