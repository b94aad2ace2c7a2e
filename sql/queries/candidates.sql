SELECT {keys}, passage, span, content, tokens, recall_rank, OPERATOR(pg_catalog.-) distance AS dense_score FROM recall
