BEGIN
    RETURN QUERY EXECUTE {statement} USING {arguments};
END
