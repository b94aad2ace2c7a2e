"""The triggers on the source, which queue what changes."""

from __future__ import annotations

from pgencoder.catalog.objects import Objects
from pgencoder.schema.ownership import by_source_owner
from pgencoder.statements import Late, Part, assembled, block, identifier

EVENTS = ("insert", "update", "delete", "truncate")


def create(objects: Objects) -> list[Part]:
    """Make statement-level triggers on the source, and on its partitions for statements that name one of them."""
    names = {f"{event}_trigger": identifier(f"pgencoder_{objects.collection.name}_{event}") for event in EVENTS}
    relation = Late("relation::pg_catalog.text")
    triggers = objects.fill("create_triggers", function=objects.changed, relation=relation, **names)
    return by_source_owner(objects, [block(objects.fill("each_relation", statements=assembled(triggers)))])
