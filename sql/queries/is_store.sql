SELECT obj_description(c.oid, 'pg_class') IS NOT DISTINCT FROM $3
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2
