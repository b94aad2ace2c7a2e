BEGIN
    {indexes}
    PERFORM {count}();
    ANALYZE {passages};
END
