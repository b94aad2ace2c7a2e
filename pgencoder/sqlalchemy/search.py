"""Builds searches as SQLAlchemy statements, for a user's engines and sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, overload

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from pgencoder.database import Database
from pgencoder.encoders import NO_MODEL, Encoder, query_text
from pgencoder.errors import InvalidRequest
from pgencoder.opening import the_only
from pgencoder.search.ranking import DENSE, LEXICAL, SPARSE, TOKENS, Fusion, Ranking, stage_for
from pgencoder.search.select import SearchSelect, entity_place, select_collection, select_entity
from pgencoder.search.sqltypes import NumbersType
from pgencoder.search.statement import Boost, Check, Filter, Place, Search, hits_of, source_of
from pgencoder.sqlalchemy.declare import EncodedColumns, is_inherited
from pgencoder.statements import SCHEMA, as_text, identifier
from pgencoder.threads import in_thread
from pgencoder.types import Collection, Encoding, Fingerprint, FusionName, Group, Matrix, Stage
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
    stage: Stage | Ranking | None = None,
    fusion: FusionName | Fusion | None = None,
    weights: Mapping[str, float] | None = None,
    boost: Boost | None = None,
    min_relevance: float | None = None,
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
    stage: Stage | Ranking | None = None,
    fusion: FusionName | Fusion | None = None,
    weights: Mapping[str, float] | None = None,
    boost: Boost | None = None,
    min_relevance: float | None = None,
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
    stage: Stage | Ranking | None = None,
    fusion: FusionName | Fusion | None = None,
    weights: Mapping[str, float] | None = None,
    boost: Boost | None = None,
    min_relevance: float | None = None,
    encoder: Encoder | None = None,
    collection: str | None = None,
    db: Database | None = None,
) -> SearchSelect[*tuple[Any, ...]]:
    """Return a SELECT of an entity and its score, best first: `select(Article, "query").where(Article.lang == "en")`.

    `entity` is a mapped class, an alias of a class, or a Table; the statement finds its best rows
    (`group="document"`). `entity` may also be the name of a collection; the statement then finds passages, with the
    columns key, passage, span_start, span_end, content, score, relevance, recall_rank, dense_score and parts (JSON: for
    "dense", "lexical", "sparse" and "maxsim" the score and the rank). A `where` on the searched table narrows the
    recall. A `where` on something else filters the rows that were found.

    `query` is text, an `Encoding`, or a dense vector of shape (d,). Text is encoded now, by `encoder` or by the model
    that the class declares in `__encoding__`; the statement then refuses to search vectors of another model. Without
    both, and for a collection's name, the model is looked up in `db`. `db` may be left out if this process has exactly
    one database open. `collection` is needed if its name differs from the table's. The rest is as in
    `Database.search`.

    In a transaction the statement's settings of `hnsw.ef_search` and `hnsw.iterative_scan` last until it ends.
    """
    found = _find(entity, query, encoder, collection, db)
    search = Search(
        k,
        candidates,
        group=group or ("passage" if isinstance(entity, str) else "document"),
        stage=stage_for(stage, found.comparable, fusion, weights),
        boost=boost,
        min_relevance=min_relevance,
    )
    if isinstance(entity, str):
        assert found.collection is not None
        return select_collection(found.collection, search, found.query, found.check)
    assert found.table is not None
    return select_entity(entity, found.table, search, found.query, found.check)


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
    """Return only the first stage, as a subquery: the nearest passages of the rows that pass `filter`.

    The columns are k1, k2, ... (the key), passage, span, content, tokens (if they are stored), recall_rank and
    dense_score. The rest is as in `select`.
    """
    found = _find(entity, query, encoder, collection, db)
    if found.table is not None:
        place, source = entity_place(entity, found.table, found.check.collection)
    else:
        assert found.collection is not None
        source = source_of(found.collection)
        key = tuple(column.name for column in found.collection.key)
        place = Place(found.collection.name, f"{found.collection.name}_passages", key, source.keys)
    if filter is not None:
        place = replace(place, source=source.keys.where(source.translate(filter)))
    search = Search(candidates, candidates, stage="dense")
    extra = (TOKENS.name,) if TOKENS.name in found.stored else ()
    return hits_of(place, search, found.query, check=found.check, extra=extra)


def maxsim(query: Encoding | Matrix | ColumnElement[Any], document: Any) -> ColumnElement[float]:
    """Return the expression of MaxSim between query tokens and a column of tokens of either type.

    `query` is an `Encoding`, an expression, or a matrix of shape (n, t). Searches use the same function: the native
    kernel compares 1-bit tokens with the query's floats, the SQL kernel compares them bit by bit.
    """
    if isinstance(query, Encoding):
        query = query.tokens
    if not isinstance(query, ColumnElement):
        tokens = normalize(np.atleast_2d(np.asarray(query)))
        numbers = sa.bindparam("query_tokens", Numbers(tokens), NumbersType(), unique=True)
        query = _functions._query_tokens(sa.cast(numbers, NumbersType()), sa.literal(tokens.shape[1], sa.Integer()))
    return _functions._score(query, document, type_=sa.Double())  # type: ignore[no-any-return]


@dataclass(frozen=True)
class _Found:
    """The parts of a search: its check, the encoded query, the entity's table, and the collection if looked up.

    `stored` are the names of the collection's representations, as far as they are known here.
    """

    check: Check
    query: Encoding
    stored: frozenset[str]
    table: sa.Table | None = None
    collection: Collection | None = None

    @property
    def comparable(self) -> frozenset[str]:
        """The names of the representations that the query has something to compare with."""
        query = self.query
        there = {
            DENSE.name: len(query.dense) > 0,
            TOKENS.name: query.tokens.shape[1] > 0,
            LEXICAL.name: bool(query.text),
            SPARSE.name: query.sparse is not None,
        }
        return frozenset(name for name in self.stored if there.get(name, True)) or self.stored


def _find(entity: Any, query: Query, encoder: Encoder | None, collection: str | None, db: Database | None) -> _Found:
    table, declared = (None, None) if isinstance(entity, str) else _table(entity)
    if table is None or db is not None or (isinstance(query, str) and encoder is None and declared is None):
        db = db or the_only()
        described = db.collection(collection or entity) if table is None else _of(table, collection, declared, db)
        encoding = db.encode_query(described, query, encoder) if isinstance(query, str) else _encoding(query)
        fingerprint = described.generation.encoder if isinstance(query, str) else None
        stored = described.generation.stored
        return _Found(_check(described.name, fingerprint, table), encoding, stored, table, described)
    if isinstance(query, str):
        encoder = encoder or (declared.encoder() if declared is not None else None)
        assert encoder is not None
        text = query_text(query)
        encoding = replace(encoder.encode_query(text), text=text)
    else:
        encoding = _encoding(query)
    check = _check(collection or _name(table, declared), encoder.fingerprint if encoder else None, table)
    # a generation has the sparse vectors that its encoder makes
    known = {"dense", "sparse"} | (set() if declared is not None and declared.tokens == "none" else {"tokens"})
    if declared is not None and declared.model == NO_MODEL:
        known = set()
    if declared is None or declared.lexical != "none":
        known |= {LEXICAL.name}
    return _Found(check, encoding, frozenset(known), table)


def _encoding(query: Any) -> Encoding:
    if isinstance(query, Encoding):
        return query
    try:
        numbers = np.asarray(query)
        vector = np.asarray(numbers, dtype=np.float32)
        # without "1.5", b"1.5" and True, which NumPy would accept as numbers
        if numbers.dtype.kind in "fiuO" and vector.ndim == 1 and vector.size and np.isfinite(vector).all():
            return Encoding(vector)
    except (TypeError, ValueError):
        pass
    raise InvalidRequest(f"query must be text, an Encoding or a vector of numbers, got {type(query).__name__}")


def _table(entity: Any) -> tuple[sa.Table, EncodedColumns | None]:
    """Return the table of an entity, and the declaration of its class or of the class that it inherits it from."""
    described = sa.inspect(entity, raiseerr=False)
    mapper = getattr(described, "mapper", None)
    table, declared = described, None
    if mapper is not None:
        declared = getattr(mapper.class_, "__encoding__", None)
        declared = declared if isinstance(declared, EncodedColumns) else None
        while declared is not None and is_inherited(mapper):
            mapper = mapper.inherits
        table = mapper.local_table
    if not isinstance(table, sa.Table) or not table.primary_key:
        raise InvalidRequest(
            f"cannot search {entity!r}: give a class that is mapped to a table, an alias of one, a Table with a primary"
            " key, or a collection's name"
        )
    return table, declared


def _name(table: sa.Table, declared: EncodedColumns | None) -> str:
    return (declared.name if declared is not None else None) or table.name


def _check(collection: str, encoder: Fingerprint | None, table: sa.Table | None) -> Check:
    expected: dict[str, Any] = {}
    if encoder is not None:
        expected["encoder"] = dict(encoder)
    if table is not None and table.schema is not None:
        expected["source"] = as_text(identifier(table.schema, table.name))
    return Check(collection, expected)


def _of(table: sa.Table, collection: str | None, declared: EncodedColumns | None, db: Database) -> Collection:
    """Return the collection `collection`, or the only collection of the table."""
    name = collection or _name(table, declared)
    fitting = [
        each
        for each in db.collections()
        if each.source_table == table.name and table.schema in (None, each.source_schema)
    ]
    if collection is None and len(fitting) == 1:
        return fitting[0]
    return db.collection(name)
