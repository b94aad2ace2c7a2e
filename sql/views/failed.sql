CREATE OR REPLACE VIEW pgencoder.failed AS SELECT * FROM pgencoder._read_failed();
COMMENT ON VIEW pgencoder.failed IS
    'The rows that could not be encoded, with the error; if retry_at is NULL, they wait for pgencoder retry or a change';
