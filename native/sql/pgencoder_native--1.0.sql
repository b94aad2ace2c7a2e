-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION pgencoder_native" to load this file. \quit

CREATE SCHEMA pgencoder_native;
GRANT USAGE ON SCHEMA pgencoder_native TO PUBLIC;
COMMENT ON SCHEMA pgencoder_native IS 'What the functions of the schema pgencoder call when the native kernel is used';

-- Costs are in units of cpu_operator_cost, measured against the pure SQL functions, which have 40000

CREATE FUNCTION pgencoder_native.maxsim(query halfvec[], document halfvec[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'maxsim_halfvec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 8000;
COMMENT ON FUNCTION pgencoder_native.maxsim(halfvec[], halfvec[]) IS
    'sum over query tokens of the largest inner product with a document token';

CREATE FUNCTION pgencoder_native.maxsim(query vector[], document vector[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'maxsim_vector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 12000;
COMMENT ON FUNCTION pgencoder_native.maxsim(vector[], vector[]) IS
    'sum over query tokens of the largest inner product with a document token';

CREATE FUNCTION pgencoder_native.maxsim(query bit[], document bit[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'maxsim_bit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION pgencoder_native.maxsim(bit[], bit[]) IS
    'sum over query tokens of the largest (d - 2 * hamming distance) / d';

CREATE FUNCTION pgencoder_native.maxsim(query halfvec[], document bit[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'maxsim_halfvec_bit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1500;
COMMENT ON FUNCTION pgencoder_native.maxsim(halfvec[], bit[]) IS
    'the query in 8 bits a value against documents of 1 bit a value, whose tokens are their signs, of length 1';

CREATE FUNCTION pgencoder_native.maxsim_pairs(query halfvec[], document halfvec[])
    RETURNS TABLE (query_token int, document_token int, similarity float8)
    AS 'MODULE_PATHNAME', 'maxsim_pairs_halfvec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 16000 ROWS 32;
COMMENT ON FUNCTION pgencoder_native.maxsim_pairs(halfvec[], halfvec[]) IS
    'for each query token the document token it matched best';

CREATE FUNCTION pgencoder_native.maxsim_pairs(query vector[], document vector[])
    RETURNS TABLE (query_token int, document_token int, similarity float8)
    AS 'MODULE_PATHNAME', 'maxsim_pairs_vector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 24000 ROWS 32;
COMMENT ON FUNCTION pgencoder_native.maxsim_pairs(vector[], vector[]) IS
    'for each query token the document token it matched best';

CREATE FUNCTION pgencoder_native.maxsim_pairs(query bit[], document bit[])
    RETURNS TABLE (query_token int, document_token int, similarity float8)
    AS 'MODULE_PATHNAME', 'maxsim_pairs_bit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2000 ROWS 32;
COMMENT ON FUNCTION pgencoder_native.maxsim_pairs(bit[], bit[]) IS
    'for each query token the document token it matched best';

CREATE FUNCTION pgencoder_native.maxsim_pairs(query halfvec[], document bit[])
    RETURNS TABLE (query_token int, document_token int, similarity float8)
    AS 'MODULE_PATHNAME', 'maxsim_pairs_halfvec_bit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3000 ROWS 32;
COMMENT ON FUNCTION pgencoder_native.maxsim_pairs(halfvec[], bit[]) IS
    'for each query token the document token it matched best';

CREATE FUNCTION pgencoder_native.simd() RETURNS text
    AS 'MODULE_PATHNAME', 'simd' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pgencoder_native.simd() IS
    'The instructions in use: avx512, avx2, neondot, neon or plain; the setting pgencoder_native.simd forces another';

-- The functions of the schema pgencoder depend on those here, so that a drop cannot break them; this trigger lets
-- them go back to pure SQL before the drop looks for what depends.

CREATE FUNCTION pgencoder_native.before_drop() RETURNS event_trigger
    AS 'MODULE_PATHNAME', 'before_drop' LANGUAGE C;
COMMENT ON FUNCTION pgencoder_native.before_drop() IS
    'Brings the pure SQL kernel back when DROP EXTENSION pgencoder_native begins';

CREATE EVENT TRIGGER pgencoder_native_before_drop ON ddl_command_start WHEN TAG IN ('DROP EXTENSION')
    EXECUTE FUNCTION pgencoder_native.before_drop();
