"""Searches as SQLAlchemy statements, for engines and sessions of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, overload

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from pgencoder import encoders
from pgencoder.client import Database, the_only
from pgencoder.encoders import Encoder
from pgencoder.query.select import SearchSelect, entity_place, select_collection, select_entity, table_name
from pgencoder.query.statement import Filter, Place, Search, ranking, source_of, stage_for
from pgencoder.query.types import NumbersType
from pgencoder.sql import SCHEMA
from pgencoder.threads import in_thread
from pgencoder.types import Collection, Encoding, Fingerprint, Group, Matrix, Stage
from pgencoder.vectors import Numbers, normalize

E = TypeVar("E")
Query = str | Encoding | Matrix | Sequence[float]

_functions = getattr(sa.func, SCHEMA)


@overload
def select(
    entity: type[E],
    query: Query,
    k: int = 10,
    *,
    candidates: int = 100,
    group: Group | None = None,
    stage: Stage | None = None,
    encoder: Encoder | None = None,
    collection: str | None = None,
    db: Database | None = None,
) -> SearchSelect[E, float]: ...
@overload
def select(
    entity: Any,
    query: Query,
    k: int = 10,
    *,
    candidates: int = 100,
    group: Group | None = None,
    stage: Stage | None = None,
    encoder: Encoder | None = None,
    collection: str | None = None,
    db: Database | None = None,
) -> SearchSelect[*tuple[Any, ...]]: ...
def select(
    entity: Any,
    query: Query,
    k: int = 10,
    *,
    candidates: int = 100,
    group: Group | None = None,
    stage: Stage | None = None,
    encoder: Encoder | None = None,
    collection: str | None = None,
    db: Database | None = None,
) -> SearchSelect[*tuple[Any, ...]]:
    """A SELECT of an entity and its score, best first: `select(Article, "query").where(Article.lang == "en")`.

    `entity` is a mapped class, an alias of one or a Table, whose best rows are found (`group="document"`); or the name
    of a collection, for its passages: the key, passage, span_start, span_end, content, score, recall_rank and
    dense_score. `where` with conditions on the searched table narrows the recall; with others, what was found.

    `query` is text, an `Encoding`, or a dense vector of shape (d,). Text is encoded here by `encoder`, or by the model
    that the class declares in `__encoding__`; the statement then refuses to search vectors of another model. Where
    neither is given, and for a collection by its name, the model is looked up in `db`, which may be left out if this
    process has one open. `collection` is its name if that is not the table's. The rest is as in `Database.search`.
    """
    found = _find(entity, query, encoder, collection, db)
    search = Search(
        k,
        candidates,
        group=group or ("passage" if isinstance(entity, str) else "document"),
        stage=stage_for(stage, found.tokens),
    )
    if isinstance(entity, str):
        assert found.collection is not None
        return select_collection(found.collection, search, found.query, found.encoder)
    return select_entity(entity, found.name, search, found.query, found.encoder)


aselect = in_thread(select)


def recall(
    entity: Any,
    query: Query,
    candidates: int = 100,
    *,
    filter: Filter | None = None,
    encoder: Encoder | None = None,
    collection: str | None = None,
    db: Database | None = None,
) -> sa.Subquery:
    """The first stage alone, as a subquery: the nearest passages among the rows that pass `filter`.

    Its columns: k1, k2, ... (the key), passage, span, content, tokens, recall_rank, dense_score. The rest is as in
    `select`.
    """
    found = _find(entity, query, encoder, collection, db)
    if found.collection is not None and isinstance(entity, str):
        source = source_of(found.collection)
        place = Place(f"{found.name}_passages", tuple(key.name for key in found.collection.key), source.keys)
    else:
        place, source = entity_place(entity, found.name)
    if filter is not None:
        place = Place(place.passages, place.key, source.keys.where(source.translated(filter)))
    checked = None if found.encoder is None else (found.name, found.encoder)
    return ranking(place, Search(candidates, candidates, stage="dense"), found.query, encoder=checked, rerank=False)


def maxsim(query: Encoding | Matrix | ColumnElement[Any], document: Any) -> ColumnElement[float]:
    """MaxSim of query tokens, an expression or a matrix of shape (n, t), and a column of tokens of either type.

    The same as searches use: 1-bit tokens are compared with the query's floats by the native kernel, else bit by bit.
    """
    if isinstance(query, Encoding):
        query = query.tokens
    if not isinstance(query, ColumnElement):
        tokens = normalize(np.atleast_2d(np.asarray(query)))
        numbers = sa.bindparam("query_tokens", Numbers(tokens), NumbersType(), unique=True)
        query = _functions.query_tokens(sa.cast(numbers, NumbersType()), sa.literal(tokens.shape[1], sa.Integer()))
    return _functions.score(query, document, type_=sa.Double())  # type: ignore[no-any-return]


@dataclass(frozen=True)
class _Found:
    """What a search is on: the collection, described if it was looked up, and the encoded query with its encoder."""

    name: str
    query: Encoding
    encoder: Fingerprint | None
    tokens: bool
    collection: Collection | None = None


def _find(entity: Any, query: Query, encoder: Encoder | None, collection: str | None, db: Database | None) -> _Found:
    declared = None if isinstance(entity, str) else getattr(_class(entity), "__encoding__", None)
    name = collection or (entity if isinstance(entity, str) else getattr(declared, "name", None) or table_name(entity))
    if isinstance(entity, str) or db is not None or (isinstance(query, str) and encoder is None and declared is None):
        db = db or the_only()
        described = db.collection(name)
        encoding = db.encode_query(described, query, encoder) if isinstance(query, str) else _encoding(query)
        fingerprint = described.generation.encoder if isinstance(query, str) else None
        tokens = described.generation.dims.tokens > 0 and encoding.tokens.shape[1] > 0
        return _Found(name, encoding, fingerprint, tokens, described)
    if not isinstance(query, str):
        encoding = _encoding(query)
        return _Found(name, encoding, None if encoder is None else encoder.fingerprint, encoding.tokens.shape[1] > 0)
    encoder = encoder or _declared(declared)
    encoding = encoder.encode_query(query)
    tokens = encoding.tokens.shape[1] > 0 and getattr(declared, "tokens", None) != "none"
    return _Found(name, encoding, encoder.fingerprint, tokens)


def _encoding(query: Any) -> Encoding:
    if isinstance(query, Encoding):
        return query
    return Encoding(np.asarray(query, dtype=np.float32), np.empty((0, 0), dtype=np.float32))


def _class(entity: Any) -> Any:
    return getattr(sa.inspect(entity, raiseerr=False), "class_", None)


def _declared(declared: Any) -> Encoder:
    if not isinstance(declared.model, str):
        return declared.model  # type: ignore[no-any-return]
    return encoders.shared(declared.model, declared.token_model, allow_untrained=declared.allow_untrained)
