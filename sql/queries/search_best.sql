SELECT {keys}, passage, span, content, score, recall_rank, {shown} FROM {best}
ORDER BY score DESC NULLS LAST, {keys}, passage LIMIT {k}
