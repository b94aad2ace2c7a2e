BEGIN
    RAISE EXCEPTION 'the collection % stores no terms to search by', {name} USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Give the configuration of its texts: pgencoder reencode --lexical english. Or say lexical="none" in EncodedColumns.';
END
