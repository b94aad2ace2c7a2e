CREATE OR REPLACE VIEW pgencoder.status AS SELECT * FROM pgencoder.read_status();
COMMENT ON VIEW pgencoder.status IS
    'Each generation: share of the rows that is encoded, keys that wait, are in flight or rest as failed, age of the'
    ' oldest change that waits, rows a second and living workers';
