GRANT SELECT ON {view} TO {reader};
GRANT EXECUTE ON FUNCTION {active}(), {lexical}(pg_catalog.text) TO {reader};
