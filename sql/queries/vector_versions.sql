SELECT default_version, installed_version
FROM pg_catalog.pg_available_extensions
WHERE name OPERATOR(pg_catalog.=) 'vector'
