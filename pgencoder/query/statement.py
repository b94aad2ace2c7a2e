"""Builds the search statement as a SQLAlchemy `Select`.

    setting    sets ef_search and the iterative scan for this statement, before the index scan starts
    nearest    the nearest passages by HNSW, the filter applied inside
    wider      only for results by document: ten times as many, where the nearest have fewer than k documents
    exact      only where those fell short: the nearest among all that pass the filter, without the index
    recall     the candidates, ranked
    the whole  MaxSim of the candidates, best first

A stage that is not needed costs its planning only: its condition is a single-row subquery, which Postgres checks once
before it starts the stage. This is what makes "fewer than k rows only if the filter leaves fewer" true: a filtered
HNSW scan gives up after `hnsw.max_scan_tuples`, and the exact stage then answers.

The passages appear as a subquery with names of our own, so that a filter's plain column names are the source's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ColumnElement, TextClause
from sqlalchemy.types import UserDefinedType

from pgencoder.errors import InvalidRequest
from pgencoder.sql import SCHEMA
from pgencoder.types import GROUPS, STAGES, Collection, Encoding, Group, Stage
from pgencoder.vectors import Halfvec, HalfvecArray, normalize

Filter = ColumnElement[bool] | TextClause

MOST_EF_SEARCH = 1000  # pgvector's limit; the iterative scan goes on from there
WIDER = 10
SCORE = (SCHEMA, "score")


class VectorType(UserDefinedType[Any]):
    """A pgvector type by its qualified name, for casts."""

    cache_ok = True

    def __init__(self, schema: str, name: str) -> None:
        self.schema = schema
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        """The type as DDL and CAST write it."""
        return f"{_quote(self.schema)}.{self.name}"


@dataclass(frozen=True)
class Search:
    """What to search for: how many, of how many candidates, with which filter on the source, by which stage."""

    k: int = 10
    candidates: int = 100
    filter: Filter | None = None
    group: Group = "passage"
    stage: Stage = "maxsim"

    def __post_init__(self) -> None:
        for name in ("k", "candidates"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise InvalidRequest(f"{name} must be an integer of at least 1, got {value!r}")
        if self.group not in GROUPS:
            raise InvalidRequest(f"group must be one of {', '.join(GROUPS)}, got {self.group!r}")
        if self.stage not in STAGES:
            raise InvalidRequest(f"stage must be one of {', '.join(STAGES)}, got {self.stage!r}")
        if self.filter is not None and not isinstance(self.filter, ColumnElement | TextClause):
            raise InvalidRequest(
                "filter must be a SQLAlchemy expression such as Article.lang == 'en', or sqlalchemy.text(...) with"
                f" bound parameters, got {type(self.filter).__name__}"
            )


def search_statement(
    collection: Collection, vector: str, search: Search, query: Encoding, score: tuple[str, str] = SCORE
) -> sa.Select[Any]:
    """The statement that answers `search` for an encoded query; `vector` is pgvector's schema.

    Its columns: the key columns, passage, span_start, span_end, content, score, recall_rank, dense_score. `score` is
    the schema and name of the function of query and document tokens that ranks.
    """
    if search.stage != "dense" and not len(query.tokens):
        raise InvalidRequest('the query has no tokens to match; give it words, or search with stage="dense"')
    return statement(
        collection,
        vector,
        search,
        dense=sa.bindparam("query_dense", Halfvec(normalize(query.dense))),
        tokens=sa.bindparam("query_tokens", HalfvecArray(normalize(query.tokens))),
        k=sa.bindparam("k", search.k, sa.Integer),
        candidates=sa.bindparam("candidates", max(search.candidates, search.k), sa.Integer),
        score=score,
    )


def statement(
    collection: Collection,
    vector: str,
    search: Search,
    *,
    dense: Any,
    tokens: Any,
    k: Any,
    candidates: Any,
    score: tuple[str, str] = SCORE,
) -> sa.Select[Any]:
    """The search statement over parameters of the caller's making."""
    return _Builder(collection, vector, search, dense, tokens, k, candidates, score).build()


class _Builder:
    def __init__(
        self,
        collection: Collection,
        vector: str,
        search: Search,
        dense: Any,
        tokens: Any,
        k: Any,
        candidates: Any,
        score: tuple[str, str],
    ) -> None:
        self.collection, self.search, self.k, self.candidates = collection, search, k, candidates
        self.keys = [f"pgencoder_key_{i}" for i, _ in enumerate(collection.key)]
        self.source, self.filter = _source_of(collection, search.filter)
        self.passage = self._passages()
        self.distance: ColumnElement[float] = self.passage.c.pgencoder_dense.op(
            f"OPERATOR({_quote(vector)}.<#>)", return_type=sa.Double()
        )(sa.cast(dense, VectorType(vector, "halfvec")))
        self.tokens = sa.cast(tokens, VectorType(vector, "halfvec[]"))
        self.function = score

    def build(self) -> sa.Select[Any]:
        if self.search.stage == "exhaustive":
            score = self._score(self.passage.c.pgencoder_tokens)
            scored = self._of_source(
                self._result(
                    self.passage,
                    score.label("score"),
                    sa.null().label("recall_rank"),
                    (-self.distance).label("dense_score"),
                )
            )
            return self._best(scored.subquery("scored"))
        recall = self._recall()
        dense_score = -recall.c.distance
        score = dense_score if self.search.stage == "dense" else self._score(recall.c.pgencoder_tokens)
        scored = self._result(recall, score.label("score"), recall.c.recall_rank, dense_score.label("dense_score"))
        return self._best(scored.cte("scored").prefix_with("MATERIALIZED"))

    def _passages(self) -> sa.Subquery:
        table = sa.table(
            self.collection.generation.passages,
            *(
                sa.column(name)
                for name in [
                    *(key.name for key in self.collection.key),
                    "passage",
                    "span",
                    "content",
                    "dense",
                    "tokens",
                ]
            ),
            schema=SCHEMA,
        )
        return sa.select(
            *(table.c[key.name].label(name) for key, name in zip(self.collection.key, self.keys, strict=True)),
            *(table.c[name].label(f"pgencoder_{name}") for name in ("passage", "span", "content", "dense", "tokens")),
        ).subquery("pgencoder_passages")

    def _of_source(self, select: sa.Select[Any]) -> sa.Select[Any]:
        """Only passages whose row is in the source and passes the filter."""
        same = [
            self.source.c[key.source] == self.passage.c[name]
            for key, name in zip(self.collection.key, self.keys, strict=True)
        ]
        select = select.select_from(self.passage.join(self.source, sa.and_(*same)))
        return select if self.filter is None else select.where(self.filter)

    def _recall(self) -> sa.CTE:
        # '100' and not 100: set_config takes text, and a driver that binds in binary must not guess
        ef_search = sa.func.least(self.candidates, MOST_EF_SEARCH)
        setting = (
            sa.select(
                sa.func.set_config("hnsw.ef_search", sa.cast(ef_search, sa.Text), True).label("done"),
                sa.func.set_config("hnsw.iterative_scan", "relaxed_order", True).label("scan"),
            )
            .cte("setting")
            .prefix_with("MATERIALIZED")
        )
        is_set = sa.select(setting.c.done).scalar_subquery().is_not(None)

        nearest = self._stage("nearest", self.distance, self.candidates, is_set)
        stages = [nearest]
        if self.search.group == "document":
            stages.append(
                self._stage("wider", self.distance, self.candidates * WIDER, is_set, self._documents(nearest) < self.k)
            )
        last = stages[-1]
        complete = _count(nearest) >= self.candidates
        if last is not nearest:
            complete = sa.and_(complete, sa.or_(self._documents(nearest) >= self.k, self._documents(last) >= self.k))
        # adding 0 hides the distance from the index; a document's best passage comes before any second one
        exactly: list[ColumnElement[Any]] = [self.distance + 0]
        if last is not nearest:
            first = sa.func.row_number().over(
                partition_by=[self.passage.c[name] for name in self.keys], order_by=self.distance + 0
            )
            exactly.insert(0, first > sa.literal_column("1"))
        stages.append(self._stage("exact", exactly, self.candidates, sa.not_(complete)))
        union = self._union(stages)
        identity = [union.c[name] for name in [*self.keys, "pgencoder_passage"]]
        rank = sa.func.row_number().over(order_by=[union.c.distance, *identity])
        return (
            sa.select(union, sa.cast(rank, sa.Integer).label("recall_rank")).cte("recall").prefix_with("MATERIALIZED")
        )

    @property
    def _recalled(self) -> list[str]:
        return [
            *self.keys,
            "pgencoder_passage",
            "pgencoder_span",
            "pgencoder_content",
            "pgencoder_tokens",
            "distance",
        ]

    def _union(self, stages: list[sa.CTE]) -> sa.Subquery:
        """The stages' passages, each once: a later stage finds again what an earlier one found."""
        everything = sa.union_all(*(sa.select(stage) for stage in stages)).subquery("stages")
        identity = [everything.c[name] for name in [*self.keys, "pgencoder_passage"]]
        return _first(everything, identity, identity, "found")

    def _stage(self, name: str, order: Any, limit: Any, *conditions: Any) -> sa.CTE:
        columns = [self.passage.c[column] for column in self._recalled[:-1]]
        select = self._of_source(sa.select(*columns, self.distance.label("distance")))
        orders = order if isinstance(order, list) else [order]
        return select.where(*conditions).order_by(*orders).limit(limit).cte(name).prefix_with("MATERIALIZED")

    def _documents(self, stage: sa.CTE) -> Any:
        documents = sa.select(*(stage.c[name] for name in self.keys)).distinct().subquery()
        return sa.select(sa.func.count()).select_from(documents).scalar_subquery()

    def _score(self, tokens: Any) -> ColumnElement[float]:
        # token data is read here and nowhere before: up to now it was a pointer
        schema, name = self.function
        function = getattr(getattr(sa.func, schema), name)
        return function(self.tokens, tokens, type_=sa.Double())  # type: ignore[no-any-return]

    def _result(self, relation: Any, *more: Any) -> sa.Select[Any]:
        return sa.select(
            *(relation.c[name] for name in self.keys),
            relation.c.pgencoder_passage.label("passage"),
            relation.c.pgencoder_span.label("span"),
            relation.c.pgencoder_content.label("content"),
            *more,
        )

    def _best(self, scored: Any) -> sa.Select[Any]:
        if self.search.group == "document":
            keys = [scored.c[name] for name in self.keys]
            scored = _first(scored, keys, [scored.c.score.desc().nulls_last(), scored.c.passage], "best")
        keys = [scored.c[name] for name in self.keys]
        return (
            sa.select(
                *(scored.c[name].label(key.name) for key, name in zip(self.collection.key, self.keys, strict=True)),
                scored.c.passage,
                sa.func.lower(scored.c.span).label("span_start"),
                sa.func.upper(scored.c.span).label("span_end"),
                scored.c.content,
                scored.c.score,
                sa.cast(scored.c.recall_rank, sa.Integer).label("recall_rank"),
                scored.c.dense_score,
            )
            .order_by(scored.c.score.desc().nulls_last(), *keys, scored.c.passage)
            .limit(self.k)
        )


def _first(relation: Any, group: Sequence[Any], order: Sequence[Any], name: str) -> sa.Subquery:
    """The first row of each group."""
    place = sa.func.row_number().over(partition_by=group, order_by=order).label("place")
    placed = sa.select(relation, place).subquery(f"{name}_placed")
    columns = [column for column in placed.c if column.name != "place"]
    return sa.select(*columns).where(placed.c.place == sa.literal_column("1")).subquery(name)


def _count(stage: sa.CTE) -> Any:
    return sa.select(sa.func.count()).select_from(stage).scalar_subquery()


def _source_of(collection: Collection, condition: Filter | None) -> tuple[sa.TableClause, Filter | None]:
    """The source as a table of our own, and the filter with its columns, however the user declared the table."""
    columns: dict[str, sa.ColumnClause[Any]] = {key.source: sa.column(key.source) for key in collection.key}
    named = {collection.source_schema, None}
    elements: Iterable[Any] = visitors.iterate(condition) if condition is not None else ()
    for element in elements:
        if _is_of(element, collection.source_table, named):
            columns[element.name] = sa.column(element.name, element.type)
    source = sa.table(collection.source_table, *columns.values(), schema=collection.source_schema)

    def ours(element: Any, **_: Any) -> Any:
        return source.c[element.name] if _is_of(element, collection.source_table, named) else None

    return source, None if condition is None else cast(Filter, visitors.replacement_traverse(condition, {}, ours))


def _is_of(element: Any, table: str, schemas: set[str | None]) -> bool:
    if not isinstance(element, sa.ColumnClause):
        return False
    return getattr(element.table, "name", None) == table and getattr(element.table, "schema", None) in schemas


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
