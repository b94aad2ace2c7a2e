BEGIN
    RETURN EXISTS (
        SELECT FROM {source} AS source WHERE {source_is_key}
            AND {hash} OPERATOR(pg_catalog.=) pg_catalog.sha256(pg_catalog.convert_to({content}, 'UTF8'))
    );
END
