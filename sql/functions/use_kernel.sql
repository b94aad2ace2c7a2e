-- The functions that users and their views depend on stay the same objects; only whom they call changes. The planner
-- inlines them, so the call is free. Each has a twin of the same arguments: maxsim_sql() here, maxsim() in the
-- extension's schema.
CREATE OR REPLACE FUNCTION pgencoder.use_kernel(kernel text) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    native boolean := kernel = 'native';
    twin record;
    twins int := 0;
BEGIN
    -- the lock of migrations: two that replace the same functions at once would fail
    PERFORM pg_advisory_xact_lock(7345211873);
    IF native IS NULL OR kernel NOT IN ('sql', 'native') THEN
        RAISE EXCEPTION 'no kernel %, only sql and native', coalesce(quote_literal(kernel), 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF native AND NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pgencoder_native') THEN
        RAISE EXCEPTION 'this database has no extension pgencoder_native'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Install it with "pgencoder native install", or run CREATE EXTENSION pgencoder_native.';
    END IF;
    FOR twin IN
        SELECT mine.proname, mine.proretset, other.procost, other.prorows,
               pg_get_function_arguments(mine.oid) AS arguments, pg_get_function_result(mine.oid) AS result,
               format('%I.%I', other.pronamespace::regnamespace, other.proname) AS name
        FROM pg_proc AS mine JOIN pg_proc AS other USING (proargtypes)
        WHERE mine.pronamespace = 'pgencoder'::regnamespace AND mine.proname IN ('maxsim', 'maxsim_pairs')
          AND other.pronamespace::regnamespace::text = CASE WHEN native THEN 'pgencoder_native' ELSE 'pgencoder' END
          AND other.proname = mine.proname || CASE WHEN native THEN '' ELSE '_sql' END
    LOOP
        IF twin.proretset THEN
            EXECUTE format('CREATE OR REPLACE FUNCTION pgencoder.%I(%s) RETURNS %s LANGUAGE sql IMMUTABLE STRICT'
                           ' PARALLEL SAFE COST %s ROWS %s BEGIN ATOMIC SELECT * FROM %s(query, document); END',
                           twin.proname, twin.arguments, twin.result, twin.procost, twin.prorows, twin.name);
        ELSE
            EXECUTE format('CREATE OR REPLACE FUNCTION pgencoder.%I(%s) RETURNS %s LANGUAGE sql IMMUTABLE STRICT'
                           ' PARALLEL SAFE COST %s RETURN %s(query, document)',
                           twin.proname, twin.arguments, twin.result, twin.procost, twin.name);
        END IF;
        twins := twins + 1;
    END LOOP;
    IF twins <> 8 THEN
        RAISE EXCEPTION 'the kernel % has % of 8 functions', kernel, twins
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Run "pgencoder migrate", and ALTER EXTENSION pgencoder_native UPDATE.';
    END IF;
    EXECUTE format('CREATE OR REPLACE FUNCTION pgencoder.kernel() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE'
                   ' RETURN %L', kernel);
    RETURN kernel;
END
$$;
COMMENT ON FUNCTION pgencoder.use_kernel(text) IS
    'Makes maxsim() and maxsim_pairs() call pure SQL (sql) or the extension pgencoder_native (native)';
