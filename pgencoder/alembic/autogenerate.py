"""Compares declarations with the database for `alembic revision --autogenerate`, and renders the operations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alembic.autogenerate import comparators, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import AlterColumnOp, DropTableOp, MigrateOperation, ModifyTableOps, UpgradeOps

from pgencoder.alembic.operations import AttachedTable, AttachEncodingOp, DetachEncodingOp, Models, ReencodeOp, declared
from pgencoder.encoders import HTTP, NO_MODEL, SENTENCE_TRANSFORMERS
from pgencoder.schema import borrowed
from pgencoder.sqlalchemy.declare import Declared, declarations
from pgencoder.statements import SCHEMA
from pgencoder.types import DEFAULT_LEXICAL, Collection, Generation

# without noqa linters would remove the import, and the operations with it
IMPORT = "import pgencoder.alembic  # noqa: F401"

try:  # since Alembic 1.18; FIRST runs before the tables of the schemas are read
    from alembic.util import DispatchPriority

    _FIRST: dict[str, Any] = {"priority": DispatchPriority.FIRST}
    _LAST: dict[str, Any] = {"priority": DispatchPriority.LAST}
except ImportError:
    _FIRST = _LAST = {}


@comparators.dispatch_for("schema", **_FIRST)
def _leave_ours(_context: AutogenContext, upgrade_ops: UpgradeOps, schemas: set[str | None]) -> None:
    schemas.discard(SCHEMA)
    # an older Alembic has compared that schema already
    upgrade_ops.ops = [each for each in upgrade_ops.ops if getattr(each, "schema", None) != SCHEMA]


@comparators.dispatch_for("schema", **_LAST)
def _compare(context: AutogenContext, upgrade_ops: UpgradeOps, _schemas: set[str | None]) -> None:
    """Add the operations that make collections match what the classes declare."""
    bind = context.connection
    if bind is None or context.metadata is None or bind.dialect.name != "postgresql":
        return
    before: list[MigrateOperation] = []
    after: list[MigrateOperation] = []
    for op in _differences(context, upgrade_ops):
        # a column or table can be dropped after its detach, and attached after it is created
        (before if isinstance(op, DetachEncodingOp) else after).append(op)
    upgrade_ops.ops = [*before, *upgrade_ops.ops, *after]


def _differences(context: AutogenContext, upgrade_ops: UpgradeOps) -> Iterator[MigrateOperation]:
    assert context.connection is not None
    assert context.metadata is not None
    default_schema = context.connection.dialect.default_schema_name
    wanted = {each.name: each for each in declarations(context.metadata) if _included(context, each.name, each.schema)}
    there = {each.name: each for each in borrowed.collections(context.connection)}
    for name, each in wanted.items():
        collection = there.get(name)
        if collection is None:
            yield _attach_declared(each)
        elif not each.is_of(collection, default_schema) or _other_key(each, collection, upgrade_ops, default_schema):
            yield DetachEncodingOp(name, _attach_again(collection, default_schema))
            yield _attach_declared(each)
        elif not any(each.encoding.fits(generation) for generation in _in_use(collection)):
            yield _reencode(each, collection)
    known = _tables(context, upgrade_ops, default_schema)
    for name, collection in there.items():
        place = (collection.source_schema, collection.source_table)
        if name not in wanted and place in known and _included(context, name, collection.source_schema):
            yield DetachEncodingOp(name, _attach_again(collection, default_schema))


def _other_key(each: Declared, collection: Collection, upgrade_ops: UpgradeOps, default: str | None) -> bool:
    """Return True if the key has other columns or changes its type: the tables of a collection cannot follow that."""
    key = {column.source for column in collection.key}
    altered = (op for table in upgrade_ops.ops if isinstance(table, ModifyTableOps) for op in table.ops)
    return key != set(each.key) or any(
        isinstance(op, AlterColumnOp)
        and op.modify_type is not None
        and op.column_name in key
        and (op.schema or default, op.table_name) == (collection.source_schema, collection.source_table)
        for op in altered
    )


def _in_use(collection: Collection) -> list[Generation]:
    return [each for each in collection.generations if each.state != "retired"]


def _included(context: AutogenContext, name: str, schema: str | None) -> bool:
    """Return True if `include_name` in env.py wants this collection compared."""
    return context.run_name_filters(name, "encoding", {"schema_name": schema})  # type: ignore[arg-type]


def _tables(context: AutogenContext, upgrade_ops: UpgradeOps, default: str | None) -> set[tuple[str | None, str]]:
    """Return the tables of the metadata, and the tables that are dropped because the metadata lacks them now."""
    known = {(table.schema or default, table.name) for table in context.sorted_tables}
    return known | {(op.schema or default, op.table_name) for op in upgrade_ops.ops if isinstance(op, DropTableOp)}


def _models(each: Declared) -> Models:
    encoding = each.encoding
    model = encoding.model
    if not isinstance(model, str):
        return Models(declared.of(each.name, model.fingerprint), None, encoding.allow_untrained)
    return Models(model, encoding.token_model, encoding.allow_untrained, encoding.sparse_model)


def _attach_declared(each: Declared) -> AttachEncodingOp:
    encoding = each.encoding
    lexical = encoding.lexical or DEFAULT_LEXICAL
    return AttachEncodingOp(
        each.name, _source(each), _models(each), encoding.tokens, encoding.chunking, lexical, encoding.pooling or 1
    )


def _source(each: Declared) -> AttachedTable:
    return AttachedTable(each.table, each.columns, each.schema, each.key)


def _reencode(each: Declared, collection: Collection) -> ReencodeOp:
    generation = collection.generation
    source = _source(each)
    before = ReencodeOp(
        each.name,
        _models_of(generation),
        generation.token_type,
        generation.chunking,
        source,
        lexical=generation.lexical,
        pooling=generation.pooling,
    )
    model = each.encoding.model
    without = not isinstance(model, str) and not model.dims.tokens
    tokens = each.encoding.tokens or ("none" if without else generation.token_type)
    lexical = each.encoding.lexical or generation.lexical
    op = ReencodeOp(
        each.name,
        _models(each),
        tokens,
        each.encoding.chunking,
        source,
        before,
        lexical,
        each.encoding.pooling or generation.pooling,
    )
    before.before = op
    return op


def _attach_again(collection: Collection, default_schema: str | None) -> AttachEncodingOp:
    """Return the operation that attaches an existing collection again, for downgrades."""
    generation = collection.generation
    schema = None if collection.source_schema == default_schema else collection.source_schema
    key = {
        column.source: column.type + (f" COLLATE {column.collation}" if column.collation else "")
        for column in collection.key
    }
    source = AttachedTable(collection.source_table, collection.columns, schema, key)
    tokens = None if generation.token_type == "bit" else generation.token_type
    return AttachEncodingOp(
        collection.name,
        source,
        _models_of(generation),
        tokens,
        generation.chunking,
        generation.lexical,
        generation.pooling,
    )


def _models_of(generation: Generation) -> Models:
    encoder = generation.encoder
    if encoder.get("encoder") == NO_MODEL:
        return Models(NO_MODEL)
    if encoder.get("encoder") == HTTP:
        return Models(encoder["model"], encoder["token_model"])
    if encoder.get("encoder") != SENTENCE_TRANSFORMERS:
        return Models(declared.of(generation.collection, encoder))
    return Models(encoder["model"], encoder["token_model"], not encoder["trained"], encoder.get("sparse_model"))


@renderers.dispatch_for(AttachEncodingOp)
def _render_attach(context: AutogenContext, op: AttachEncodingOp) -> str:
    source = op.source
    return _call(
        context,
        "attach_encoding",
        source.table,
        columns=list(source.columns),
        **_rendered(op.models),
        schema=source.schema,
        name=op.name if op.name != source.table else None,
        tokens=op.tokens,
        chunking=op.chunking if op.chunking != "default" else None,
        lexical=op.lexical if op.lexical != DEFAULT_LEXICAL else None,
        pooling=op.pooling if op.pooling != 1 else None,
        key=dict(source.key or {}),
    )


@renderers.dispatch_for(DetachEncodingOp)
def _render_detach(context: AutogenContext, op: DetachEncodingOp) -> str:
    return _call(context, "detach_encoding", op.name)


@renderers.dispatch_for(ReencodeOp)
def _render_reencode(context: AutogenContext, op: ReencodeOp) -> str:
    source = op.source
    assert source is not None
    return _call(
        context,
        "reencode",
        op.name,
        **_rendered(op.models),
        tokens=op.tokens,
        chunking=op.chunking,
        lexical=None if op.lexical == DEFAULT_LEXICAL == (op.before and op.before.lexical) else op.lexical,
        pooling=None if (op.pooling, op.before and op.before.pooling) == (1, 1) else op.pooling,
        table=source.table,
        columns=list(source.columns),
        schema=source.schema,
        key=dict(source.key or {}),
    )


def _rendered(models: Models) -> dict[str, Any]:
    return {
        "model": models.model,
        "token_model": models.token_model,
        "sparse_model": models.sparse_model,
        "allow_untrained": models.allow_untrained or None,
    }


def _call(context: AutogenContext, operation: str, argument: str, /, **named: Any) -> str:
    context.imports.add(IMPORT)
    prefix = context.opts.get("alembic_module_prefix") or ""
    lines = [repr(argument)]
    lines += [f"{key}={value!r}" for key, value in named.items() if value is not None and value != {}]
    if len(lines) == 1:
        return f"{prefix}{operation}({lines[0]})"
    return f"{prefix}{operation}(\n    " + ",\n    ".join(lines) + ",\n)"
