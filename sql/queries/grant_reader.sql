GRANT SELECT ON {view}, {by_lexical} TO {reader};
GRANT EXECUTE ON FUNCTION {active}(), {lexical}(pg_catalog.text) TO {reader};
