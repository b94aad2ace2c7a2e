BEGIN
    IF ({in_use}) THEN
        EXECUTE {statements};
    END IF;
END
