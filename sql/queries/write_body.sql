BEGIN
    INSERT INTO {passages} ({columns}{made})
    SELECT {values}{made} FROM (VALUES (1)) AS one (row){calls};
    RETURN NEW;
END
