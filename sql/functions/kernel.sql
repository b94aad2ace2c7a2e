CREATE OR REPLACE FUNCTION pgencoder.kernel() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'sql';
COMMENT ON FUNCTION pgencoder.kernel() IS 'Which bodies the MaxSim functions have: sql';
