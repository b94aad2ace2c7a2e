"""pgencoder for SQLAlchemy: searches as SELECT statements, and vectors as columns."""

from pgencoder.orm.select import aselect, maxsim, recall, select
from pgencoder.query.select import SearchSelect
from pgencoder.query.types import Dense, Tokens

__all__ = ["Dense", "SearchSelect", "Tokens", "aselect", "maxsim", "recall", "select"]
