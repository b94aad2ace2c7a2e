"""The search as SQL text, from the templates in `sql/queries/`, for Python and for the stored function alike.

    setting    sets ef_search and the iterative scan for this statement, before the index scan starts
    nearest    the nearest passages by HNSW, the filter applied inside
    wider      only for results by document: ten times as many, where the nearest have fewer than k documents
    exact      only where those fell short: the nearest among all that pass the filter, without the index
    recall     the candidates, ranked
    scored     MaxSim of the candidates
    the whole  the best of them

A stage that is not needed costs its planning only: its condition is a single-row subquery, which Postgres checks once
before it starts the stage. This is what makes "fewer than k rows only if the filter leaves fewer" true: a filtered
HNSW scan gives up after `hnsw.max_scan_tuples`, and the exact stage then answers.

The source is a subquery of its keys, k1, k2, ..., with the filter inside: there a plain column name can only be the
source's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from pgencoder.sql import SCHEMA, query
from pgencoder.types import Group, Stage

SCORE = f"{SCHEMA}.score"


@cache
def template(keys: int, group: Group, stage: Stage | None, score: str = SCORE) -> str:
    """The search for a key of so many columns; without a stage the candidates themselves, with their tokens.

    To be filled are: passages, source (a subquery without its name), same (joins the two), check (a condition on the
    query's encoder), dense, tokens, k and candidates.
    """
    names = ", ".join(key_names(keys))
    holes = {
        "keys": names,
        "source_keys": ", ".join(f"source.{name}" for name in key_names(keys)),
        "score": "OPERATOR(pg_catalog.-) distance" if stage == "dense" else f"{score}({{tokens}}, tokens)",
        "scored": "scored"
        if group == "passage"
        else f"(SELECT DISTINCT ON ({names}) * FROM scored ORDER BY {names}, score DESC NULLS LAST, passage) AS best",
    }
    recall = "recall" if group == "passage" else "recall_documents"
    match stage:
        case None:
            parts = [recall, "candidates"]
        case "exhaustive":
            parts = ["exhaustive", "best"]
        case _:
            parts = [recall, "rerank", "best"]
    return "\n".join(_fill(_text(part), holes) for part in parts)


def key_names(keys: int) -> list[str]:
    """What the columns of a key of so many are called inside a search."""
    return [f"k{i}" for i in range(1, keys + 1)]


def same(passage_key: Sequence[str], quote: Callable[[str], str]) -> str:
    """The condition that a passage is of a row of the source."""
    pairs = zip(passage_key, key_names(len(passage_key)), strict=True)
    return " AND ".join(f"passages.{quote(name)} OPERATOR(pg_catalog.=) source.{k}" for name, k in pairs)


def _text(name: str) -> str:
    return query(name).as_string().rstrip("\n")


def _fill(text: str, holes: dict[str, str]) -> str:
    for name, part in holes.items():
        text = text.replace(f"{{{name}}}", part)
    return text
