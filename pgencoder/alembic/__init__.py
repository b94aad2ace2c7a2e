"""For Alembic: the operations attach_encoding, detach_encoding and reencode, and autogenerate for them.

Import this package in `env.py`, and in each revision that uses the operations; autogenerate writes that import. The
operations run in the transaction of the migration, with any driver. With `--sql` they print SQL. Run `pgencoder
migrate` first, to create the schema pgencoder. Workers or `sync` queue the rows that a table already has.

`alembic revision --autogenerate` compares what mapped classes declare with the existing collections. It ignores the
schema pgencoder, and collections of tables that are not in `target_metadata`. It asks `include_name` in `env.py` about
each collection, with the type "encoding".

If pgvector is not in the schema public, tell `--sql` where it is:
`context.configure(..., pgencoder_vector_schema="extensions")`.
"""

from pgencoder.alembic import autogenerate  # noqa: F401 - it registers itself
from pgencoder.alembic.operations import AttachEncodingOp, DetachEncodingOp, ReencodeOp, declared

__all__ = ["AttachEncodingOp", "DetachEncodingOp", "ReencodeOp", "declared"]
