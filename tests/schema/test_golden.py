"""Compare SQL and public names with the text in `golden/`, so that a redesign shows what it changes.

A difference is a failure, and is shown as a diff. To accept it, renew the files, read `git diff tests` and commit it:

    PGENCODER_RENEW_GOLDEN=1 python -m pytest tests -k golden
"""

from __future__ import annotations

import importlib
import inspect
import io
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import is_dataclass
from difflib import unified_diff
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
import typer.main
from alembic.migration import MigrationContext
from alembic.operations import Operations
from psycopg import sql
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import pgencoder
from pgencoder import Database, Encoder
from pgencoder.cli import application
from pgencoder.statements import query

Connection = psycopg.Connection[Any]

GOLDEN = Path(__file__).parent / "golden"
RENEW = bool(os.environ.get("PGENCODER_RENEW_GOLDEN"))

ODD = 'odd "50%" {$1}'
ODD_SCHEMA = 'it\'s a "schema"'
# the arguments of `attach` and of Alembic's operation, by the name of the collection, which is also its table's
KEY = {"id": "bigint"}
ODD_KEY = {"passage": "text", "$1": "timestamp with time zone"}
COLLECTIONS: dict[str, dict[str, Any]] = {
    "bits": {"key": KEY, "tokens": "bit", "columns": ["title", "body"]},
    "halves": {"key": KEY, "tokens": "halfvec", "columns": ["body"], "chunking": "truncate"},
    "plain": {"key": KEY, "tokens": "none", "columns": ["body"]},
    ODD: {"key": ODD_KEY, "tokens": "bit", "columns": ['the "text"'], "schema": ODD_SCHEMA},
}
FILES = {name: "odd" if name == ODD else name for name in COLLECTIONS}
ADAPTERS = {
    "sqlalchemy": "pgencoder.sqlalchemy",
    "alembic": "pgencoder.alembic",
    "langchain": "pgencoder.integrations.langchain",
    "llama_index": "pgencoder.integrations.llama_index",
}


class Base(DeclarativeBase):
    pass


class Bits(Base):
    __tablename__ = "bits"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    title: Mapped[str]


def compare(found: Mapping[str, str]) -> None:
    """Fail with the difference of these texts, by the names of their files, from the golden ones; or renew those."""
    differences: list[str] = []
    for name, text in found.items():
        path = GOLDEN / name
        text = text.rstrip("\n") + "\n"
        if RENEW:
            GOLDEN.mkdir(exist_ok=True)
            path.write_text(text)
        golden = path.read_text() if path.exists() else ""
        names = (f"golden/{name}", f"now/{name}")
        differences += unified_diff(golden.splitlines(), text.splitlines(), *names, lineterm="")
    if differences:
        pytest.fail(
            "\n".join(
                [*differences, "", "If this is wanted: PGENCODER_RENEW_GOLDEN=1 python -m pytest tests -k golden"]
            ),
            pytrace=False,
        )


@pytest.fixture
def attached(connection: Connection, db: Database, words: Encoder) -> Database:
    """A database with a collection of each token type, and one with odd names and a composite key."""
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(ODD_SCHEMA)))
    for name, given in COLLECTIONS.items():
        columns = [f"{as_name(key)} {type_}" for key, type_ in given["key"].items()]
        columns += [f"{as_name(column)} text" for column in given["columns"]]
        keys = ", ".join(map(as_name, given["key"]))
        table = f"{as_name(given['schema'])}.{as_name(name)}" if "schema" in given else as_name(name)
        connection.execute(f"CREATE TABLE {table} ({', '.join(columns)}, PRIMARY KEY ({keys}))".encode())
        db.attach(name, model=words, **{key: value for key, value in given.items() if key != "key"})
    return db


def as_name(name: str) -> str:
    return sql.Identifier(name).as_string(None)


def test_scripts(words: Encoder) -> None:
    """What Alembic prints for databases that it cannot ask."""

    importlib.import_module(ADAPTERS["alembic"])

    def printed(operation: str, *arguments: Any, **options: Any) -> str:
        buffer = io.StringIO()
        options_of_context = {"as_sql": True, "output_buffer": buffer}
        operations = Operations(MigrationContext.configure(dialect_name="postgresql", opts=options_of_context))
        getattr(operations, operation)(*arguments, **options)
        return buffer.getvalue()

    found = {
        f"attach-{FILES[name]}.sql": printed("attach_encoding", name, model=words, **given)
        for name, given in COLLECTIONS.items()
    }
    bits = {"table": "bits", "chunking": "default", **COLLECTIONS["bits"]}
    found["reencode-bits.sql"] = printed("reencode", "bits", model=words, **bits)
    found["detach-odd.sql"] = printed("detach_encoding", ODD)
    compare(found)


@contextmanager
def sent() -> Iterator[list[str]]:
    """The statements that searches send meanwhile, by psycopg or SQLAlchemy, with their parameters below them."""
    statements: list[str] = []

    def keep(_c: Any, _u: Any, statement: str, parameters: Any, _o: Any, _m: Any) -> None:
        lines = [f"-- {name}: {shown(value)}" for name, value in sorted(dict(parameters).items())]
        statements.append("\n".join([statement, *lines]))

    def execute(cursor: Any, statement: bytes, parameters: Any, **options: Any) -> Any:
        if statement != query("check_search").as_bytes():
            keep(None, None, statement.decode(), {f"${i}": each for i, each in enumerate(parameters, 1)}, None, None)
        return psycopg.Cursor.execute(cursor, statement, parameters, **options)

    sa.event.listen(sa.Engine, "before_cursor_execute", keep)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(psycopg.RawCursor, "execute", execute)
            yield statements
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", keep)


def shown(value: object) -> str:
    return str(value) if isinstance(value, int | str) else type(value).__name__


def compiled(statement: sa.Select[Any] | sa.Subquery) -> str:
    selected = statement.select() if isinstance(statement, sa.Subquery) else statement
    done = selected.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
    lines = [f"-- {name}: {shown(value)}" for name, value in sorted(done.params.items())]
    return "\n".join([str(done), *lines])


def test_searches(attached: Database, words: Encoder) -> None:
    """What searches send, by each stage and grouping, and what those of SQLAlchemy compile to."""
    titled = sa.column("title") == "a"
    found = {}
    for name in COLLECTIONS:
        attached.search(name, "to connect, and to describe")
    for stage in ("dense", "maxsim", "exhaustive"):
        for group in ("passage", "document"):
            asked: dict[str, Any] = {"stage": stage, "group": group}
            with sent() as statements:
                attached.search("bits", "a question", 7, candidates=70, **asked)
                attached.search("bits", "a question", filter=titled, **asked)
                if stage == "dense":
                    attached.search("plain", "a question", **asked)
                attached.search(ODD, "a question", **asked)
            encoding = words.encode_query("a question")
            for entity in (Bits, "bits", ODD):
                statements.append(compiled(pgencoder.select(entity, encoding, db=attached, **asked)))
            statements.append(compiled(pgencoder.select(Bits, encoding, db=attached, **asked).where(Bits.title == "a")))
            found[f"search-{stage}-{group}.sql"] = ";\n\n".join(statements)
    encoding = words.encode_query("a question")
    found["recall.sql"] = ";\n\n".join(
        compiled(statement)
        for statement in (
            pgencoder.recall("bits", encoding, 70, db=attached),
            pgencoder.recall(Bits, encoding, filter=Bits.title == "a", db=attached),
            pgencoder.recall(ODD, encoding, db=attached),
            sa.select(pgencoder.maxsim(encoding, sa.column("tokens"))),
        )
    )
    compare(found)


def test_search_functions(attached: Database, connection: Connection) -> None:
    """The functions that SQL calls to search."""
    found = {}
    for name in COLLECTIONS:
        row = connection.execute(
            "SELECT pg_get_functiondef(oid) FROM pg_proc"
            " WHERE pronamespace = 'pgencoder'::regnamespace AND proname = %s",
            [f"{name}_search"],
        ).fetchone()
        assert row is not None
        found[f"function-{FILES[name]}.sql"] = row[0]
    compare(found)


def test_dumped_schema(attached: Database, url: str) -> None:
    """What pg_dump says of everything that is made for collections, privileges included, and of their tables."""
    pg_config = attached.pg_config()
    assert pg_config is not None, "the tests' server runs on this machine"

    def dumped(*options: str) -> str:
        done = subprocess.run(
            [pg_config.parent / "pg_dump", "--schema-only", "--no-owner", *options, url],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        # without pg_dump's own comments and versions, and the key that it draws each time
        blocks = re.sub(r"^\\(un)?restrict .*\n", "", done.stdout, flags=re.M)
        blocks = re.sub(r"^--\n(-- .*\n)+--\n", "", blocks, flags=re.M)
        blocks = re.sub(r"^-- Dumped .*\n", "", blocks, flags=re.M)
        return re.sub(r"\n{3,}", "\n\n", blocks).strip()

    tables = [f'--table="public".{as_name(name)}' for name in COLLECTIONS if name != ODD]
    compare(
        {
            "dump-pgencoder.sql": dumped("--schema=pgencoder"),
            "dump-tables.sql": dumped(*tables, f"--table={as_name(ODD_SCHEMA)}.*"),
        }
    )


def described(name: str, thing: Any) -> Iterator[str]:
    """A public thing with its signature and, of a class, its public parts; where they are defined is not said."""
    if inspect.ismodule(thing):
        return
    if not inspect.isclass(thing):
        yield f"{name}{signature(thing)}" if callable(thing) else f"{name} = {thing!r}"
        return
    ours = [each for each in thing.__mro__ if each.__module__.split(".")[0] == "pgencoder"]
    parts: dict[str, str] = {}
    for each in reversed(ours):
        if not is_dataclass(each):  # whose __init__ says it
            for part, type_ in inspect.get_annotations(each).items():
                parts[part] = short(f": {type_ if isinstance(type_, str) else inspect.formatannotation(type_)}")
        for part, value in vars(each).items():
            if isinstance(value, property):
                parts[part] = f": property{signature(value.fget)}"
            elif callable(getattr(each, part)) and (part == "__init__" or not part.startswith("_")):
                parts[part] = signature(inspect.unwrap(getattr(each, part)))
    bases = {base.__name__: None for each in ours for base in each.__bases__ if base not in (*ours, object)}
    yield f"class {name}({', '.join(bases)})"
    # pydantic adds a model_post_init, and a protocol has the __init__ of typing
    hidden = {"model_post_init", "__init__" if is_protocol(thing) else ""}
    public = (part for part in sorted(parts) if part == "__init__" or not part.startswith("_"))
    yield from (f"    {part}{parts[part]}" for part in public if part not in hidden)


def is_protocol(thing: type) -> bool:
    return bool(getattr(thing, "_is_protocol", False))


def signature(function: Any) -> str:
    """The signature, with annotations as they are written."""
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", short(str(inspect.signature(function))))


def short(text: str) -> str:
    """The text without the modules that our names are in, and without addresses."""
    return re.sub(r" at 0x[0-9a-f]+", "", re.sub(r"\bpgencoder(\.\w+)*\.(?=\w)", "", text))


def test_public_names() -> None:
    """What `pgencoder` exports, with signatures, and its errors."""
    lines = [line for name in pgencoder.__all__ for line in described(name, getattr(pgencoder, name))]
    errors = [
        f"class {name}({', '.join(base.__name__ for base in thing.__bases__)})"
        for name, thing in sorted(vars(pgencoder.errors).items())
        if inspect.isclass(thing) and thing.__module__ == pgencoder.errors.__name__ and not name.startswith("_")
    ]
    compare({"public.txt": "\n".join(lines), "errors.txt": "\n".join(errors)})


def exported(module: ModuleType) -> list[str]:
    """The names in `__all__`; without it, those of what the module defines."""
    own = (n for n, each in vars(module).items() if getattr(each, "__module__", None) == module.__name__)
    return sorted(getattr(module, "__all__", None) or (name for name in own if not name.startswith("_")))


def test_adapters() -> None:
    """What the adapters export, with signatures."""
    found = {}
    for adapter, path in ADAPTERS.items():
        module = importlib.import_module(path)
        lines = [line for name in exported(module) for line in described(name, getattr(module, name))]
        found[f"{adapter}.txt"] = "\n".join(lines)
    compare(found)


def commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def test_commands() -> None:
    """The commands, their arguments and options with types and defaults."""
    lines = []
    for path, command in commands(typer.main.get_command(application()), "pgencoder"):
        lines.append(path)
        for parameter in command.params:
            names = ", ".join([*parameter.opts, *parameter.secondary_opts])
            kind = short(inspect.formatannotation(parameter.type_descriptor.annotation))
            default = "" if callable(parameter.default) else f" = {parameter.default!r}"
            lines.append(f"    {names}: {kind}{' required' if parameter.required else ''}{default}")
    compare({"commands.txt": "\n".join(lines)})
