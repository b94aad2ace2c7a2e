CREATE OR REPLACE FUNCTION pgencoder.kernel() RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN 'sql';
COMMENT ON FUNCTION pgencoder.kernel() IS
    'Which functions maxsim() and maxsim_pairs() call: sql or native; use_kernel() changes it';
