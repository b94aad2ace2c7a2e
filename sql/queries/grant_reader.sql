GRANT SELECT ON {view} TO {reader};
GRANT EXECUTE ON FUNCTION {active}() TO {reader};
