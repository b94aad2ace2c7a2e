CREATE TABLE IF NOT EXISTS {table} (
    name pg_catalog.text PRIMARY KEY,
    module pg_catalog.text NOT NULL,
    doc pg_catalog.text NOT NULL
)
