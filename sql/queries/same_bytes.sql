SELECT old OPERATOR(pg_catalog.=) new OR EXISTS (
    SELECT FROM pg_catalog.pg_cast
    WHERE castsource OPERATOR(pg_catalog.=) old AND casttarget OPERATOR(pg_catalog.=) new
        AND castmethod OPERATOR(pg_catalog.=) 'b'
)
FROM (SELECT pg_catalog.to_regtype(%s)::pg_catalog.oid, pg_catalog.to_regtype(%s)::pg_catalog.oid) AS types (old, new)
