CASE WHEN passages.truncated
    AND passages.row_hash OPERATOR(pg_catalog.=) pg_catalog.sha256(pg_catalog.convert_to({content}, 'UTF8')) THEN
    {content} END
