CREATE TABLE IF NOT EXISTS {table} (id pg_catalog.text PRIMARY KEY, title pg_catalog.text, text pg_catalog.text)
