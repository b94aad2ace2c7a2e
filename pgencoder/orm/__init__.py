"""pgencoder for SQLAlchemy: searches as SELECT statements, vectors as columns, and classes that say what is encoded."""

from pgencoder.orm.attach import AttachReport, attach_all
from pgencoder.orm.declare import Encoding
from pgencoder.orm.passages import Encoded, Passage, passages_of, with_passage
from pgencoder.orm.search import aselect, maxsim, recall, select
from pgencoder.query.select import SearchSelect
from pgencoder.query.types import Dense, Tokens

__all__ = [
    "AttachReport",
    "Dense",
    "Encoded",
    "Encoding",
    "Passage",
    "SearchSelect",
    "Tokens",
    "aselect",
    "attach_all",
    "maxsim",
    "passages_of",
    "recall",
    "select",
    "with_passage",
]
