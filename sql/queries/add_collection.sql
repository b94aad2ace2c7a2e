INSERT INTO pgencoder.collection (name, source_schema, source_table, columns) VALUES ({name}, {source_schema}, {source_table}, {columns})
