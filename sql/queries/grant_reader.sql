GRANT SELECT ON {view}, {by_lexical}, {by_sparse} TO {reader};
GRANT EXECUTE ON FUNCTION {active}(), {lexical}(pg_catalog.text), {sparse}({vector}.sparsevec) TO {reader};
