SELECT {keys}, passage, span, content, score, relevance, recall_rank, {shown}, pg_catalog.jsonb_build_object({parts}) AS parts
FROM (SELECT * FROM {best} ORDER BY score DESC NULLS LAST, {keys}, passage LIMIT {k}) AS top
