SELECT {keys}, passage, span, content, score, recall_rank, dense_score FROM {scored}
ORDER BY score DESC NULLS LAST, {keys}, passage LIMIT {k}
