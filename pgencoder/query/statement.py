"""The search as a SQLAlchemy subquery, whose text is that of `pgencoder.query.template`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import INT4RANGE
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ClauseElement, ColumnElement, TextClause
from sqlalchemy.sql.selectable import TextualSelect
from sqlalchemy.sql.visitors import InternalTraversal

from pgencoder.errors import InvalidRequest
from pgencoder.query.template import SCORE, key_names, same, template
from pgencoder.query.types import NumbersType
from pgencoder.sql import SCHEMA
from pgencoder.types import GROUPS, STAGES, Collection, Encoding, Fingerprint, Group, Stage
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


@dataclass(frozen=True)
class Place:
    """Where a search looks: a table or view of passages, its key columns, and the source's keys as k1, k2, ..."""

    passages: str
    key: tuple[str, ...]
    source: sa.Select[Any]


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
    ) -> None:
        self.shape = (place.passages, place.key, group, stage, score)
        self.source = place.source
        self.binds = dict(binds)
        self.number = next(self._numbers)  # stays the same in copies


@compiles(Ranking)  # type: ignore[no-untyped-call,untyped-decorator]
def _compile_ranking(ranking: Ranking, compiler: Any, **options: Any) -> str:
    passages, key, group, stage, score = ranking.shape
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
        check=f"{SCHEMA}.check_encoder({binds['name']}, CAST({binds['encoder']} AS jsonb))"
        if "encoder" in binds
        else "true",
        k=binds["k"],
        candidates=binds["candidates"],
    )


def conditions(compiler: Any) -> dict[int, tuple[Any, ...]]:
    """The conditions that enclosing statements have for rankings, by their numbers, while those are compiled."""
    return cast("dict[int, tuple[Any, ...]]", compiler.__dict__.setdefault("_pgencoder_conditions", {}))


def ranking(
    place: Place,
    search: Search,
    query: Encoding,
    *,
    score: str = SCORE,
    encoder: tuple[str, Fingerprint] | None = None,
    rerank: bool = True,
) -> sa.Subquery:
    """The hits as a subquery; with `encoder`, a collection's name and what encoded the query, that is checked.

    Its columns: k1, k2, ... (the key), passage, span, content, score, recall_rank, dense_score. Without `rerank` it is
    the candidates, with `tokens` and without a score.
    """
    if search.stage != "dense" and not len(query.tokens):
        raise InvalidRequest('the query has no tokens to match; give it words, or search with stage="dense"')
    binds: dict[str, ColumnElement[Any]] = {
        "dense": _bind("query_dense", Numbers(normalize(query.dense)), NumbersType()),
        "k": _bind("k", search.k, sa.Integer()),
        "candidates": _bind("candidates", max(search.candidates, search.k), sa.Integer()),
        "tokens": _bind("query_tokens", Numbers(normalize(query.tokens)), NumbersType()),
        "dims": _bind("token_dims", query.tokens.shape[1], sa.Integer()),
    }
    if encoder is not None:
        name, fingerprint = encoder
        binds["name"] = _bind("collection", name, sa.Text())
        binds["encoder"] = _bind("query_encoder", json.dumps(dict(fingerprint)), sa.Text())
    text = Ranking(place, search.group, search.stage if rerank else None, score, binds)
    keys = [
        sa.column(name, column.type)
        for name, column in zip(key_names(len(place.key)), place.source.selected_columns, strict=True)
    ]
    rest: dict[str, Any] = {"passage": sa.Integer(), "span": INT4RANGE(), "content": sa.Text()}
    rest |= {"score": sa.Double()} if rerank else {"tokens": sa.types.NullType()}
    rest |= {"recall_rank": sa.Integer(), "dense_score": sa.Double()}
    columns: list[Any] = [*keys, *(sa.column(name, type_) for name, type_ in rest.items())]
    return TextualSelect(cast(TextClause, text), columns, positional=True).subquery()


def best_first(hits: sa.FromClause, keys: int) -> list[ColumnElement[Any]]:
    """The order of hits."""
    return [hits.c.score.desc().nulls_last(), *(hits.c[name] for name in key_names(keys)), hits.c.passage]


def search_statement(collection: Collection, search: Search, query: Encoding, *, score: str = SCORE) -> sa.Select[Any]:
    """The statement that answers `search` for an encoded query in the active generation.

    Its columns: the key columns, passage, span_start, span_end, content, score, recall_rank, dense_score. `score` is
    the function of query and document tokens that ranks.
    """
    source, condition = own_source(collection, search.filter)
    hits = ranking(
        Place(
            collection.generation.passages,
            tuple(key.name for key in collection.key),
            source if condition is None else source.where(condition),
        ),
        search,
        query,
        score=score,
    )
    return sa.select(*result_columns(hits, [key.name for key in collection.key])).order_by(
        *best_first(hits, len(collection.key))
    )


def result_columns(hits: sa.FromClause, key: Sequence[str]) -> list[ColumnElement[Any]]:
    """What a search by a collection's name returns."""
    return [
        *(hits.c[k].label(name) for k, name in zip(key_names(len(key)), key, strict=True)),
        hits.c.passage,
        sa.func.lower(hits.c.span).label("span_start"),
        sa.func.upper(hits.c.span).label("span_end"),
        hits.c.content,
        hits.c.score,
        hits.c.recall_rank,
        hits.c.dense_score,
    ]


def own_source(collection: Collection, condition: Filter | None) -> tuple[sa.Select[Any], Filter | None]:
    """The source's keys, and a condition with its columns, however the user declared the table."""
    columns: dict[str, sa.ColumnClause[Any]] = {key.source: sa.column(key.source) for key in collection.key}
    named = {collection.source_schema, None}
    for element in visitors.iterate(condition) if condition is not None else ():
        if _is_of(element, collection.source_table, named):
            columns[element.name] = sa.column(element.name, element.type)  # type: ignore[attr-defined]
    source = sa.table(collection.source_table, *columns.values(), schema=collection.source_schema)

    def ours(element: Any, **_: Any) -> Any:
        return source.c[element.name] if _is_of(element, collection.source_table, named) else None

    keys = (
        source.c[key.source].label(name)
        for key, name in zip(collection.key, key_names(len(collection.key)), strict=True)
    )
    if condition is not None:
        condition = cast(Filter, visitors.replacement_traverse(condition, {}, ours))
    return sa.select(*keys), condition


def _bind(name: str, value: Any, type_: Any) -> ColumnElement[Any]:
    return sa.bindparam(name, value, type_, unique=True)


def _is_of(element: Any, table: str, schemas: set[str | None]) -> bool:
    if not isinstance(element, sa.ColumnClause):
        return False
    return getattr(element.table, "name", None) == table and getattr(element.table, "schema", None) in schemas
