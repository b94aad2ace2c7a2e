"""For SQLAlchemy: searches as SELECT statements, vectors as columns, and mapped classes that declare an encoding."""

from pgencoder.search.select import SearchSelect
from pgencoder.search.sqltypes import Dense, Tokens
from pgencoder.sqlalchemy.attach import AttachReport, attach_all
from pgencoder.sqlalchemy.declare import EncodedColumns
from pgencoder.sqlalchemy.passages import Encoded, Passage, passages_of, with_passage
from pgencoder.sqlalchemy.search import aselect, maxsim, recall, select

__all__ = [
    "AttachReport",
    "Dense",
    "Encoded",
    "EncodedColumns",
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
