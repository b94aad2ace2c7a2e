"""Finds configurations of full text search: how a language's texts are split into words."""

from __future__ import annotations

from pgencoder.db.executor import Executor
from pgencoder.errors import InvalidRequest
from pgencoder.representations import Lexical
from pgencoder.statements import as_text, identifier, query

DEFAULT, NONE = "default", "none"


def lexical(executor: Executor, wanted: str) -> tuple[Lexical, ...]:
    """Return what is stored for searches by words: nothing for "none".

    `wanted` is the name of a configuration, perhaps with its schema, or "default" for the one that the server uses by
    default now. Raises InvalidRequest, naming those there are, if there is none of this name or several.
    """
    if wanted == NONE:
        return ()
    if not isinstance(wanted, str):
        raise InvalidRequest(f"lexical must be the name of a configuration, 'default' or 'none', got {wanted!r}")
    if wanted == DEFAULT:
        row = executor.execute("SELECT pg_catalog.current_setting('default_text_search_config')").fetchone()
        assert row is not None
        wanted = row[0]
    found = executor.execute(query("find_configuration"), {"name": wanted}).fetchall()
    if not found or (len(found) > 1 and found[0][1] != "pg_catalog"):
        every = [
            name if schema == "pg_catalog" else qualified
            for qualified, schema, name in executor.execute(query("find_configuration"), {"name": None}).fetchall()
        ]
        what = "several configurations" if found else "no configuration"
        raise InvalidRequest(
            f"there is {what} {wanted!r} of full text search; give one of: {', '.join(every)}; or 'default', or 'none'"
        )
    return (Lexical(configuration=found[0][0]),)


def lexical_by_name(wanted: str) -> tuple[Lexical, ...]:
    """Do the same without a database: a name without a schema is of Postgres itself."""
    if wanted == NONE:
        return ()
    if wanted == DEFAULT:
        raise InvalidRequest("lexical='default' is what a server says; name the configuration: lexical='english'")
    schema, _, name = wanted.rpartition(".")
    if schema in ("", "pg_catalog"):
        return (Lexical(configuration=f"pg_catalog.{name}"),)
    return (Lexical(configuration=as_text(identifier(schema, name))),)
