SELECT {source_key} FROM {source} AS source
