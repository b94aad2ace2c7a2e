"""The search as a SQLAlchemy subquery, whose text is that of `pgencoder.search.render`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import INT4RANGE, JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ClauseElement, ColumnElement, TextClause
from sqlalchemy.sql.selectable import TextualSelect
from sqlalchemy.sql.visitors import InternalTraversal

from pgencoder.catalog import description
from pgencoder.catalog.keys import as_set
from pgencoder.errors import InvalidRequest
from pgencoder.representations.base import Parameter
from pgencoder.representations.shapes import check_query
from pgencoder.search.ranking import Ranking, ranking_of
from pgencoder.search.render import FIELDS, Options, key_names, same, template
from pgencoder.search.sqltypes import NumbersType
from pgencoder.statements import SCHEMA
from pgencoder.types import GROUPS, Collection, Encoding, Group, Stage, check_count
from pgencoder.vectors import Numbers

Filter = ColumnElement[bool] | TextClause
Boost = ColumnElement[Any] | TextClause


@dataclass(frozen=True)
class Search:
    """A search: `k` results out of `candidates`, with a filter on the source; `stage` is a ranking, or its name.

    `boost` is an expression over the source's columns, which is added to the score. Candidates with less relevance than
    `min_relevance` are left out.
    """

    k: int = 10
    candidates: int = 100
    filter: Filter | None = None
    group: Group = "passage"
    stage: Stage | Ranking = "maxsim"
    boost: Boost | None = None
    min_relevance: float | None = None

    def __post_init__(self) -> None:
        for name in ("k", "candidates"):
            check_count(name, getattr(self, name))
        if self.group not in GROUPS:
            raise InvalidRequest(f"group must be one of {', '.join(GROUPS)}, got {self.group!r}")
        ranking_of(self.stage)
        for name, example in (("filter", "Article.lang == 'en'"), ("boost", "Article.stars / 10.0")):
            value = getattr(self, name)
            if value is not None and not isinstance(value, ColumnElement | TextClause):
                raise InvalidRequest(
                    f"{name} must be a SQLAlchemy expression such as {example}, or sqlalchemy.text(...) with bound"
                    f" parameters, got {type(value).__name__}"
                )
        check_relevance(self.min_relevance)

    @property
    def options(self) -> Options:
        """The properties that decide the text of the search, beside its ranking."""
        return Options(self.group, None, self.boost is not None, self.min_relevance is not None)


def check_relevance(value: Any) -> None:
    """Raise InvalidRequest unless the value is None or a number from 0 to 1."""
    if value is not None and not (isinstance(value, int | float) and 0 <= value <= 1):
        raise InvalidRequest(f"min_relevance must be a number from 0 to 1, got {value!r}")


@dataclass(frozen=True)
class Place:
    """The place of a search: a collection, its table or view of passages with the key columns there, and the source.

    The source is a SELECT of its keys as k1, k2, ...
    """

    collection: str
    passages: str
    key: tuple[str, ...]
    source: sa.Select[Any]


@dataclass(frozen=True)
class Check:
    """The expected values of the active generation of a collection, a part of its `catalog.description`."""

    collection: str
    expected: Mapping[str, Any]


class SearchText(ClauseElement):
    """The text of a search; the conditions of a `SearchSelect` around it are added to its source."""

    __visit_name__ = "pgencoder_search"
    _traverse_internals = [  # noqa: RUF012 - as SQLAlchemy declares it
        ("shape", InternalTraversal.dp_plain_obj),
        ("source", InternalTraversal.dp_clauseelement),
        ("binds", InternalTraversal.dp_string_clauseelement_dict),
    ]
    _numbers = count()

    def __init__(self, place: Place, shape: Shape, binds: Mapping[str, ColumnElement[Any]], *, checked: bool) -> None:
        self.shape = (place.collection, place.passages, place.key, shape, checked)
        self.source = place.source
        self.binds = dict(binds)
        self.number = next(self._numbers)  # stays the same in copies


@dataclass(frozen=True)
class Shape:
    """The properties of a search that decide its text, see `template`."""

    ranking: Ranking
    options: Options


@compiles(SearchText)
def _compile(search: SearchText, compiler: Any, **options: Any) -> str:
    collection, passages, key, shape, checked = search.shape
    literal = {"literal_binds": options.get("literal_binds", False)}
    source = search.source.where(*conditions(compiler).get(search.number, ()))
    binds = {name: compiler.process(bind, **literal) for name, bind in search.binds.items()}
    quote = compiler.preparer.quote_identifier
    queries = {name: measure.query(binds) for name, measure in shape.ranking.measures.items()}
    asked = {f"ask_{name}": f"{SCHEMA}.{quote(f'{collection}_{name}')}" for name in queries}
    asked |= {f"by_{name}": f"{SCHEMA}.{quote(f'{collection}_by_{name}')}" for name in queries}
    return template(len(key), shape.ranking, shape.options).format(
        passages=f"{SCHEMA}.{quote(passages)}",
        passage_key=", ".join(f"passages.{quote(name)}" for name in key),
        same=same(key, quote),
        same_found=same(key, quote, "found"),
        source=f"({compiler.process(source.subquery('source').element, asfrom=True, **literal)})",
        check=_checked(collection, binds, compiler) if checked else "true",
        k=binds["k"],
        candidates=binds["candidates"],
        min_relevance=binds.get("min_relevance", ""),
        **queries,
        **asked,
    )


def _checked(collection: str, binds: Mapping[str, str], compiler: Any) -> str:
    active = f"{SCHEMA}.{compiler.preparer.quote_identifier(f'{collection}_active')}()"
    # what a schema is called here is not what it is called there
    without = " OPERATOR(pg_catalog.-) 'source'" if compiler.schema_translate_map else ""
    return f"{SCHEMA}._check_active({active}, CAST({binds['expected']} AS pg_catalog.jsonb){without})"


def conditions(compiler: Any) -> dict[int, tuple[Any, ...]]:
    """Return the conditions of enclosing statements on searches, by search number, while they are compiled."""
    return cast("dict[int, tuple[Any, ...]]", compiler.__dict__.setdefault("_pgencoder_conditions", {}))


def hits_of(
    place: Place, search: Search, query: Encoding, *, check: Check | None = None, extra: tuple[str, ...] | None = None
) -> sa.Subquery:
    """Return the hits as a subquery, of the active generation if it is as `check` says; else the statement fails.

    Its columns: k1, k2, ... (the key), passage, span, content, score, relevance, recall_rank, dense_score, parts. With
    `extra` it is the candidates: the columns after content are those, recall_rank and dense_score.
    """
    check_query(query)
    ranking = ranking_of(search.stage)
    binds = {
        name: _bind(name, value)
        for measure in ranking.measures.values()
        for name, value in measure.parameters(query).items()
    }
    binds["k"] = _bind("k", int(search.k))
    binds["candidates"] = _bind("candidates", int(max(search.candidates, search.k)))
    if search.min_relevance is not None:
        binds["min_relevance"] = sa.bindparam("min_relevance", search.min_relevance, sa.Double(), unique=True)
    if search.boost is not None:
        place = replace(place, source=place.source.add_columns(sa.cast(search.boost, sa.Double).label("boost")))
    if check is not None:
        binds["expected"] = _bind("expected", json.dumps({**check.expected, "key": as_set(place.key)}))
    text = SearchText(place, Shape(ranking, replace(search.options, extra=extra)), binds, checked=check is not None)
    keys = [
        sa.column(name, column.type)
        for name, column in zip(key_names(len(place.key)), place.source.selected_columns, strict=False)
    ]
    columns: list[Any] = [
        *keys,
        sa.column("passage", sa.Integer()),
        sa.column("span", INT4RANGE()),
        sa.column("content", sa.Text()),
        *(
            (sa.column(name, _TYPES[name]) for name in FIELDS)
            if extra is None
            else [*map(sa.column, extra), *(sa.column(name, _TYPES[name]) for name in ("recall_rank", "dense_score"))]
        ),
    ]
    return TextualSelect(cast(TextClause, text), columns, positional=True).subquery()


_TYPES: dict[str, Any] = {
    "score": sa.Double(),
    "relevance": sa.Double(),
    "recall_rank": sa.Integer(),
    "dense_score": sa.Double(),
    "parts": JSONB(),
}


def best_first(hits: sa.FromClause, keys: int) -> list[ColumnElement[Any]]:
    """Return the order of hits: by score, then by key and passage."""
    return [hits.c.score.desc().nulls_last(), *(hits.c[name] for name in key_names(keys)), hits.c.passage]


def search_statement(collection: Collection, search: Search, query: Encoding) -> sa.Select[Any]:
    """Return the statement that answers `search` for an encoded query in the active generation, as it is described.

    It fails with `object_not_in_prerequisite_state` where another is active, or the collection another one. Its
    columns: the key columns, passage, span_start, span_end, content, and `FIELDS`.
    """
    source = source_of(collection)
    keys = source.keys if search.filter is None else source.keys.where(source.translate(search.filter))
    if search.boost is not None:
        search = replace(search, boost=source.translate(search.boost))
    names = [key.name for key in collection.key]
    place = Place(collection.name, collection.generation.passages, tuple(names), keys)
    hits = hits_of(place, search, query, check=Check(collection.name, description(collection)))
    return sa.select(*result_columns(hits, names)).order_by(*best_first(hits, len(names)))


def result_columns(hits: sa.FromClause, key: Sequence[str]) -> list[ColumnElement[Any]]:
    """Return the columns of a search by a collection's name."""
    return [
        *(hits.c[k].label(name) for k, name in zip(key_names(len(key)), key, strict=True)),
        hits.c.passage,
        sa.func.pg_catalog.lower(hits.c.span).label("span_start"),
        sa.func.pg_catalog.upper(hits.c.span).label("span_end"),
        hits.c.content,
        *(hits.c[name] for name in FIELDS),
    ]


@dataclass(frozen=True, eq=False)
class SearchedTable:
    """The table whose rows are searched: its `keys`, as k1, k2, ..., and what makes a condition one on it.

    `table` is our own name for the table of a collection, which others may have declared with one of `schemas`.
    """

    keys: sa.Select[Any]
    table: sa.TableClause | None = None
    schemas: frozenset[str | None] = frozenset()

    def translate(self, condition: Any) -> Any:
        """Return the condition with our name for the table, instead of the table that the user declared."""
        return condition if self.table is None else visitors.replacement_traverse(condition, {}, self._own)

    def _own(self, element: Any, **_: Any) -> Any:
        assert self.table is not None
        theirs = element.table if isinstance(element, sa.ColumnClause) else None
        same = getattr(theirs, "name", None) == self.table.name and getattr(theirs, "schema", None) in self.schemas
        return _column(self.table, element.name, element.type) if same else None


def source_of(collection: Collection) -> SearchedTable:
    """Return the source of a collection."""
    table = sa.table(collection.source_table, schema=collection.source_schema)
    names = key_names(len(collection.key))
    keys = (_column(table, key.source).label(name) for key, name in zip(collection.key, names, strict=True))
    return SearchedTable(sa.select(*keys), table, frozenset([collection.source_schema, None]))


def _column(table: sa.TableClause, name: str, type_: Any = None) -> sa.ColumnClause[Any]:
    made: sa.ColumnClause[Any] = sa.column(name, type_)
    made.table = table
    return made


def _bind(name: str, value: Parameter) -> ColumnElement[Any]:
    type_ = {Numbers: NumbersType(), int: sa.Integer(), str: sa.Text()}[type(value)]
    return sa.bindparam(name, value, type_, unique=True)
