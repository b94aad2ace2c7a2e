"""Reads the SQL files, and composes SQL from identifiers and fragments.

Postgres stores `sql/functions/`, which users call, `sql/internal/`, whose names begin with `_`, and `sql/views/`; each
`pgencoder migrate` writes them again. Python runs `sql/queries/`: templates whose `{names}` are filled with quoted
identifiers and SQL fragments, never with values. The files are found both in a checkout and in an installed wheel.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from psycopg import sql

SCHEMA = "pgencoder"

Part = sql.Composable
Quote = Callable[[str], Part]


def resources() -> Path:
    """Return the directory that holds `sql/` and `migrations/`."""
    package = Path(__file__).parent
    installed = package / "_resources"
    return installed if installed.is_dir() else package.parent


@cache
def query(name: str) -> sql.SQL:
    """Return the template in `sql/queries/<name>.sql`."""
    text = (resources() / "sql" / "queries" / f"{name}.sql").read_text(encoding="utf-8")
    return sql.SQL(text)


def template(name: str) -> str:
    """Return the template without its comments, which would only fill the server's log."""
    return re.sub(r"^\s*--.*\n", "", query(name).as_string(), flags=re.M).rstrip("\n")


def functions() -> Iterator[tuple[str, sql.SQL]]:
    """Yield the name and template of each file in `sql/functions/` and `sql/internal/`.

    A function comes after those that it calls. A template has the hole `{vector}` for pgvector's schema.
    """
    folders = (resources() / "sql" / name for name in ("functions", "internal"))
    files = {path.stem: path.read_text(encoding="utf-8") for folder in folders for path in folder.glob("*.sql")}
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
    """Yield the name and template of each file in `sql/views/`."""
    for path in sorted((resources() / "sql" / "views").glob("*.sql")):
        yield path.stem, sql.SQL(path.read_text(encoding="utf-8"))


def identifier(*names: str) -> Part:
    """Return a quoted name, qualified if several names are given."""
    return sql.Identifier(*names)


def own(name: str) -> Part:
    """Return a quoted name in the schema `pgencoder`."""
    return sql.Identifier(SCHEMA, name)


def numbered(name: str, number: Part, suffix: str = "", schema: str | None = SCHEMA) -> Part:
    """Return the quoted name `<name>_<number><suffix>`; `number` may be `Late`, so it may be known only later."""
    begun = as_text(sql.Identifier(schema, f"{name}_") if schema else sql.Identifier(f"{name}_"))
    return raw(begun.removesuffix('"')) + number + raw(f'{suffix}"')


def listed(parts: Iterable[Part], separator: str = ", ") -> Part:
    """Return the parts joined by a separator."""
    return sql.SQL(separator).join(parts)


def raw(text: str) -> Part:
    """Return a text as SQL, unquoted; it must come from us or the catalogue, such as a type name, never from a user."""
    return sql.SQL(text)


def equal(left: Part, right: Part) -> Part:
    """Return the condition that two expressions are equal, with the operator of Postgres itself."""
    return sql.SQL("{} OPERATOR(pg_catalog.=) {}").format(left, right)


def content(columns: Iterable[str], relation: str) -> Part:
    """Return the content of a row: its columns as text with spaces between, without NULLs (empty if all are NULL).

    The expression has no casts: the owner of a type could define its cast to text, and that function would run with
    the rights of the reader.
    """
    values = (sql.Identifier(relation, column) for column in columns)
    return sql.SQL("pg_catalog.concat_ws(' ', {})").format(listed(values))


def text_of(value: Part) -> Part:
    """Return a key as text, without a cast: the owner of an enum could define a function for the cast."""
    return sql.SQL("pg_catalog.concat({})").format(value)


def block(body: Part) -> sql.Composed:
    """Return a DO statement with a body of PL/pgSQL."""
    return sql.SQL("DO {}").format(Quoted(body))


def as_text(statement: Part, connection: Any = None) -> str:
    """Return the statement as text."""
    return statement.as_string(connection)


class Quoted(sql.Composable):
    """A literal whose text is SQL, such as the body of a function."""

    _obj: Part

    def as_bytes(self, context: Any = None) -> bytes:
        """Return the literal as the server's `quote_literal` writes it; psycopg would add a space before an E."""
        return sql.Literal(as_text(self._obj, context)).as_bytes(context).lstrip()

    def assembled(self, quote: Quote) -> Part:
        """Return the SQL expression that makes the literal when it runs."""
        return sql.SQL("pg_catalog.quote_literal({})").format(assembled(self._obj, quote))


class Late(sql.Composable):
    """SQL that is known only when the statement around it runs; it holds the expression that then gives the text.

    A placeholder text would not be safe, because names may contain any text.
    """

    _obj: str

    def as_bytes(self, context: Any = None) -> bytes:  # noqa: ARG002
        """Raise TypeError: use `assembled` for this part."""
        raise TypeError(f"{self._obj} is not known before the statement is assembled")


def assembled(part: Part, quote: Quote = sql.Literal, *, only: Collection[Late] | None = None) -> Part:
    """Return an SQL expression that gives the text of a part when it runs, with the values of its `Late` parts.

    `quote` makes a literal of the known text. With `only`, those parts alone are filled in: other late parts are known
    when the result is assembled in turn.
    """
    pieces: list[Part] = []
    known: list[Part] = []

    def end() -> None:
        if known:
            late = any(isinstance(each, Late | Quoted) for each in known)
            pieces.append(Quoted(sql.Composed(known)) if late else quote("".join(map(as_text, known))))
            known.clear()

    for each in _leaves(part):
        if isinstance(each, Late | Quoted) if only is None else any(each is late for late in only):
            end()
            pieces.append(each.assembled(quote) if isinstance(each, Quoted) else raw(each._obj))
        else:
            known.append(each)
    end()
    return listed(pieces or [quote("")], " OPERATOR(pg_catalog.||) ")


def _leaves(part: Part) -> Iterator[Part]:
    """Yield the parts that a part is composed of; a literal with nothing late in it is one part."""
    if isinstance(part, sql.Composed):
        for each in part:
            yield from _leaves(each)
    elif isinstance(part, Quoted) and not any(isinstance(each, Late | Quoted) for each in _leaves(part._obj)):
        yield raw(as_text(part))
    else:
        yield part
