"""For Alembic: the operations attach_encoding, detach_encoding and reencode, and autogenerate for them.

Import this in `env.py`, and in revisions that use the operations, as autogenerate does. They run in the transaction of
the migration, with any driver, and print SQL with `--sql`. The schema pgencoder must be there: `pgencoder migrate`.
The rows that a table has are queued by workers or `sync`.

`alembic revision --autogenerate` compares what mapped classes declare with the collections that there are. It leaves
the schema pgencoder alone, and collections of tables that are not in `target_metadata`. `include_name` in `env.py` is
asked about each collection, as of type "encoding".

Where pgvector is in another schema than public, `--sql` must be told:
`context.configure(..., pgencoder_vector_schema="extensions")`.
"""

from pgencoder.alembic import autogenerate  # noqa: F401 - registers itself
from pgencoder.alembic.operations import AttachEncodingOp, DetachEncodingOp, ReencodeOp, declared

__all__ = ["AttachEncodingOp", "DetachEncodingOp", "ReencodeOp", "declared"]
