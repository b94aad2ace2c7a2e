PERFORM FROM pgencoder.representation AS r
    WHERE r.collection OPERATOR(pg_catalog.=) {name} AND r.generation OPERATOR(pg_catalog.=) {number}
        AND r.name OPERATOR(pg_catalog.=) {representation}
    FOR UPDATE SKIP LOCKED;
IF FOUND THEN  -- nobody else counts
    WITH counted AS MATERIALIZED (
        SELECT term.element, pg_catalog.count(*)::int AS passages
        FROM {passages} AS passage, pg_catalog.unnest(passage.{elements}) AS term (element) GROUP BY term.element
    ), gone AS (
        DELETE FROM {terms} AS t WHERE t.representation OPERATOR(pg_catalog.=) {representation}
            AND NOT EXISTS (SELECT FROM counted WHERE counted.element OPERATOR(pg_catalog.=) t.element)
    )
    INSERT INTO {terms} AS t (representation, element, passages)
    SELECT {representation}, counted.element, counted.passages FROM counted
    ON CONFLICT (representation, element) DO UPDATE SET passages = EXCLUDED.passages
        WHERE t.passages OPERATOR(pg_catalog.<>) EXCLUDED.passages;
    UPDATE pgencoder.representation AS r
        SET passages = counted.passages, mean_length = counted.length, counted_changes = {changes}
        FROM (SELECT pg_catalog.count(*), coalesce(pg_catalog.avg({length}), 0) FROM {passages} AS passage)
            AS counted (passages, length)
        WHERE r.collection OPERATOR(pg_catalog.=) {name} AND r.generation OPERATOR(pg_catalog.=) {number}
            AND r.name OPERATOR(pg_catalog.=) {representation};
    ANALYZE {terms};
END IF;
