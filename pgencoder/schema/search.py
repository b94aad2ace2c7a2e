"""The search function of a collection: the same statement as Python's, stored in the database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from psycopg import errors as pg
from psycopg import sql

from pgencoder.catalog.objects import Objects
from pgencoder.db.executor import Executor, run
from pgencoder.schema import view
from pgencoder.schema.dependents import named_dependents
from pgencoder.search.ranking import (
    BY_TERMS,
    MEASURES,
    WEIGHTS,
    Alone,
    Fusion,
    Ranking,
    ReciprocalRanks,
    Weighted,
    ZScores,
    fused,
    ranking_of,
    stage_for,
)
from pgencoder.search.render import FIELDS, Options, search_text
from pgencoder.statements import Late, Part, Quoted, as_text, assembled, identifier, listed, query, raw
from pgencoder.types import Collection, Group

# The caller's filter and boost, and how the scores become one, variables of the function
WANTED, BOOSTED, FUSED, RELEVANT = LATE = tuple(map(Late, ("wanted", "boosted", "fused", "relevant")))
# The source's name in the statement without a filter
TABLE = "searched"
# How many candidates the function has unless the caller gives another number
USUAL_CANDIDATES = 100


def create(objects: Objects) -> list[Part]:
    """Make, or replace, the function `<name>_search` of the active generation."""
    collection = objects.collection
    generation = collection.generation
    there = {name: measure.name for name, measure in MEASURES.items() if measure.name in generation.stored}
    fusions = {"zscore": _ZScores(there), "rrf": _ReciprocalRanks(there)} | {
        name: Alone(measure) for name, measure in there.items()
    }
    columns = {what: {name: f"{name}_{what}" for name in there.values()} for what in ("score", "relevance")}
    usual = _fusion_of(generation.stored)
    without_terms = _fusion_of(generation.stored - BY_TERMS or generation.stored)
    body = query("search_body").format(
        usual=_usual(collection, objects.key.types),
        usual_candidates=sql.Literal(USUAL_CANDIDATES),
        usual_fusion=sql.Literal(usual),
        fusion_without_terms=sql.Literal(without_terms),
        fusion_without_tokens=sql.Literal("dense" if "dense" in there else without_terms),
        missing=_missing(there),
        usual_weights=sql.Literal(json.dumps({name: WEIGHTS[name] for name in there})),
        scores=sql.Literal(list(there)),
        fused=_chosen({name: each.score(columns["score"]) for name, each in fusions.items()}),
        relevant=_chosen({name: each.relevance(columns["relevance"]) for name, each in fusions.items()}),
        by_passage=assembled(_statement(collection, objects.key.types, "passage"), only=LATE),
        by_document=assembled(_statement(collection, objects.key.types, "document"), only=LATE),
        encoder=sql.Literal(json.dumps(dict(generation.encoder))),
        name=objects.name,
        number=sql.Literal(generation.number),
        source_name=Quoted(objects.source),
        generation=sql.Literal(f"generation {generation.number} of {collection.name}"),
        arguments=raw(
            "query_dense, query_tokens, k, greatest(k, candidates), query_text, weights, min_relevance, query_sparse"
        ),
    )
    pin = query("pin_search").format(
        signature=Quoted(_signature(objects)),
        schema=sql.Literal(collection.source_schema),
        table=sql.Literal(collection.source_table),
    )
    made = query("create_search").format(
        function=objects.search,
        signature=_signature(objects),
        pin=Quoted(pin),
        vector=objects.vector,
        key_columns=objects.key.named_types,
        body=Quoted(body),
        comment=sql.Literal(f"pgencoder: searches {collection.name}; filter is SQL on the source's columns"),
    )
    # settings of pgvector can be named by anyone once its library is loaded, and until then by superusers only
    return [sql.SQL("SELECT '[1]'::{}.halfvec").format(objects.vector), made]


def replace(executor: Executor, objects: Objects) -> None:
    """Let searches by SQL, and the view, use the active generation."""
    run(executor, create(objects))
    view.replace(executor, objects)


def replace_typed(executor: Executor, objects: Objects) -> None:
    """Do what `replace` does; if the types of its columns change, drop the function, but keep its grants."""
    try:
        with executor.transaction():
            replace(executor, objects)
            return
    except pg.InvalidFunctionDefinition:
        pass
    signature = _signature(objects)
    grants = executor.execute(query("callers").format(signature=sql.Literal(as_text(signature)))).fetchall()
    with named_dependents(f"the columns of {as_text(objects.search)} change, and "):
        executor.execute(sql.SQL("DROP FUNCTION {}").format(signature))
    replace(executor, objects)
    executor.execute(sql.SQL("REVOKE ALL ON FUNCTION {} FROM PUBLIC").format(signature))
    for grantee, grantable in grants:
        option = raw("WITH GRANT OPTION" if grantable else "")
        grant = sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {} {}").format(signature, raw(grantee), option)
        executor.execute(grant)


def _signature(objects: Objects) -> Part:
    return sql.SQL(
        "{}({vector}.halfvec, {vector}.halfvec[], int, int, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb,"
        " pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text, double precision, {vector}.sparsevec)"
    ).format(objects.search, vector=objects.vector)


def _usual(collection: Collection, types: Sequence[Part]) -> Part:
    """Return the search that is asked for most, without a filter, with its arguments by their places.

    It stands in the function as it is. There Postgres would take a column that is gone for a variable of that name, so
    each column is named with its table.
    """
    columns = [identifier(TABLE, key.source) for key in collection.key]
    return search_text(
        collection,
        ranking_of(stage_for(None, collection.generation.stored)),
        Options(nullable=True),
        table=identifier(collection.source_schema, collection.source_table) + raw(f" AS {TABLE}"),
        keys=[column + raw("::") + type_ for column, type_ in zip(columns, types, strict=True)],
        columns=COLUMNS,
        candidates=sql.Literal(USUAL_CANDIDATES),
        lexical=raw("$8"),
        sparse=raw("$13"),
        **PARAMETERS,
    )


def _statement(collection: Collection, types: Sequence[Part], group: Group) -> Part:
    """Return the search with all that a caller may ask for: $1 to $8 are arguments, the rest is `Late`."""
    stored = collection.generation.stored
    scores = fused("zscore", stored)
    return search_text(
        collection,
        Ranking(scores.recalls, scores.scores, _Chosen()),
        Options(group, boosted=True, limited=True, nullable=True),
        table=identifier(collection.source_schema, collection.source_table),
        keys=[identifier(key.source) + raw("::") + type_ for key, type_ in zip(collection.key, types, strict=True)],
        columns=COLUMNS,
        where=WANTED,
        boost=BOOSTED,
        candidates=raw("$4"),
        min_relevance=raw("coalesce($7, '-infinity')"),
        fused=FUSED,
        relevant=RELEVANT,
        lexical=raw("$5"),
        sparse=raw("$8"),
        **PARAMETERS,
    )


# The queries that the scores compare with
ARGUMENTS = {"dense": "query_dense", "lexical": "query_text", "sparse": "query_sparse", "maxsim": "query_tokens"}
COLUMNS = ["passage", "content", *FIELDS]
PARAMETERS = {
    "dense": raw("$1"),
    "tokens": raw("$2"),
    "k": raw("$3"),
    "check": raw("true"),
}


def _fusion_of(stored: frozenset[str]) -> str:
    """Return the fusion that ranks where these are stored, unless another is given."""
    stage = stage_for(None, stored)
    return stage if isinstance(stage, str) else "zscore"


def _missing(there: Iterable[str]) -> Part:
    """Return the expression that names the argument that the variable `fusion` needs, if it is NULL."""
    cases = [
        sql.SQL("WHEN fusion OPERATOR(pg_catalog.=) {} AND {argument} IS NULL THEN {}").format(
            sql.Literal(name), sql.Literal(ARGUMENTS[name]), argument=raw(ARGUMENTS[name])
        )
        for name in there
    ]
    return sql.SQL("CASE {} END").format(listed(cases, " "))


def _chosen(expressions: Mapping[str, str]) -> Part:
    """Return the expression that gives the text of one of these, by the variable `fusion`."""
    cases = [
        sql.SQL("WHEN fusion OPERATOR(pg_catalog.=) {} THEN {}").format(sql.Literal(name), sql.Literal(text))
        for name, text in expressions.items()
    ]
    return sql.SQL("CASE {} END").format(listed(cases, " "))


class _Chosen(Fusion):
    """Any of the fusions, of which the function has the text."""

    def score(self, scores: Mapping[str, str]) -> str:  # noqa: ARG002
        return "{fused}"

    def relevance(self, relevances: Mapping[str, str]) -> str:  # noqa: ARG002
        return "{relevant}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Chosen)

    def __hash__(self) -> int:
        return 0


class _Argument(Weighted):
    """The weights are an argument, by the names of the scores."""

    def __init__(self, there: Mapping[str, str]) -> None:
        super().__init__(dict.fromkeys(there.values(), 1.0))
        object.__setattr__(self, "_there", there)

    def factors(self) -> Mapping[str, str]:
        there: Mapping[str, str] = self.__dict__["_there"]
        return {
            measure: f"coalesce(($6 OPERATOR(pg_catalog.->>) '{name}')::double precision, 0)"
            for name, measure in there.items()
        }


class _ZScores(_Argument, ZScores):
    pass


class _ReciprocalRanks(_Argument, ReciprocalRanks):
    pass
