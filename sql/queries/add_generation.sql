INSERT INTO pgencoder.generation
    (collection, number, state, encoder, dense_dims, token_dims, token_type, chunking, activated_at)
VALUES ({collection}, {number}, {state}, {encoder}, {dense_dims}, {token_dims}, {token_type}, {chunking},
    CASE WHEN {is_active} THEN pg_catalog.now() END)
