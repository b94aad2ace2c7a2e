CREATE OR REPLACE VIEW pgencoder.status AS SELECT * FROM pgencoder._read_status();
COMMENT ON VIEW pgencoder.status IS
    'Each generation: the encoded share of the rows, the keys that are queued, in flight or failed, the age of the'
    ' oldest waiting change, the rows per second and the living workers';
