"""pgencoder for SQLAlchemy: classes that say what of them is encoded, and their passages."""

from pgencoder.orm.attach import AttachReport, attach_all
from pgencoder.orm.declare import Encoding
from pgencoder.orm.passages import Encoded, Passage, passages_of

__all__ = ["AttachReport", "Encoded", "Encoding", "Passage", "attach_all", "passages_of"]
