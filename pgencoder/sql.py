"""Finds and reads the SQL files and the migrations, in a checkout as in an installed wheel.

`sql/functions/` and `sql/views/` are what Postgres stores, re-applied at each `pgencoder migrate`. `sql/queries/` is
what Python runs: templates whose `{names}` are filled with quoted identifiers and SQL fragments, never with values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from psycopg import sql

SCHEMA = "pgencoder"

Part = sql.Composable
Quote = Callable[[str], Part]


def resources() -> Path:
    """The directory that holds `sql/` and `migrations/`."""
    package = Path(__file__).parent
    installed = package / "_resources"
    return installed if installed.is_dir() else package.parent


@cache
def query(name: str) -> sql.SQL:
    """The template `sql/queries/<name>.sql`."""
    text = (resources() / "sql" / "queries" / f"{name}.sql").read_text(encoding="utf-8")
    return sql.SQL(text)


def functions() -> Iterator[tuple[str, sql.SQL]]:
    """Name and template of each file in `sql/functions/`, a function after those that it calls.

    The hole `vector` is for pgvector's schema.
    """
    files = {path.stem: path.read_text(encoding="utf-8") for path in (resources() / "sql" / "functions").glob("*.sql")}
    graph: dict[str, set[str]] = {
        name: {
            other
            for other in files
            if other.split(".")[0] != name.split(".")[0]
            and re.search(rf"\b{SCHEMA}\.{re.escape(other.split('.')[0])}\(", text)
        }
        for name, text in sorted(files.items())
    }
    for name in TopologicalSorter(graph).static_order():
        yield name, sql.SQL(files[name])


def views() -> Iterator[tuple[str, sql.SQL]]:
    """Name and template of each file in `sql/views/`."""
    for path in sorted((resources() / "sql" / "views").glob("*.sql")):
        yield path.stem, sql.SQL(path.read_text(encoding="utf-8"))


def identifier(*names: str) -> Part:
    """A quoted, possibly qualified name."""
    return sql.Identifier(*names)


def own(name: str) -> Part:
    """A quoted name in the schema `pgencoder`."""
    return sql.Identifier(SCHEMA, name)


def numbered(name: str, number: Part, suffix: str = "", schema: str | None = SCHEMA) -> Part:
    """The quoted name `<name>_<number><suffix>`, of a number that may be known only later."""
    begun = as_text(sql.Identifier(schema, f"{name}_") if schema else sql.Identifier(f"{name}_"))
    return raw(begun.removesuffix('"')) + number + raw(f'{suffix}"')


def listed(parts: Iterable[Part], separator: str = ", ") -> Part:
    """The parts, separated."""
    return sql.SQL(separator).join(parts)


def raw(text: str) -> Part:
    """SQL that comes from the catalogue itself, such as the type names of `format_type`; never user input."""
    return sql.SQL(text)


def equal(left: Part, right: Part) -> Part:
    """The condition that both are equal, by an operator of Postgres itself."""
    return sql.SQL("{} OPERATOR(pg_catalog.=) {}").format(left, right)


def content(columns: Iterable[str], relation: str) -> Part:
    """The content of a row: its columns as text, NULLs left out, with a space between (empty if all are NULL).

    Without casts: the owner of a type can bring a function for its cast to text, which would run as whoever reads.
    """
    values = (sql.Identifier(relation, column) for column in columns)
    return sql.SQL("pg_catalog.concat_ws(' ', {})").format(listed(values))


def text_of(value: Part) -> Part:
    """A key as text, without a cast: the owner of an enum could bring a function for that."""
    return sql.SQL("pg_catalog.concat({})").format(value)


def block(body: Part) -> sql.Composed:
    """A body of PL/pgSQL as a statement."""
    return sql.SQL("DO {}").format(Quoted(body))


def as_text(statement: Part, connection: Any = None) -> str:
    """The statement as text."""
    return statement.as_string(connection)


class Quoted(sql.Composable):
    """A literal whose text is SQL, such as the body of a function."""

    _obj: Part

    def as_bytes(self, context: Any = None) -> bytes:
        """The literal, as the server's `quote_literal` writes it: without the space that psycopg puts before an E."""
        return sql.Literal(as_text(self._obj, context)).as_bytes(context).lstrip()

    def assembled(self, quote: Quote) -> Part:
        """The expression that gives the literal where it runs."""
        return sql.SQL("pg_catalog.quote_literal({})").format(assembled(self._obj, quote))


class Late(sql.Composable):
    """SQL that is known only where a statement around it is put together: an expression of that place gives its text.

    Names may hold anything, so no text could stand for it in the meantime.
    """

    _obj: str

    def as_bytes(self, context: Any = None) -> bytes:  # noqa: ARG002
        """Raises TypeError: it must be assembled."""
        raise TypeError(f"{self._obj} is not known before the statement is assembled")


def assembled(part: Part, quote: Quote = sql.Literal, *, only: Late | None = None) -> Part:
    """The expression, in SQL, that gives the text of a part where it runs, with all in it that is `Late`.

    `quote` makes a literal of what is known. With `only` that alone is put in: what else is late is known by then.
    """
    pieces: list[Part] = []
    known: list[Part] = []

    def end() -> None:
        if known:
            late = any(isinstance(each, Late | Quoted) for each in known)
            pieces.append(Quoted(sql.Composed(known)) if late else quote("".join(map(as_text, known))))
            known.clear()

    for each in _leaves(part):
        if each is only or (only is None and isinstance(each, Late | Quoted)):
            end()
            pieces.append(each.assembled(quote) if isinstance(each, Quoted) else raw(each._obj))
        else:
            known.append(each)
    end()
    return listed(pieces or [quote("")], " OPERATOR(pg_catalog.||) ")


def _leaves(part: Part) -> Iterator[Part]:
    """The parts that a part is composed of; literals without anything late in them are whole."""
    if isinstance(part, sql.Composed):
        for each in part:
            yield from _leaves(each)
    elif isinstance(part, Quoted) and not any(isinstance(each, Late | Quoted) for each in _leaves(part._obj)):
        yield raw(as_text(part))
    else:
        yield part
