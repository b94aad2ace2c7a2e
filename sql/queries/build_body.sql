BEGIN
    {indexes}
    ANALYZE {passages};
END
