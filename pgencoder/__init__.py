"""Late-interaction retrieval inside Postgres, kept in sync with your rows.

import pgencoder

db = pgencoder.connect("postgresql://...")   # or pgencoder.embedded()
db.migrate()
db.attach("articles", columns=["title", "body"])
db.sync("articles")
for hit in db.search("articles", "how to trade off consistency vs partition tolerance", k=5):
    print(hit.score, hit.key, hit.content)
"""

from typing import TYPE_CHECKING, Any

from pgencoder import errors
from pgencoder.errors import PgencoderError

if TYPE_CHECKING:
    from pgencoder.database import Database
    from pgencoder.encoders import (
        DEFAULT_MODEL,
        DenseEncoder,
        Encoder,
        Explaining,
        Piece,
        Placed,
        Reranker,
        Window,
        Windowed,
        load_reranker,
        register_encoder,
    )
    from pgencoder.encoders import load as load_encoder
    from pgencoder.explain.explanation import Explanation
    from pgencoder.explain.matches import LexicalMatch, Match, WordMatch
    from pgencoder.opening import connect, embedded
    from pgencoder.results import (
        Citation,
        CollectionStatus,
        Context,
        FailedRow,
        GenerationStatus,
        Hit,
        Kernel,
        Pair,
        ReconcileReport,
        RepairReport,
        SyncReport,
        WorkerStatus,
    )
    from pgencoder.sqlalchemy import Dense, SearchSelect, Tokens, aselect, attach_all, maxsim, recall, select
    from pgencoder.types import Dims, Encoding, Generation
    from pgencoder.worker.worker import Worker, WorkerOptions

__version__ = "0.1.0"

__all__ = [
    "DEFAULT_MODEL",
    "Citation",
    "CollectionStatus",
    "Context",
    "Database",
    "Dense",
    "DenseEncoder",
    "Dims",
    "Encoder",
    "Encoding",
    "Explaining",
    "Explanation",
    "FailedRow",
    "Generation",
    "GenerationStatus",
    "Hit",
    "Kernel",
    "LexicalMatch",
    "Match",
    "Pair",
    "PgencoderError",
    "Piece",
    "Placed",
    "ReconcileReport",
    "RepairReport",
    "Reranker",
    "SearchSelect",
    "SyncReport",
    "Tokens",
    "Window",
    "Windowed",
    "WordMatch",
    "Worker",
    "WorkerOptions",
    "WorkerStatus",
    "aselect",
    "attach_all",
    "connect",
    "embedded",
    "errors",
    "load_encoder",
    "load_reranker",
    "maxsim",
    "recall",
    "register_encoder",
    "select",
]


# The modules of these names, which are loaded when one is asked for: `pgencoder --help` needs none of them
_HOMES = {
    "pgencoder.database": "Database",
    "pgencoder.encoders": (
        "DEFAULT_MODEL DenseEncoder Encoder Explaining Piece Placed Reranker Window Windowed load_reranker "
        "register_encoder"
    ),
    "pgencoder.explain.explanation": "Explanation",
    "pgencoder.explain.matches": "LexicalMatch Match WordMatch",
    "pgencoder.opening": "connect embedded",
    "pgencoder.results": (
        "Citation CollectionStatus Context FailedRow GenerationStatus Hit Kernel Pair ReconcileReport "
        "RepairReport SyncReport WorkerStatus"
    ),
    "pgencoder.types": "Dims Encoding Generation",
    "pgencoder.worker.worker": "Worker WorkerOptions",
    "pgencoder.sqlalchemy": "Dense SearchSelect Tokens aselect attach_all maxsim recall select",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        for home, names in _HOMES.items():
            if name in names.split():
                return getattr(import_module(home), name)
        if name == "load_encoder":
            return import_module("pgencoder.encoders").load
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
