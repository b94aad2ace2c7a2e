(SELECT NULL::int AS query_token, NULL::int AS document_token, NULL::double precision AS similarity LIMIT 0)
