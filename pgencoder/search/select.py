"""A search as a SQLAlchemy `Select`, of an entity and its score or of what a collection has."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, TypeVarTuple

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ColumnElement, TextClause
from sqlalchemy.sql.visitors import InternalTraversal

from pgencoder.catalog import free_names
from pgencoder.search.render import key_names
from pgencoder.search.statement import (
    Check,
    Place,
    Search,
    SearchedTable,
    best_first,
    conditions,
    hits_of,
    result_columns,
    source_of,
)
from pgencoder.types import Collection, Encoding

Ts = TypeVarTuple("Ts")

if TYPE_CHECKING:

    class _Select(sa.Select[*Ts]):
        pass
else:  # SQLAlchemy 2.0 takes one type argument, 2.1 as many as there are columns

    class _Select(sa.Select):
        inherit_cache = True

        def __class_getitem__(cls, _: Any) -> Any:
            return cls


class SearchSelect(_Select[*Ts]):
    """A SELECT of the best hits, best first; what SQLAlchemy does with a `Select` it does with this.

    `where` with conditions on the searched table alone narrows the recall: the `k` best among the rows that pass. So do
    `text(...)` and `literal_column(...)`, which can only name that table. Conditions that mention joined tables or
    `hits` narrow what was found; to do so with one on the searched table, make the search a subquery.

    It is ordered by score: `order_by(None)` ends that, before an aggregate or `distinct`. Rows are locked by
    `with_for_update(of=Article)`.
    """

    _search_conditions: tuple[Any, ...] = ()
    _search_number: int
    _search_source: SearchedTable
    _search_tables: set[Any]
    _search_names: Any = None
    hits: sa.Subquery
    """The rows that were found: k1, k2, ... (the key), passage, span, content, and `FIELDS` of `render`."""

    _traverse_internals = [  # noqa: RUF012 - as SQLAlchemy declares it
        *sa.Select._traverse_internals,
        ("_search_conditions", InternalTraversal.dp_clauseelement_tuple),
    ]

    @property
    def score(self) -> ColumnElement[float]:
        """MaxSim, the inner product where there are no tokens."""
        return self.hits.c.score

    def where(self, *whereclause: Any) -> Self:
        """Narrow the search by conditions on its table, and what it found by others."""
        inside: list[Any] = []
        outside: list[Any] = []
        for each in whereclause:
            condition = self._search_source.translate(sa.and_(each))
            own = isinstance(condition, TextClause) or _tables(_nothing.where(condition)) <= self._search_tables
            (inside if own else outside).append(condition if own else each)
        made = super().where(*outside)
        made._search_conditions += tuple(inside)
        return made

    def filter_by(self, **kwargs: Any) -> Self:
        """`where` with equalities; names that the searched entity has are its own."""
        # SQLAlchemy 2.0 would look for them in what was joined last
        names = self._search_names
        own = [name for name in kwargs if names is None or hasattr(names, name)]
        made = self.where(
            *((sa.column(name) if names is None else getattr(names, name)) == kwargs.pop(name) for name in own)
        )
        return super(SearchSelect, made).filter_by(**kwargs) if kwargs else made

    def __deepcopy__(self, _: Any) -> Self:
        return self  # nothing changes a statement, it only has others made of it

    def _plain(self) -> sa.Select[*tuple[Any, ...]]:
        """Return the statement as a plain `Select`, without the attributes of this class."""
        plain: sa.Select[*tuple[Any, ...]] = sa.Select.__new__(sa.Select)
        plain.__dict__.update({name: value for name, value in self.__dict__.items() if not name.startswith("_search")})
        return plain

    def _compiler_dispatch(self, visitor: Any, **options: Any) -> Any:
        # Only now are all tables known. A subquery may be about a joined one, and then goes where that is.
        inside, outside = list(self._search_conditions), []
        if any(_mentioned(each) - self._search_tables for each in inside):
            around = _tables(self._plain()) - self._search_tables
            outside = [each for each in inside if _mentioned(each) & around]
            inside = [each for each in inside if not _mentioned(each) & around]
        made = super().where(*outside) if outside else self
        # The text of the search is somewhere below, whatever SQLAlchemy makes of this statement: it asks there
        active = conditions(visitor)
        before = active.get(self._search_number)
        active[self._search_number] = tuple(inside)
        try:
            return super(SearchSelect, made)._compiler_dispatch(visitor, **options)
        finally:
            if before is None:
                del active[self._search_number]
            else:
                active[self._search_number] = before


def select_entity(
    entity: Any, table: sa.Table, search: Search, query: Encoding, check: Check
) -> SearchSelect[Any, float]:
    """Return a SELECT of the entity and its score; `table` is the table of the entity or of a parent class."""
    place, source = entity_place(entity, table, check.collection)
    hits = hits_of(place, search, query, check=check)
    same = [
        column.element.bool_op("OPERATOR(pg_catalog.=)")(hits.c[k])
        for column, k in zip(source.keys.selected_columns, key_names(len(place.key)), strict=True)
    ]
    made = _search_select(source, search, hits, entity, hits.c.score)
    made._search_names = entity.c if isinstance(entity, sa.Table) else entity
    return made.join(hits, sa.and_(*same)).order_by(*best_first(hits, len(place.key)))


def select_collection(
    collection: Collection, search: Search, query: Encoding, check: Check
) -> SearchSelect[*tuple[Any, ...]]:
    """Return a SELECT of the key, passage, span_start, span_end, content, and `FIELDS` of `render`."""
    source = source_of(collection)
    key = [column.name for column in collection.key]
    place = Place(collection.name, f"{collection.name}_passages", tuple(key), source.keys)
    if search.boost is not None:
        search = replace(search, boost=source.translate(search.boost))
    hits = hits_of(place, search, query, check=check)
    made = _search_select(source, search, hits, *result_columns(hits, key))
    return made.order_by(*best_first(hits, len(key)))


def entity_place(entity: Any, table: sa.Table, name: str) -> tuple[Place, SearchedTable]:
    """Return the place and the source of a search for an entity in the collection `name` of `table`."""
    mapper = getattr(sa.inspect(entity), "mapper", None)
    primary: list[Any] = list(table.primary_key)
    columns = (
        primary
        if mapper is None
        else [getattr(entity, mapper.get_property_by_column(column).key) for column in primary]
    )
    labelled = (column.label(name) for column, name in zip(columns, key_names(len(columns)), strict=True))
    source = SearchedTable(sa.select(*labelled))
    key = tuple(free_names([column.name for column in primary]))
    return Place(name, f"{name}_passages", key, source.keys), source


def _search_select(source: SearchedTable, search: Search, hits: sa.Subquery, *columns: Any) -> SearchSelect[Any, Any]:
    made: SearchSelect[Any, Any] = SearchSelect(*columns)
    made.hits = hits
    made._search_source = source
    made._search_tables = _tables(source.keys)
    made._search_number = hits.element.element.number  # type: ignore[attr-defined]
    return made if search.filter is None else made.where(search.filter)


_nothing: sa.Select[*tuple[Any, ...]] = sa.select(sa.literal_column("1"))


def _tables(statement: sa.Select[*tuple[Any, ...]]) -> set[Any]:
    """Return the tables that a statement selects from, without those of subqueries in its conditions."""
    found, froms = set(), list(statement.get_final_froms())
    while froms:
        each = froms.pop()
        if isinstance(each, sa.Join):
            froms += [each.left, each.right]
        else:
            found.add(each)
    return found


def _mentioned(condition: Any) -> set[Any]:
    """All tables in a condition, those of subqueries too."""
    found = set()
    for each in visitors.iterate(condition):
        if isinstance(each, sa.FromClause):
            found.add(each)
        elif isinstance(each, sa.ColumnClause) and each.table is not None:
            found.add(each.table)
    return found
