(
    -- as in _score(): kernel() is a constant for the planner, so only one of the two calls remains
    SELECT * FROM pgencoder.maxsim_pairs({tokens}, passages.tokens) WHERE pgencoder.kernel() OPERATOR(pg_catalog.=) 'native'
    UNION ALL
    SELECT * FROM pgencoder.maxsim_pairs(pgencoder.binary_quantize({tokens}), passages.tokens)
    WHERE pgencoder.kernel() OPERATOR(pg_catalog.<>) 'native'
)
