DELETE FROM pgencoder.late WHERE id OPERATOR(pg_catalog.=) ANY (
    SELECT id FROM pgencoder.late WHERE collection OPERATOR(pg_catalog.=) $1 AND key IS NOT NULL
    ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
) RETURNING key
