BEGIN
    RAISE EXCEPTION 'the collection % stores no sparse vectors', {name} USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Give a sparse model: pgencoder reencode --sparse-model MODEL.';
END
