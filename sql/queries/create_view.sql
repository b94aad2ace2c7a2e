CREATE OR REPLACE VIEW {view} WITH (security_invoker = true) AS
    SELECT {key}, passage, span, content, {stored} FROM {passages};
COMMENT ON VIEW {view} IS {comment};
