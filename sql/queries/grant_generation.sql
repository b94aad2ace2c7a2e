GRANT SELECT ON {passages}, {view}, {by_lexical}, {by_sparse} TO {reader};
GRANT SELECT, INSERT, UPDATE, DELETE ON {queue} TO {worker};
GRANT SELECT, INSERT, DELETE ON {write} TO {worker};
GRANT SELECT ON {passages}, {view}, {by_lexical}, {by_sparse} TO {worker};
GRANT EXECUTE ON FUNCTION {build}(), {count}(), {read}({read_arguments}), {scan}(pg_catalog.text[], int, boolean)
    TO {worker};
GRANT EXECUTE ON FUNCTION {active}(), {lexical}(pg_catalog.text), {sparse}({vector}.sparsevec) TO {reader}, {worker};
