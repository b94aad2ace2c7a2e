"""The search as a SQLAlchemy subquery, whose text is that of `pgencoder.search.template`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import INT4RANGE
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ClauseElement, ColumnElement, TextClause
from sqlalchemy.sql.selectable import TextualSelect
from sqlalchemy.sql.visitors import InternalTraversal

from pgencoder.catalog import description, key_text
from pgencoder.errors import InvalidRequest
from pgencoder.search.sqltypes import NumbersType
from pgencoder.search.template import SCORE, key_names, same, template
from pgencoder.sql import SCHEMA
from pgencoder.types import GROUPS, STAGES, Collection, Encoding, Group, Stage, check_count
from pgencoder.vectors import Numbers, normalize

Filter = ColumnElement[bool] | TextClause


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
            check_count(name, getattr(self, name))
        if self.group not in GROUPS:
            raise InvalidRequest(f"group must be one of {', '.join(GROUPS)}, got {self.group!r}")
        if self.stage not in STAGES:
            raise InvalidRequest(f"stage must be one of {', '.join(STAGES)}, got {self.stage!r}")
        if self.filter is not None and not isinstance(self.filter, ColumnElement | TextClause):
            raise InvalidRequest(
                "filter must be a SQLAlchemy expression such as Article.lang == 'en', or sqlalchemy.text(...) with"
                f" bound parameters, got {type(self.filter).__name__}"
            )


def stage_for(stage: Stage | None, tokens: bool) -> Stage:
    """The stage that was asked for, or the best that there is; `tokens` says whether there are any to compare."""
    if stage is None:
        return "maxsim" if tokens else "dense"
    if stage in ("maxsim", "exhaustive") and not tokens:
        raise InvalidRequest(f'there are no token vectors to compare, so stage={stage!r} cannot be; use stage="dense"')
    return stage


@dataclass(frozen=True)
class Place:
    """Where a search looks: a table or view of passages, its key columns, and the source's keys as k1, k2, ..."""

    passages: str
    key: tuple[str, ...]
    source: sa.Select[Any]


@dataclass(frozen=True)
class Check:
    """What must hold of the active generation of a collection, of what `catalog.description` says."""

    collection: str
    expected: Mapping[str, Any]


class Ranking(ClauseElement):
    """The text of a search; the conditions of a `SearchSelect` around it are added to its source."""

    __visit_name__ = "pgencoder_ranking"
    _traverse_internals = [  # noqa: RUF012 - as SQLAlchemy declares it
        ("shape", InternalTraversal.dp_plain_obj),
        ("source", InternalTraversal.dp_clauseelement),
        ("binds", InternalTraversal.dp_string_clauseelement_dict),
    ]
    _numbers = count()

    def __init__(
        self,
        place: Place,
        group: Group,
        stage: Stage | None,
        score: str,
        binds: Mapping[str, ColumnElement[Any]],
        collection: str | None,
    ) -> None:
        self.shape = (place.passages, place.key, group, stage, score, collection)
        self.source = place.source
        self.binds = dict(binds)
        self.number = next(self._numbers)  # stays the same in copies


@compiles(Ranking)
def _compile_ranking(ranking: Ranking, compiler: Any, **options: Any) -> str:
    passages, key, group, stage, score, collection = ranking.shape
    literal = {"literal_binds": options.get("literal_binds", False)}
    source = ranking.source.where(*conditions(compiler).get(ranking.number, ()))
    binds = {name: compiler.process(bind, **literal) for name, bind in ranking.binds.items()}
    quote = compiler.preparer.quote_identifier
    return template(len(key), group, stage, score).format(
        passages=f"{SCHEMA}.{quote(passages)}",
        same=same(key, quote),
        source=f"({compiler.process(source.subquery('source').element, asfrom=True, **literal)})",
        dense=f"{SCHEMA}.query_dense(CAST({binds['dense']} AS real[]))",
        tokens=f"{SCHEMA}.query_tokens(CAST({binds['tokens']} AS real[]), {binds['dims']})",
        check=_checked(collection, binds, compiler),
        k=binds["k"],
        candidates=binds["candidates"],
    )


def _checked(collection: str | None, binds: Mapping[str, str], compiler: Any) -> str:
    if collection is None:
        return "true"
    active = f"{SCHEMA}.{compiler.preparer.quote_identifier(f'{collection}_active')}()"
    # what a schema is called here is not what it is called there
    without = " OPERATOR(pg_catalog.-) 'source'" if compiler.schema_translate_map else ""
    return f"{SCHEMA}.check_active({active}, CAST({binds['expected']} AS pg_catalog.jsonb){without})"


def conditions(compiler: Any) -> dict[int, tuple[Any, ...]]:
    """The conditions that enclosing statements have for rankings, by their numbers, while those are compiled."""
    return cast("dict[int, tuple[Any, ...]]", compiler.__dict__.setdefault("_pgencoder_conditions", {}))


def ranking(
    place: Place,
    search: Search,
    query: Encoding,
    *,
    score: str = SCORE,
    check: Check | None = None,
    rerank: bool = True,
) -> sa.Subquery:
    """The hits as a subquery, of the active generation if it is as `check` says; else the statement fails.

    Its columns: k1, k2, ... (the key), passage, span, content, score, recall_rank, dense_score. Without `rerank` it is
    the candidates, with `tokens` and without a score.
    """
    _check_query(query)
    if search.stage != "dense" and not len(query.tokens):
        raise InvalidRequest('the query has no tokens to match; give it words, or search with stage="dense"')
    binds: dict[str, ColumnElement[Any]] = {
        "dense": _bind("query_dense", Numbers(normalize(query.dense)), NumbersType()),
        "k": _bind("k", int(search.k), sa.Integer()),
        "candidates": _bind("candidates", int(max(search.candidates, search.k)), sa.Integer()),
        "tokens": _bind("query_tokens", Numbers(normalize(query.tokens)), NumbersType()),
        "dims": _bind("token_dims", query.tokens.shape[1], sa.Integer()),
    }
    if check is not None:
        expected = json.dumps({**check.expected, "key": key_text(place.key)})
        binds["expected"] = _bind("expected", expected, sa.Text())
    collection = None if check is None else check.collection
    text = Ranking(place, search.group, search.stage if rerank else None, score, binds, collection)
    keys = [
        sa.column(name, column.type)
        for name, column in zip(key_names(len(place.key)), place.source.selected_columns, strict=True)
    ]
    columns: list[Any] = [
        *keys,
        sa.column("passage", sa.Integer()),
        sa.column("span", INT4RANGE()),
        sa.column("content", sa.Text()),
        sa.column("score", sa.Double()) if rerank else sa.column("tokens"),
        sa.column("recall_rank", sa.Integer()),
        sa.column("dense_score", sa.Double()),
    ]
    return TextualSelect(cast(TextClause, text), columns, positional=True).subquery()


def _check_query(query: Encoding) -> None:
    if query.dense.ndim != 1 or not len(query.dense) or query.tokens.ndim != 2:
        raise InvalidRequest(
            "a query has a dense vector of shape (d,) and tokens of shape (n, t), got"
            f" {query.dense.shape} and {query.tokens.shape}"
        )
    if not (np.isfinite(query.dense).all() and np.isfinite(query.tokens).all()):
        raise InvalidRequest("the query's vectors hold NaN or infinity; give finite numbers")


def best_first(hits: sa.FromClause, keys: int) -> list[ColumnElement[Any]]:
    """The order of hits."""
    return [hits.c.score.desc().nulls_last(), *(hits.c[name] for name in key_names(keys)), hits.c.passage]


def search_statement(collection: Collection, search: Search, query: Encoding, *, score: str = SCORE) -> sa.Select[Any]:
    """The statement that answers `search` for an encoded query in the active generation, as it is described.

    It fails with `object_not_in_prerequisite_state` where another is active, or the collection another one. Its
    columns: the key columns, passage, span_start, span_end, content, score, recall_rank, dense_score. `score` is the
    function of query and document tokens that ranks.
    """
    source = source_of(collection)
    keys = source.keys if search.filter is None else source.keys.where(source.translated(search.filter))
    names = [key.name for key in collection.key]
    place = Place(collection.generation.passages, tuple(names), keys)
    hits = ranking(place, search, query, score=score, check=Check(collection.name, description(collection)))
    return sa.select(*result_columns(hits, names)).order_by(*best_first(hits, len(names)))


def result_columns(hits: sa.FromClause, key: Sequence[str]) -> list[ColumnElement[Any]]:
    """What a search by a collection's name returns."""
    return [
        *(hits.c[k].label(name) for k, name in zip(key_names(len(key)), key, strict=True)),
        hits.c.passage,
        sa.func.pg_catalog.lower(hits.c.span).label("span_start"),
        sa.func.pg_catalog.upper(hits.c.span).label("span_end"),
        hits.c.content,
        hits.c.score,
        hits.c.recall_rank,
        hits.c.dense_score,
    ]


@dataclass(frozen=True, eq=False)
class Source:
    """The table whose rows are searched: its `keys`, as k1, k2, ..., and what makes a condition one on it.

    `table` is our own name for the table of a collection, which others may have declared with one of `schemas`.
    """

    keys: sa.Select[Any]
    table: sa.TableClause | None = None
    schemas: frozenset[str | None] = frozenset()

    def translated(self, condition: Any) -> Any:
        """The condition, on the table as it is called here, however the user has declared it."""
        return condition if self.table is None else visitors.replacement_traverse(condition, {}, self._own)

    def _own(self, element: Any, **_: Any) -> Any:
        assert self.table is not None
        theirs = element.table if isinstance(element, sa.ColumnClause) else None
        same = getattr(theirs, "name", None) == self.table.name and getattr(theirs, "schema", None) in self.schemas
        return _column(self.table, element.name, element.type) if same else None


def source_of(collection: Collection) -> Source:
    """The source of a collection."""
    table = sa.table(collection.source_table, schema=collection.source_schema)
    names = key_names(len(collection.key))
    keys = (_column(table, key.source).label(name) for key, name in zip(collection.key, names, strict=True))
    return Source(sa.select(*keys), table, frozenset([collection.source_schema, None]))


def _column(table: sa.TableClause, name: str, type_: Any = None) -> sa.ColumnClause[Any]:
    made: sa.ColumnClause[Any] = sa.column(name, type_)
    made.table = table
    return made


def _bind(name: str, value: Any, type_: Any) -> ColumnElement[Any]:
    return sa.bindparam(name, value, type_, unique=True)
