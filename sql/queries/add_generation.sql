INSERT INTO pgencoder.generation (collection, number, state, encoder, chunking, activated_at)
VALUES ({collection}, {number}, {state}, {encoder}, {chunking},
    CASE WHEN {state} OPERATOR(pg_catalog.=) 'active' THEN pg_catalog.now() END);
INSERT INTO pgencoder.representation (collection, generation, name, kind, dims, indexed, options)
SELECT {collection}, {number}, stored.name, stored.kind, stored.dims, stored.indexed, stored.options
FROM pg_catalog.jsonb_to_recordset({representations})
    AS stored (name pg_catalog.text, kind pg_catalog.text, dims int, indexed boolean, options pg_catalog.jsonb)
