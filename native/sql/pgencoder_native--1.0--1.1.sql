-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION pgencoder_native UPDATE" to load this file. \quit

-- The functions of the schema pgencoder depend on those here, so that a drop cannot break them; this trigger lets
-- them go back to pure SQL before the drop looks for what depends.

CREATE FUNCTION pgencoder_native.before_drop() RETURNS event_trigger
    AS 'MODULE_PATHNAME', 'before_drop' LANGUAGE C;
COMMENT ON FUNCTION pgencoder_native.before_drop() IS
    'Brings the pure SQL kernel back when DROP EXTENSION pgencoder_native begins';

CREATE EVENT TRIGGER pgencoder_native_before_drop ON ddl_command_start WHEN TAG IN ('DROP EXTENSION')
    EXECUTE FUNCTION pgencoder_native.before_drop();
