(
    -- as score() does; kernel() is a constant to the planner, which leaves one of the two
    SELECT * FROM pgencoder.maxsim_pairs({tokens}, passages.tokens) WHERE pgencoder.kernel() OPERATOR(pg_catalog.=) 'native'
    UNION ALL
    SELECT * FROM pgencoder.maxsim_pairs(pgencoder.binary_quantize({tokens}), passages.tokens)
    WHERE pgencoder.kernel() OPERATOR(pg_catalog.<>) 'native'
)
