BEGIN
    RETURN EXISTS (
        SELECT FROM {source} AS source WHERE {source_is_key}
            AND ({hash} IS NULL OR {hash} = sha256(convert_to({content}, 'UTF8')))
    );
END
