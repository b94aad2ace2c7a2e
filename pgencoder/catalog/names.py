"""The names of the database objects of a collection and of its generations: the only list of them.

The functions of the schema that look for such names get them from here, see `kinds`.
"""

from __future__ import annotations

from pgencoder.statements import Part, numbered, own, raw

# <collection>_<kind>
OF_COLLECTION = (
    *("active", "by_lexical", "by_sparse", "changed", "lexical", "passages", "read", "rows", "scan", "search"),
    *("sparse", "visible"),
)
# Functions among them that have the name of a representation, and so, perhaps, of another collection's index
LIKE_INDEXES = ("lexical", "sparse")
# <collection>_<number>_<kind>, beside the passages table, <collection>_<number>, and an index for each representation
OF_GENERATION = ("build", "count", "queue", "terms", "write")

# The policy's name: where somebody drops the table, Postgres names the policy, and so what is to be done
POLICY = "pgencoder detach "


class Names:
    """Quoted names of the objects of a collection and of its generation `number`, which may be known only later."""

    def __init__(self, collection: str, number: Part) -> None:
        self.changed = own(f"{collection}_changed")
        self.search = own(f"{collection}_search")
        self.view = own(f"{collection}_passages")
        self.active = own(f"{collection}_active")
        self.read = own(f"{collection}_read")
        self.scan = own(f"{collection}_scan")
        self.visible = own(f"{collection}_visible")
        self.rows = own(f"{collection}_rows")
        self.by_lexical = own(f"{collection}_by_lexical")
        self.lexical = own(f"{collection}_lexical")
        self.by_sparse = own(f"{collection}_by_sparse")
        self.sparse = own(f"{collection}_sparse")
        self.passages = numbered(collection, number)
        self.queue = numbered(collection, number, "_queue")
        self.write = numbered(collection, number, "_write")
        self.build = numbered(collection, number, "_build")
        self.count = numbered(collection, number, "_count")
        self.terms = numbered(collection, number, "_terms")


def kinds() -> dict[str, Part]:
    """Return the kinds of objects as alternatives of a regular expression, for templates of functions."""
    return {
        "collection_kinds": raw("|".join(OF_COLLECTION)),
        "function_kinds": raw("|".join(LIKE_INDEXES)),
        "generation_kinds": raw("|".join(OF_GENERATION)),
    }
