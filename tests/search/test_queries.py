"""Queries that are no text, or not quite: the same answer wherever a query is taken."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

import pgencoder
from pgencoder import Database, Encoding
from pgencoder.encoders import query_text
from pgencoder.errors import InvalidRequest, PgencoderError
from pgencoder.integrations.langchain import PgencoderRetriever, PgencoderVectorStore
from pgencoder.integrations.llama_index import PgencoderRetriever as LlamaIndexRetriever
from tests.connections import Connection
from tests.encoder import WordEncoder

ROOT = Path(__file__).parents[2]
HALF = "\ufffd"


class Spy(WordEncoder):
    """Remembers which queries it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def encode_query(self, text: str) -> Encoding:
        self.asked.append(text)
        return super().encode_query(text)


def _rows(db: Database, statement: sa.Select[Any]) -> list[Any]:
    with db.engine.connect() as connection:
        return list(connection.execute(statement).all())


def _in_table(db: Database, query: Any, spy: Spy) -> Any:
    table = sa.Table("replies", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))
    return _rows(db, pgencoder.select(table, query, encoder=spy))


Entry = Callable[[Database, Any, Spy], Any]
WRONG: dict[str, Callable[[Database], Any]] = {
    "a number as name": lambda db: db.search(5, "x"),  # type: ignore[arg-type]
    "a list as name": lambda db: db.search(["replies"], "x"),  # type: ignore[arg-type]
    "rows that are a word": lambda db: db.sync("replies", rows="x"),  # type: ignore[arg-type]
    "rows that are true": lambda db: db.sync("replies", rows=True),
    "rows that are a part": lambda db: db.sync("replies", rows=1.5),  # type: ignore[arg-type]
    "a number as model": lambda db: db.attach("replies", ["body"], 5, name="other"),  # type: ignore[arg-type]
    "a column twice": lambda db: db.attach("replies", ["body", "body"], Spy(), name="other"),
    "an unknown kernel": lambda db: db.use_kernel("x"),  # type: ignore[arg-type]
    "an unknown revision": lambda db: db.migrate("nope"),
    "a number as path": lambda _: pgencoder.embedded(5),  # type: ignore[arg-type]
    "an empty path": lambda _: pgencoder.embedded(""),
    "a path with NUL": lambda _: pgencoder.embedded("a\0b"),
}
ENTRIES: dict[str, Entry] = {
    "search": lambda db, query, spy: db.search("replies", query, encoder=spy),
    "asearch": lambda db, query, spy: asyncio.run(db.asearch("replies", query, encoder=spy)),
    "context": lambda db, query, spy: db.context("replies", query, encoder=spy, count_tokens=len),
    "acontext": lambda db, query, spy: asyncio.run(db.acontext("replies", query, encoder=spy)),
    "explain": lambda db, query, spy: db.explain("replies", query, 1, encoder=spy),
    "aexplain": lambda db, query, spy: asyncio.run(db.aexplain("replies", query, 1, encoder=spy)),
    "encode_query": lambda db, query, spy: db.encode_query(db.collection("replies"), query, spy),
    "select": lambda db, query, spy: _rows(db, pgencoder.select("replies", query, encoder=spy, db=db)),
    "select of a table": _in_table,
    "aselect": lambda db, query, spy: _rows(
        db, asyncio.run(pgencoder.aselect("replies", query, encoder=spy, db=db))
    ),
    "recall": lambda db, query, spy: _rows(
        db, sa.select(pgencoder.recall("replies", query, encoder=spy, db=db))
    ),
    "langchain": lambda db, query, spy: PgencoderRetriever(db=db, collection="replies", encoder=spy).invoke(query),
    "langchain store": lambda db, query, spy: PgencoderVectorStore.create(
        db, "kept", encoder=spy
    ).similarity_search(query),
    "langchain store, mmr": lambda db, query, spy: PgencoderVectorStore.create(
        db, "kept", encoder=spy
    ).max_marginal_relevance_search(query),
    "llama_index": lambda db, query, spy: LlamaIndexRetriever(db, "replies", encoder=spy).retrieve(query),
}  # fmt: skip
TAKES_VECTORS = ("select", "select of a table", "aselect", "recall")

NOT_QUITE = {
    "half \ud83d emoji": f"half {HALF} emoji",
    "other half \ude00": f"other half {HALF}",
    "\ud83d": HALF,
    "two halves \ud83d\ude00": "two halves 😀",
    "wrong order \ude00\ud83d": f"wrong order {HALF * 2}",
    "bytes caf\udce9": f"bytes caf{HALF}",
    "nothing\0here": f"nothing{HALF}here",
    "whole 😀 é": "whole 😀 é",
    "": "",
    "  \n": "  \n",
}
NO_TEXT = [None, 5, 1.5, True, b"bytes", b"5", ["a"], [["a"]], {"a": 1}, object(), [], ["1.5"], np.zeros((2, 32))]


@pytest.fixture
def spy() -> Spy:
    return Spy()


@pytest.fixture
def replies(db: Database, connection: Connection, spy: Spy) -> Database:
    connection.execute(
        "CREATE TABLE replies (id int PRIMARY KEY, body text);"
        "INSERT INTO replies VALUES (1, 'replication lag'), (2, 'half an emoji')"
    )
    db.attach("replies", ["body"], spy)
    db.sync("replies")
    return db


@pytest.mark.parametrize("entry", ENTRIES)
def test_half_characters_are_replaced_everywhere(replies: Database, spy: Spy, entry: str) -> None:
    for query, expected in NOT_QUITE.items():
        spy.asked.clear()
        ENTRIES[entry](replies, query, spy)
        assert set(spy.asked) == {expected}


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_is_no_text_is_refused_everywhere(replies: Database, spy: Spy, entry: str) -> None:
    for query in NO_TEXT:
        spy.asked.clear()
        with pytest.raises(InvalidRequest, match=r"a query is text|query must be text") as raised:
            ENTRIES[entry](replies, query, spy)
        assert type(query).__name__ in str(raised.value)
        assert "\n" not in str(raised.value)
        assert spy.asked == []


@pytest.mark.parametrize("entry", TAKES_VECTORS)
def test_vectors_are_taken_where_they_are(replies: Database, spy: Spy, entry: str) -> None:
    vector = spy.encode_query("replication").dense
    for query in (
        vector,
        list(vector),
        vector.astype(np.float64),
        Encoding(vector),
        [int(number) for number in range(32)],
    ):
        assert ENTRIES[entry](replies, query, spy)
    with pytest.raises(InvalidRequest, match="a vector of numbers"):
        ENTRIES[entry](replies, [float("nan")] * 32, spy)


def test_a_query_is_plain_text_afterwards() -> None:
    class Text(str):
        pass

    for query in (Text("a"), np.str_("b")):
        assert type(query_text(query)) is str


def test_an_explanation_is_of_the_query_that_was_encoded(replies: Database, spy: Spy) -> None:
    found = replies.explain("replies", "half \ud83d emoji", 2, encoder=spy)
    assert [match.word for match in found.words] == ["half", HALF, "emoji"]
    (str(found) + found._repr_html_()).encode()
    hit = replies.search("replies", "half \ud83d emoji", k=1, encoder=spy)[0]
    assert hit.explain().words == found.words


def test_names_and_keys_that_postgres_cannot_hold(replies: Database, spy: Spy) -> None:
    for bad, word in (("\ud83d", "half a character"), ("a\0b", "NUL")):
        for call in (
            lambda bad=bad: replies.search(bad, "a", encoder=spy),
            lambda bad=bad: replies.collection(bad),
            lambda bad=bad: replies.detach(bad),
            lambda bad=bad: replies.attach(bad, ["body"], spy),
            lambda bad=bad: replies.attach("replies", [bad], spy, name="other"),
            lambda bad=bad: replies.explain("replies", "a", bad, encoder=spy),
            lambda bad=bad: replies.search(
                "replies", "a", filter=replies.table("replies").c.body == bad, encoder=spy
            ),
        ):  # fmt: skip
            with pytest.raises(PgencoderError) as raised:
                call()
            assert word in str(raised.value) or repr(bad) in str(raised.value)
            assert "\n" not in str(raised.value)


def test_the_real_model(db: Database, connection: Connection, minilm: pgencoder.Encoder, url: str) -> None:
    """And the command line, whose arguments may be no UTF-8."""
    connection.execute(
        "CREATE TABLE replies (id int PRIMARY KEY, body text);"
        "INSERT INTO replies VALUES (1, 'replication lag'), (2, 'a café in Paris')"
    )
    db.attach("replies", ["body"], minilm)
    db.sync("replies", encoder=minilm)
    for query, whole in NOT_QUITE.items():
        if not whole.strip(f"{HALF} \n"):  # a question without words has nothing to match
            for call in (db.search, db.context, partial(db.explain, key=1), partial(pgencoder.select, db=db)):
                with pytest.raises(InvalidRequest, match="has no tokens to match; give it words"):
                    call("replies", query)
            assert len(db.search("replies", query, stage="dense", encoder=minilm)) == 2
            continue
        assert len(db.search("replies", query, encoder=minilm)) == 2
        assert db.context("replies", query, encoder=minilm).text
        db.explain("replies", query, 1, encoder=minilm)

    def run(*arguments: str | bytes) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from pgencoder.cli import main; main()", *arguments],
            env={**os.environ, "PGENCODER_DATABASE_URL": url}, cwd=ROOT,
            capture_output=True, text=True, check=False)  # fmt: skip

    for command in ("search", "context", "encode"):
        done = run(command, "replies", b"caf\xe9")
        assert done.returncode == 0, done.stderr
        assert "Error" not in done.stderr
        assert done.stdout
    done = run("search", b"repl\xe9", "a")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG)
def test_other_arguments_that_cannot_be_are_refused_too(
    db: Database, connection: Connection, call: Callable[[Database], Any]
) -> None:
    connection.execute("CREATE TABLE replies (id int PRIMARY KEY, body text)")
    db.attach("replies", ["body"], Spy())
    with pytest.raises(InvalidRequest) as raised:
        call(db)
    assert "\n" not in str(raised.value)
