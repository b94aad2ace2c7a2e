INSERT INTO {table} (module, name, doc) VALUES (%s, %s, %s) ON CONFLICT (name) DO NOTHING
