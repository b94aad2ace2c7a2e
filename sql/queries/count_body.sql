BEGIN
    {statements}
END
