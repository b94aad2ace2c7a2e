"""A schema of traps: for each name that pgencoder uses, what Postgres finds first or finds to match better.

Every trap notes that it sprang and then does what the real object does, so that all of them can be counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from pathlib import Path

import psycopg

from pgencoder.statements import resources
from tests.connections import Connection

# Types of arguments for which a function or operator of exactly these is planted, where Postgres has it by a cast only
ONE = (
    "text", "varchar", "name", "int2", "int4", "int8", "float4", "float8", "numeric", "jsonb", "bytea", "oid",
    "regclass", "bit[]", "bit", "text[]", "varchar[]", "int4[]", "int8[]", "oid[]", "int4range", "timestamptz", "bool",
    "uuid", "interval", "bpchar",
)  # fmt: skip
TWO = ("text", "varchar", "name", "int4", "int8", "float8", "jsonb", "text[]", "varchar[]", "oid", "timestamptz")
THREE = ("text", "varchar", "int4", "bool", "name")
TYPES = (
    "text", "name", "jsonb", "bytea", "oid", "regclass", "regprocedure", "regnamespace", "uuid", "timestamptz",
    "float8", "int2", "int4", "int8", "float4", "int4range", "date", "bool", "halfvec",
)  # fmt: skip
AGGREGATES = (
    # name, arguments, state, initial state, transition from $1 and $2
    ("count", "*", "int8", "0", "$1 OPERATOR(pg_catalog.+) 1"),
    *(("count", t, "int8", "0", "$1 OPERATOR(pg_catalog.+) (CASE WHEN $2 IS NULL THEN 0 ELSE 1 END)") for t in ONE),
    *(("sum", t, t, "0", "$1 OPERATOR(pg_catalog.+) coalesce($2, 0)") for t in ("float8", "numeric", "int8")),
    *(("min", t, t, None, "least($1, $2)") for t in TWO if t not in ("jsonb",)),
    *(("max", t, t, None, "greatest($1, $2)") for t in TWO if t not in ("jsonb",)),
    *(
        ("array_agg", t, f"{t}[]", "{}", "pg_catalog.array_append($1, $2)")
        for t in ("text", "int4", "float8", "varchar")
    ),
    ("jsonb_agg", "jsonb", "jsonb", "[]", "$1 OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_array($2)"),
    ("bool_and", "bool", "bool", "true", "$1 AND $2"),
    ("string_agg", "text, text", "text", None, "pg_catalog.concat($1, CASE WHEN $1 IS NOT NULL THEN $3 END, $2)"),
)

SPRING = """
CREATE SCHEMA traps;
CREATE TABLE traps.sprung (name pg_catalog.text, role pg_catalog.text);
CREATE FUNCTION traps.spring(trap pg_catalog.text) RETURNS pg_catalog.bool LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- what stays when the transaction does not
    PERFORM nextval(format('traps.%I', trap));
    INSERT INTO traps.sprung VALUES (trap, current_user);
    RETURN true;
EXCEPTION WHEN insufficient_privilege OR read_only_sql_transaction THEN RETURN true;
END $$;
GRANT USAGE ON SCHEMA traps TO PUBLIC;
GRANT INSERT ON traps.sprung TO PUBLIC;
"""


def plant(connection: Connection, schema: str) -> int:
    """Fill a schema with traps; `connection` is that of a role that may create there. Returns their number."""
    connection.execute(SPRING)
    text = _sources()
    statements = [
        *_functions(connection, schema, set(re.findall(r"\b([a-z_0-9]+)\s*\(", text))),
        *_operators(connection, schema, text),
        *_aggregates(schema),
        *_relations(connection, schema, text),
        *_domains(connection, schema),
    ]
    made = [f'CREATE SEQUENCE traps."{name}"' for name in dict.fromkeys(name for name, _ in statements)]
    connection.execute(";\n".join([*made, *(statement for _, statement in statements)]).encode())
    connection.execute(
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA traps TO PUBLIC; GRANT USAGE ON SCHEMA {schema} TO PUBLIC"
    )
    connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO PUBLIC".encode())
    return len(statements)


def sprung(connection: Connection) -> list[str]:
    """The traps that sprang, and, where it could be written down, for whom."""
    names = connection.execute(
        "SELECT sequencename FROM pg_catalog.pg_sequences WHERE schemaname = 'traps' AND last_value IS NOT NULL"
    ).fetchall()
    roles = dict(
        connection.execute("SELECT name, string_agg(DISTINCT role, ', ') FROM traps.sprung GROUP BY 1").fetchall()
    )
    return sorted(f"{name} (as {roles.get(name, '?')})" for (name,) in names)


def bound(connection: Connection) -> list[str]:
    """What is stored outside of the traps as bound to one."""
    rows = connection.execute(
        "WITH traps AS MATERIALIZED ("
        " SELECT oid FROM pg_proc WHERE pronamespace = %(schema)s::regnamespace"
        " UNION ALL SELECT oid FROM pg_operator WHERE oprnamespace = %(schema)s::regnamespace"
        " UNION ALL SELECT oid FROM pg_type WHERE typnamespace = %(schema)s::regnamespace"
        " UNION ALL SELECT oid FROM pg_class WHERE relnamespace = %(schema)s::regnamespace)"
        " SELECT pg_describe_object(d.classid, d.objid, 0) || ' uses ' || pg_describe_object(d.refclassid, refobjid, 0)"
        " FROM pg_depend d WHERE d.refobjid IN (TABLE traps) AND d.objid NOT IN (TABLE traps)"
        " AND d.classid NOT IN ('pg_constraint'::regclass, 'pg_rewrite'::regclass)"
        " UNION ALL SELECT pg_describe_object(d.classid, d.objid, 0) FROM pg_depend d"
        " WHERE d.refobjid IN (TABLE traps) AND d.classid = 'pg_rewrite'::regclass"
        " AND NOT EXISTS (SELECT FROM pg_rewrite r WHERE r.oid = d.objid AND r.ev_class IN (TABLE traps))"
        " UNION ALL SELECT pg_describe_object(d.classid, d.objid, 0) FROM pg_depend d"
        " JOIN pg_constraint c ON c.oid = d.objid WHERE d.refobjid IN (TABLE traps)"
        " AND d.classid = 'pg_constraint'::regclass AND c.contypid NOT IN (TABLE traps)",
        {"schema": schema_of_traps(connection)},
    )
    return [row[0] for row in rows.fetchall()]


def schema_of_traps(connection: Connection) -> str:
    """Where they are by now."""
    row = connection.execute(
        "SELECT pronamespace::regnamespace::text FROM pg_proc WHERE proname = 'operator ='"
    ).fetchone()
    assert row is not None
    return str(row[0])


def _sources() -> str:
    package = Path(__file__).parents[2] / "pgencoder"
    paths = [*resources().glob("sql/**/*.sql"), *resources().glob("migrations/**/*.py"), *package.glob("**/*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def _functions(connection: Connection, schema: str, names: set[str]) -> Iterator[tuple[str, str]]:
    rows = connection.execute(
        "SELECT p.proname, n.nspname, p.pronargs, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),"
        " p.proretset, p.proargtypes::regtype[]::text[], p.provariadic <> 0, p.prorettype = 'record'::regtype"
        " FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " LEFT JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'"
        " WHERE p.prokind = 'f' AND p.proname = ANY (%s) AND (n.nspname = 'pg_catalog' OR d.objid IS NOT NULL)",
        [list(names)],
    ).fetchall()
    arities: dict[tuple[str, str], set[int]] = {}
    taken = set()
    for name, namespace, count, arguments, result, several, types, variadic, record in rows:
        arities.setdefault((namespace, name), set()).update(range(max(count, 1), 5) if variadic else [count])
        odd = {"internal", "cstring", '"any"', "trigger", "event_trigger", "language_handler"}
        if odd & {*types, result} or "pg_node_tree" in types or (record and not several):
            continue
        taken.add((name, tuple(types)))
        call = f'{namespace}."{name}"({", ".join(_variadic(i, count, variadic) for i in range(1, count + 1))})'
        body = f"RETURN QUERY SELECT * FROM {call}" if several else "PERFORM 1; RETURN " + call
        if result == "void":
            body = f"PERFORM {call}"
        yield _function(schema, name, arguments, result, body)
    for (namespace, name), counts in sorted(arities.items()):
        for types in (types for count in counts for types in _combinations(count)):
            found = (name, tuple(_full(each) for each in types))
            if found in taken:
                continue
            taken.add(found)
            call = f'{namespace}."{name}"'
            result = _result(connection, f"SELECT {call}({{}})", types)
            if result is None or result in ("record", "void"):
                continue
            several = any(row[0] == name and row[5] for row in rows)
            call += f"({', '.join(f'${i}' for i in range(1, len(types) + 1))})"
            body = f"RETURN QUERY SELECT {call}" if several else f"RETURN {call}"
            yield _function(schema, name, ", ".join(types), f"SETOF {result}" if several else result, body)


def _operators(connection: Connection, schema: str, text: str) -> Iterator[tuple[str, str]]:
    rows = connection.execute(
        "SELECT o.oprname, n.nspname, CASE WHEN o.oprleft <> 0 THEN o.oprleft::regtype::text END,"
        " o.oprright::regtype::text, o.oprresult::regtype::text"
        " FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE o.oprcode <> 0"
    ).fetchall()
    taken = {(name, left, right) for name, _, left, right, _ in rows}
    for name, namespace, left, right, result in rows:
        if name in text and '"any"' not in (left, right):
            yield from _operator(schema, name, namespace, left, right, result)
    names = {name for name, namespace, left, _, _ in rows if namespace == "pg_catalog" and left and name in text}
    for name in sorted(names):
        for left, right in product(TWO, TWO):
            if (name, _full(left), _full(right)) in taken:
                continue
            result = _result(connection, f"SELECT {{}} OPERATOR(pg_catalog.{name}) {{}}", (left, right))
            if result is not None:
                yield from _operator(schema, name, "pg_catalog", left, right, result)


def _operator(
    schema: str, name: str, namespace: str, left: str | None, right: str, result: str
) -> Iterator[tuple[str, str]]:
    call = f"{'$1 ' if left else ''}OPERATOR({namespace}.{name}) ${2 if left else 1}"
    arguments = ", ".join(each for each in (left, right) if each)
    function = f"operator {name}"
    yield _function(schema, function, arguments, result, f"RETURN {call}", name=function)
    sides = f"leftarg = {left}, rightarg = {right}" if left else f"rightarg = {right}"
    yield function, f'CREATE OPERATOR {schema}.{name} (function = {schema}."{function}", {sides})'


def _aggregates(schema: str) -> Iterator[tuple[str, str]]:
    for number, (name, arguments, state, initial, step) in enumerate(AGGREGATES):
        function = f"step {number}"
        types = state if arguments == "*" else f"{state}, {arguments}"
        yield _function(schema, function, types, state, f"RETURN {step}", name=f"aggregate {name}")
        start = "" if initial is None else f", initcond = '{initial}'"
        yield (
            f"aggregate {name}",
            f'CREATE AGGREGATE {schema}.{name} ({arguments}) (sfunc = {schema}."{function}", stype = {state}{start})',
        )


def _relations(connection: Connection, schema: str, text: str) -> Iterator[tuple[str, str]]:
    rows = connection.execute(
        "SELECT c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v') AND a.attnum > 0"
        " AND a.atttypid <> 'anyarray'::regtype AND has_table_privilege('public', c.oid, 'SELECT') GROUP BY 1"
    )
    for name, columns in rows.fetchall():
        if name in text:
            yield (
                f"table {name}",
                f"CREATE VIEW {schema}.{name} AS SELECT {columns} FROM pg_catalog.{name}"
                f" WHERE traps.spring('table {name}')",
            )


def _domains(connection: Connection, schema: str) -> Iterator[tuple[str, str]]:
    for name in TYPES:
        row = connection.execute(
            "SELECT n.nspname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typname = %s"
            " AND t.typtype <> 'd'",
            [name],
        ).fetchone()
        assert row is not None
        yield (
            f"type {name}",
            f'CREATE DOMAIN {schema}."{name}" AS {row[0]}."{name}" CHECK (traps.spring(\'type {name}\'))',
        )


def _function(
    schema: str, made: str, arguments: str, result: str, body: str, name: str | None = None
) -> tuple[str, str]:
    trap = name or f"function {made}"
    # IMMUTABLE, or Postgres would not take it for an index
    return trap, (
        f'CREATE FUNCTION {schema}."{made}"({arguments}) RETURNS {result} LANGUAGE plpgsql IMMUTABLE AS'
        f" $trap$ BEGIN PERFORM traps.spring('{trap}'); {body}; END $trap$"
    )


def _variadic(i: int, count: int, variadic: bool) -> str:
    return f"VARIADIC ${i}" if variadic and i == count else f"${i}"


def _combinations(count: int) -> Iterator[tuple[str, ...]]:
    if count == 1:
        yield from ((each,) for each in ONE)
    elif count == 2:
        yield from product(TWO, TWO)
    elif count in (3, 4):
        yield from product(THREE, repeat=3) if count == 3 else ((each,) * 4 for each in THREE)


NAMES = {
    "varchar": "character varying",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "timestamptz": "timestamp with time zone",
    "bool": "boolean",
    "bpchar": "character",
}


def _full(name: str) -> str:
    base, array, _ = name.partition("[]")
    return NAMES.get(base, base) + array


def _result(connection: Connection, statement: str, types: Sequence[str]) -> str | None:
    """The type of what an expression of arguments of these types is; None where there is no such."""
    holes = [f"${i}::{each}" for i, each in enumerate(types, 1)]
    filled = statement.format(", ".join(holes)) if statement.count("{}") == 1 else statement.format(*holes)
    pgconn = connection.pgconn
    if pgconn.prepare(b"", filled.encode()).status != psycopg.pq.ExecStatus.COMMAND_OK:
        return None
    oid = pgconn.describe_prepared(b"").ftype(0)  # before anything else is sent
    return _type_names(connection)[oid]


@cache
def _type_names(connection: Connection) -> dict[int, str]:
    return dict(connection.execute("SELECT oid, format_type(oid, NULL) FROM pg_type").fetchall())
