UPDATE bench_queue.rows SET body = %(body)s WHERE id OPERATOR(pg_catalog.=) %(id)s
