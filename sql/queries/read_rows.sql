SELECT n, CASE WHEN total <= {bytes} OR total = size THEN content END, {claim_columns}
FROM (
    SELECT *, octet_length(content)::bigint AS size, sum(octet_length(content)) OVER (ORDER BY n) AS total
    FROM (
        SELECT (claim.n - 1)::int AS n, {content} AS content, {source_key}
        FROM ROWS FROM ({unnest_keys}) WITH ORDINALITY AS claim({claim_columns}, n)
        JOIN {source} AS source ON {source_is_claim}
        OFFSET 0
    ) AS found
) AS sized
