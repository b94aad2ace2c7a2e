CREATE OR REPLACE VIEW pgencoder.failed AS SELECT * FROM pgencoder.read_failed();
COMMENT ON VIEW pgencoder.failed IS
    'The rows that could not be encoded and why; with a NULL retry_at they rest until pgencoder retry or a change';
