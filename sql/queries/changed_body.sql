BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        EXECUTE {remove_orphans};
    ELSIF TG_OP = 'INSERT' THEN
        EXECUTE {queue_new};
    ELSIF TG_OP = 'DELETE' THEN
        EXECUTE {queue_old};
    ELSE
        EXECUTE {queue_updated};
    END IF;
    RETURN NULL;
END
