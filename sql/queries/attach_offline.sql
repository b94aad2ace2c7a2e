EXECUTE {script};
UPDATE pgencoder.collection_key SET type = types[position], collate_as = coalesce(collations[position], '')
WHERE collection OPERATOR(pg_catalog.=) {name};
