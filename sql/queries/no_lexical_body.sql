BEGIN
    RAISE EXCEPTION 'the collection % stores no terms to search by', {name} USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Store them: pgencoder reencode --lexical english. Or rank without: stage="maxsim", or lexical="none" in EncodedColumns.';
END
