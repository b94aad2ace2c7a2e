-- in the order of locks that all use, see upsert_documents
INSERT INTO {table} ({id}, {content}, {metadata}, ref_doc_id, node, embedding)
SELECT given.id, given.content, given.metadata, given.ref_doc_id, given.node, given.embedding::real[]
FROM ROWS FROM (
    pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]),
    pg_catalog.unnest($3::pg_catalog.jsonb[]), pg_catalog.unnest($4::pg_catalog.text[]),
    pg_catalog.unnest($5::pg_catalog.json[]), pg_catalog.unnest($6::pg_catalog.text[])
) AS given (id, content, metadata, ref_doc_id, node, embedding)
ORDER BY given.id COLLATE pg_catalog."C"
ON CONFLICT ({id}) DO UPDATE SET {content} = EXCLUDED.{content}, {metadata} = EXCLUDED.{metadata},
    ref_doc_id = EXCLUDED.ref_doc_id, node = EXCLUDED.node, embedding = EXCLUDED.embedding
