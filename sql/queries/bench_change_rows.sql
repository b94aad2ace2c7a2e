UPDATE bench_queue.rows SET body = pg_catalog.concat(%(body)s::pg_catalog.text, id)
