-- Users and their views depend on maxsim() and maxsim_pairs(), so these stay the same objects; only their bodies change.
-- The planner inlines them, so the call is free. Each calls a twin with the same arguments: _maxsim_sql() here, or maxsim()
-- in the schema of the extension.
CREATE OR REPLACE FUNCTION pgencoder.use_kernel(kernel pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    native boolean := kernel OPERATOR(pg_catalog.=) 'native';
    twin pg_catalog.record;
    twins int := 0;
BEGIN
    -- the lock of migrations: two sessions cannot replace the same functions at the same time
    LOCK TABLE pgencoder.revision IN SHARE ROW EXCLUSIVE MODE;
    IF (kernel OPERATOR(pg_catalog.=) ANY (ARRAY['sql', 'native'])) IS NOT TRUE THEN
        RAISE EXCEPTION 'no kernel %, only sql and native', coalesce(pg_catalog.quote_literal(kernel), 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF native AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_extension WHERE extname OPERATOR(pg_catalog.=) 'pgencoder_native') THEN
        RAISE EXCEPTION 'this database has no extension pgencoder_native'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Install it with "pgencoder native install", or run CREATE EXTENSION pgencoder_native.';
    END IF;
    FOR twin IN
        SELECT mine.proname, mine.proretset, other.procost, other.prorows,
               pg_catalog.pg_get_function_arguments(mine.oid) AS arguments,
               pg_catalog.pg_get_function_result(mine.oid) AS result,
               pg_catalog.format('%I.%I', namespace.nspname, other.proname) AS name
        FROM pg_catalog.pg_proc AS mine
        JOIN pg_catalog.pg_proc AS other ON other.proargtypes OPERATOR(pg_catalog.=) mine.proargtypes
        JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid OPERATOR(pg_catalog.=) other.pronamespace
        WHERE mine.pronamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
          AND mine.proname OPERATOR(pg_catalog.=) ANY (ARRAY['maxsim', 'maxsim_pairs'])
          AND namespace.nspname OPERATOR(pg_catalog.=) CASE WHEN native THEN 'pgencoder_native' ELSE 'pgencoder' END
          AND other.proname OPERATOR(pg_catalog.=)
              CASE WHEN native THEN mine.proname ELSE pg_catalog.concat('_', mine.proname, '_sql') END
    LOOP
        IF twin.proretset THEN
            EXECUTE pg_catalog.format(
                'CREATE OR REPLACE FUNCTION pgencoder.%I(%s) RETURNS %s LANGUAGE sql IMMUTABLE STRICT'
                ' PARALLEL SAFE COST %s ROWS %s BEGIN ATOMIC SELECT * FROM %s(query, document); END',
                twin.proname, twin.arguments, twin.result, twin.procost, twin.prorows, twin.name);
        ELSE
            EXECUTE pg_catalog.format(
                'CREATE OR REPLACE FUNCTION pgencoder.%I(%s) RETURNS %s LANGUAGE sql IMMUTABLE STRICT'
                ' PARALLEL SAFE COST %s RETURN %s(query, document)',
                twin.proname, twin.arguments, twin.result, twin.procost, twin.name);
        END IF;
        twins := twins OPERATOR(pg_catalog.+) 1;
    END LOOP;
    IF twins OPERATOR(pg_catalog.<>) 8 THEN
        RAISE EXCEPTION 'the kernel % has % of 8 functions', kernel, twins
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Run "pgencoder migrate", and ALTER EXTENSION pgencoder_native UPDATE.';
    END IF;
    EXECUTE pg_catalog.format(
        'CREATE OR REPLACE FUNCTION pgencoder.kernel() RETURNS pg_catalog.text LANGUAGE sql STABLE PARALLEL SAFE'
        ' RETURN %L', kernel);
    RETURN kernel;
END
$$;
COMMENT ON FUNCTION pgencoder.use_kernel(pg_catalog.text) IS
    'Makes maxsim() and maxsim_pairs() call pure SQL (sql) or the extension pgencoder_native (native)';
