"""The policy of a generation's passages: each is visible to whoever may see its row."""

from __future__ import annotations

from psycopg import sql

from pgencoder.catalog.names import POLICY
from pgencoder.catalog.objects import Objects
from pgencoder.db.executor import Executor
from pgencoder.statements import Part, as_text, identifier


def create(objects: Objects) -> Part:
    """Let the passages be visible where their row is.

    By this policy it is known, whatever the table is called later and in restored dumps, which one is attached.
    """
    return objects.fill("create_policy", policy=_name(objects), is_visible=is_visible(objects, objects.passages))


def is_visible(objects: Objects, passages: Part) -> Part:
    """Return the condition that the row of a passage of the relation `passages` is visible."""
    return objects.fill(
        "is_visible", passage_key=objects.key.of(passages), row_is_passage=objects.key.is_k("source", passages)
    )


def drop(executor: Executor, objects: Objects) -> None:
    """Remove the policy; a role that does not own the passages then sees none."""
    exists = executor.execute("SELECT pg_catalog.to_regclass(%s) IS NOT NULL", [as_text(objects.passages)]).fetchone()
    if exists == (True,):
        executor.execute(sql.SQL("DROP POLICY IF EXISTS {} ON {}").format(_name(objects), objects.passages))


def _name(objects: Objects) -> Part:
    return identifier(f"{POLICY}{objects.collection.name}")
