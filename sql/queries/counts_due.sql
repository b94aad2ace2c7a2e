SELECT coalesce(pg_catalog.bool_or(
    r.counted_changes IS NULL
    OR ({exact} AND r.passages OPERATOR(pg_catalog.<=) {few})
    OR pg_catalog.abs({changes} OPERATOR(pg_catalog.-) r.counted_changes)
        OPERATOR(pg_catalog.>) ({tolerance}::double precision OPERATOR(pg_catalog.*) r.passages)), false)
FROM pgencoder.representation AS r
WHERE r.collection OPERATOR(pg_catalog.=) {name} AND r.generation OPERATOR(pg_catalog.=) {number}
    AND r.name OPERATOR(pg_catalog.=) ANY ({names}::pg_catalog.text[])
