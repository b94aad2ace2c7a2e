"""Say what a database has, to compare it with what it had before."""

from __future__ import annotations

import psycopg

OBJECTS = """
SELECT 'class', n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')
UNION ALL SELECT 'proc', n.nspname, p.oid::regprocedure::text
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
UNION ALL SELECT 'trigger', t.tgrelid::regclass::text, t.tgname FROM pg_trigger t
UNION ALL SELECT 'policy', p.polrelid::regclass::text, p.polname FROM pg_policy p
UNION ALL SELECT 'collection', name, '' FROM pgencoder.collection
UNION ALL SELECT 'generation', collection, number::text FROM pgencoder.generation
"""


CATALOG = """
SELECT 'relation', c.oid::regclass::text,
    c.relkind::text || coalesce(array_to_string(c.reloptions, ','), '') || c.relrowsecurity
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_|^information_schema'
UNION ALL SELECT 'column', a.attrelid::regclass::text, concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
    a.attnotnull, a.attstorage, pg_get_expr(d.adbin, d.adrelid))
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE n.nspname !~ '^pg_|^information_schema' AND a.attnum > 0
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid <> 0 AND connamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
UNION ALL SELECT 'function', p.oid::regprocedure::text, CASE WHEN p.prokind = 'f' THEN pg_get_functiondef(p.oid) END
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname !~ '^pg_|^information_schema'
UNION ALL SELECT 'comment', classoid::regclass::text, description FROM pg_description
    WHERE objoid >= 16384 OR classoid = 'pg_namespace'::regclass
UNION ALL SELECT 'schema', nspname, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_'
UNION ALL SELECT 'extension', extname, extversion FROM pg_extension
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'policy', polrelid::regclass::text, polname FROM pg_policy
"""


def catalog(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return sorted(connection.execute(CATALOG).fetchall(), key=str)
