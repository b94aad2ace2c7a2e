"""Adds a relationship to its passages to each mapped class that declares an encoding.

The class of the passages is mapped to the view `pgencoder.<name>_passages`, which shows the active generation. The view
has a separate `MetaData`, so that `create_all`, `drop_all` and Alembic's autogenerate do not see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects.postgresql import INT4RANGE, Range
from sqlalchemy.orm import Mapped, Mapper, foreign, relationship, remote
from sqlalchemy.types import TypeDecorator

from pgencoder.catalog import free_names
from pgencoder.errors import InvalidRequest
from pgencoder.search.render import key_names
from pgencoder.search.select import SearchSelect
from pgencoder.sqlalchemy.declare import Declared, EncodedColumns, declare, is_declaration, is_inherited
from pgencoder.statements import SCHEMA

E = TypeVar("E")

_MADE = "_pgencoder_passages"


class Passage:
    """A stored passage of an encoded row; read only.

    `span` is the range of its characters, [start, end), in the row's content. `passage` counts from 0. Each class that
    declares an encoding gets a subclass of this one that also has the key columns, see `passages_of`.
    """

    if TYPE_CHECKING:
        passage: Mapped[int]
        span: Mapped[tuple[int, int]]
        content: Mapped[str]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.passage} {self.content!r}>"


class Encoded:
    """A mixin for type checkers: it declares the attributes of a class with `__encoding__`. It does nothing else."""

    if TYPE_CHECKING:
        __encoding__: ClassVar[EncodedColumns]
        passages: Mapped[Sequence[Passage]]


def passages_of(entity: type[Any]) -> type[Passage]:
    """Return the class of the passages of `entity`, for your own statements.

    Raises InvalidRequest if `entity` is not a mapped class with an `__encoding__`.
    """
    mapper = getattr(sa.inspect(entity, raiseerr=False), "mapper", None)
    made = None if mapper is None else getattr(mapper.class_, _MADE, None)
    if made is None:
        raise InvalidRequest(f"{entity!r} is not a mapped class with an __encoding__")
    return made  # type: ignore[no-any-return]


def with_passage(search: SearchSelect[E, float]) -> SearchSelect[E, float, Passage]:
    """Return the search with one more column: the passage that was found for each row.

    `for article, score, passage in session.execute(with_passage(pgencoder.select(Article, "query")))`.
    """
    found = search.column_descriptions
    if found[0].get("entity") is None:
        raise InvalidRequest(
            "with_passage takes a search of a mapped class with an __encoding__; of a table, or of a collection by its"
            " name, the passage is in the columns of search.hits"
        )
    made = passages_of(found[0]["expr"])
    if any(each["expr"] is made for each in found):
        return cast("SearchSelect[E, float, Passage]", search)
    view = sa.inspect(made).local_table
    *key, passage = view.primary_key
    hits = search.hits.c
    same = [_same(column, hits[name]) for column, name in zip(key, key_names(len(key)), strict=True)]
    joined = search.add_columns(made).join(made, sa.and_(*same, _same(passage, hits.passage)))
    return cast("SearchSelect[E, float, Passage]", joined)


def _same(one: Any, other: Any) -> sa.ColumnElement[bool]:
    """Return an equality with Postgres's own operator: the user's search path may have another one first."""
    return one.op("OPERATOR(pg_catalog.=)", is_comparison=True, return_type=sa.Boolean())(other)  # type: ignore[no-any-return]


class _Span(TypeDecorator[tuple[int, int]]):
    """A range of characters as a tuple."""

    impl = INT4RANGE
    cache_ok = True

    def process_result_value(self, value: Range[int] | None, _dialect: sa.Dialect) -> tuple[int, int] | None:
        return None if value is None else (value.lower or 0, value.upper or 0)


@event.listens_for(Mapper, "after_mapper_constructed")
def _declare(mapper: Mapper[Any], entity: type[Any]) -> None:
    """Read what a class declares when it is mapped."""
    encoding: Any = getattr(entity, "__encoding__", None)
    if not is_declaration(mapper, encoding) or is_inherited(mapper):
        return
    declared = declare(mapper, encoding)
    made = _map(mapper, declared)
    setattr(entity, _MADE, made)
    if encoding.passages is not None:
        _relate(mapper, made, encoding.passages)


def _map(mapper: Mapper[Any], declared: Declared) -> type[Passage]:
    table = mapper.local_table
    assert isinstance(table, sa.Table)
    key = list(table.primary_key)
    names = free_names([column.name for column in key])
    view = sa.Table(
        f"{declared.name}_passages",
        sa.MetaData(),
        *(sa.Column(name, column.type, primary_key=True) for name, column in zip(names, key, strict=True)),
        sa.Column("passage", sa.Integer, primary_key=True),
        sa.Column("span", _Span, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        schema=SCHEMA,
    )
    name = mapper.class_.__name__
    # mapped under a name that no user's class has, so that relationship("ArticlePassage") finds the user's class
    made: type[Passage] = type(f"passages of {name}", (Passage,), {"__module__": mapper.class_.__module__})
    mapper.registry.map_imperatively(made, view)
    made.__name__ = made.__qualname__ = f"{name}Passage"
    return made


def _relate(mapper: Mapper[Any], made: type[Passage], name: str) -> None:
    if mapper.has_property(name) or name in mapper.class_.__dict__:
        raise InvalidRequest(
            f"{mapper.class_.__name__} has {name!r} already; give the relationship to its passages another name:"
            " EncodedColumns(..., passages=...), or None"
        )
    table = mapper.local_table
    assert isinstance(table, sa.Table)
    view = sa.inspect(made).local_table
    pairs = zip(table.primary_key, list(view.columns)[: len(table.primary_key)], strict=True)
    mapper.add_property(
        name,
        relationship(
            made,
            primaryjoin=sa.and_(*(_same(column, remote(foreign(other))) for column, other in pairs)),
            viewonly=True,
            order_by=view.c.passage,
        ),
    )
