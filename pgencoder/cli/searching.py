"""The commands that search, build contexts, find pairs and encode queries."""

from __future__ import annotations

from dataclasses import asdict
from json import dumps
from typing import TYPE_CHECKING, Annotated

import typer

from pgencoder.cli import output
from pgencoder.cli.options import (
    CANDIDATES,
    COLLECTION,
    FILTER,
    JSON,
    JSON_LINES,
    QUERY,
    SEARCHING,
    URL,
    command,
    open_database,
)
from pgencoder.errors import InvalidRequest
from pgencoder.types import RERANK_TOP, FusionName, Group, Matrix, Order, PairMethod, Stage

if TYPE_CHECKING:
    from sqlalchemy import TextClause


FUSION = Annotated[
    FusionName | None,
    typer.Option(help="How scores become one: zscore, rrf, or one of them alone.", show_default="zscore with words"),
]
WEIGHTS = Annotated[
    str | None,
    typer.Option(
        help="By the scores' names: dense=1,lexical=0.5.", metavar="NAME=NUMBER", show_default="1; words, sparse: 0.5"
    ),
]
BOOST = Annotated[str | None, typer.Option(help="SQL number of the table's columns that is added to the score.")]
RELEVANCE = Annotated[float | None, typer.Option(help="Leave out hits of less relevance, 0 to 1.")]
RERANK = Annotated[
    str | None, typer.Option(help="Reorder the best by a cross-encoder: name or directory.", metavar="MODEL")
]
TOP = Annotated[int, typer.Option(help="How many the cross-encoder reads.")]


@command(
    SEARCHING,
    'pgencoder search articles "replication lag" -k 5',
    'pgencoder search articles "replication lag" --filter "lang = \'en\'"',
    'pgencoder search articles "replication lag" -k 1 --explain',
)
def search(
    collection: COLLECTION,
    query: QUERY,
    database: URL = None,
    k: Annotated[int, typer.Option("-k", help="How many results.")] = 10,
    candidates: CANDIDATES = 100,
    filter: FILTER = None,
    group: Annotated[Group, typer.Option(help="document: the best passage of each row.")] = "passage",
    stage: Annotated[
        Stage | None, typer.Option(help="dense: no MaxSim; exhaustive: MaxSim of all rows; default: the best possible.")
    ] = None,
    fusion: FUSION = None,
    weights: WEIGHTS = None,
    boost: BOOST = None,
    min_relevance: RELEVANCE = None,
    rerank: RERANK = None,
    rerank_top: TOP = RERANK_TOP,
    explain: Annotated[bool, typer.Option("--explain", help="Show which words matched, and how well.")] = False,
    json: JSON = False,
) -> None:
    """Search a collection."""
    found = open_database(database).search(
        collection,
        query,
        k,
        candidates=candidates,
        filter=_condition(filter),
        group=group,
        stage=stage,
        fusion=fusion,
        weights=_weights(weights),
        boost=_condition(boost),
        min_relevance=min_relevance,
        rerank=rerank,
        rerank_top=rerank_top,
    )
    # make all before printing, because one may fail
    explanations = [hit.explain() for hit in found] if explain else None
    if not json:
        output.hits(found, explanations)
    elif explanations is None:
        output.as_json([asdict(hit) for hit in found])
    else:
        pairs = zip(found, explanations, strict=True)
        output.as_json([asdict(hit) | {"explanation": why.to_dict()} for hit, why in pairs])


@command(
    SEARCHING,
    'pgencoder context articles "what causes replication lag?" --max-tokens 500',
    'pgencoder context articles "what causes replication lag?" --order document',
)
def context(
    collection: COLLECTION,
    query: QUERY,
    database: URL = None,
    max_tokens: Annotated[int, typer.Option(help="Most tokens of the text, by the model's tokenizer.")] = 2000,
    k: Annotated[int, typer.Option("-k", help="Most passages.")] = 20,
    candidates: CANDIDATES = 100,
    filter: FILTER = None,
    order: Annotated[Order, typer.Option(help="document: a row's passages together, in their order.")] = "score",
    fusion: FUSION = None,
    weights: WEIGHTS = None,
    boost: BOOST = None,
    min_relevance: RELEVANCE = None,
    rerank: RERANK = None,
    rerank_top: TOP = RERANK_TOP,
    json: JSON = False,
) -> None:
    """Make a text for a prompt of the best passages, numbered; print their sources on stderr."""
    made = open_database(database).context(
        collection,
        query,
        max_tokens,
        k=k,
        candidates=candidates,
        filter=_condition(filter),
        order=order,
        fusion=fusion,
        weights=_weights(weights),
        boost=_condition(boost),
        min_relevance=min_relevance,
        rerank=rerank,
        rerank_top=rerank_top,
    )
    if json:
        output.as_json(asdict(made))
    else:
        output.context(made)


@command(
    SEARCHING,
    "pgencoder pairs articles --threshold 0.9",
    "pgencoder pairs articles --limit 10 --json",
)
def pairs(
    collection: COLLECTION,
    database: URL = None,
    threshold: Annotated[float, typer.Option(help="The least cosine of a pair.")] = 0.8,
    method: Annotated[
        PairMethod, typer.Option(help="exact: all pairs; ann: nearly all; auto: exact if it takes half a minute.")
    ] = "auto",
    limit: Annotated[int | None, typer.Option(help="Only this many, most similar first.")] = None,
    json: JSON_LINES = False,
) -> None:
    """Show the pairs of rows that are similar, as they are found."""
    db = open_database(database)
    with output.progress("comparing") as on_progress:
        found = db.similar_pairs(collection, threshold, method=method, limit=limit, progress=on_progress)
        if json:
            output.json_lines(map(asdict, found))
        else:
            output.pairs(found)


@command(
    SEARCHING,
    'pgencoder encode articles "replication lag" > query.psql',
)
def encode(collection: COLLECTION, query: QUERY, database: URL = None) -> None:
    r"""Encode a query for psql: print \set for dense, tokens, encoder and sparse, arguments of the search function."""
    db = open_database(database)
    described = db.collection(collection)
    encoding = db.encode_query(described, query)
    tokens = ",".join(f'"{_vector(token)}"' for token in encoding.tokens)
    # only what there is: an empty vector is none
    settings = ({"dense": _vector(encoding.dense)} if len(encoding.dense) else {}) | {
        "tokens": f"{{{tokens}}}",
        "encoder": dumps(dict(described.generation.encoder)),
    }
    if encoding.sparse is not None:
        settings["sparse"] = encoding.sparse.to_text()
    for name, value in settings.items():
        # psql unescapes these in a quoted argument
        quoted = value.replace("\\", "\\\\").replace("'", "''")
        output.say_lines(f"\\set {name} '{quoted}'")


def _weights(text: str | None) -> dict[str, float] | None:
    """Return the weights in a text such as "dense=1,lexical=0.5"."""
    if text is None:
        return None
    try:
        return {name.strip(): float(value) for name, value in (each.split("=") for each in text.split(","))}
    except ValueError as error:
        raise InvalidRequest(f"--weights are numbers by names, such as dense=1,lexical=0.5; got {text!r}") from error


def _condition(text: str | None) -> TextClause | None:
    from sqlalchemy import text as clause

    # a colon in the condition is SQL (::date), not a parameter
    return None if text is None else clause(f"({text}\n)".replace(":", r"\:"))


def _vector(values: Matrix) -> str:
    return "[" + ",".join(f"{value:.5g}" for value in values) + "]"
