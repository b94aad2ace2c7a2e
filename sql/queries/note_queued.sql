UPDATE pgencoder.generation SET
    queued_to = coalesce($3, queued_to), queued_at = CASE WHEN $4 THEN pg_catalog.clock_timestamp() END
WHERE collection OPERATOR(pg_catalog.=) $1 AND number OPERATOR(pg_catalog.=) $2
