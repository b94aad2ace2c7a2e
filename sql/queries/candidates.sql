SELECT {keys}, passage, span, content, tokens, recall_rank, -distance AS dense_score FROM recall
