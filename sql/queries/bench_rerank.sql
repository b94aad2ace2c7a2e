SELECT id, {score} AS score FROM {passages} WHERE {wanted} ORDER BY 2 DESC LIMIT 10
