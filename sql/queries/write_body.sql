BEGIN
    INSERT INTO {passages} ({columns}) VALUES ({values});
    RETURN NEW;
END
