"""Evaluation of a collection by a user's judged queries."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pgencoder import Database
from pgencoder.errors import InvalidRequest
from pgencoder.evaluation import evaluating, own
from pgencoder.evaluation.evaluating import Plan
from tests.commands import Run, ok
from tests.connections import Connection
from tests.encoder import WordEncoder

COLOURS = ["red", "green", "blue", "white", "black"]


def lines(path: Path, *values: Any) -> Path:
    path.write_text("".join(f"{value if isinstance(value, str) else json.dumps(value)}\n" for value in values))
    return path


@pytest.fixture
def notes(connection: Connection, db: Database, words: WordEncoder) -> Database:
    connection.execute("CREATE TABLE notes (id int PRIMARY KEY, body text)")
    connection.cursor().executemany("INSERT INTO notes VALUES (%s, %s)", list(enumerate(COLOURS, 1)))
    db.attach("notes", ["body"], words, lexical="simple")
    db.sync("notes")
    return db


@pytest.fixture
def pages(connection: Connection, db: Database, words: WordEncoder) -> Database:
    connection.execute("CREATE TABLE pages (site text, day date, body text, PRIMARY KEY (site, day))")
    connection.cursor().executemany(
        "INSERT INTO pages VALUES ('x', date '2026-01-01' + %s, %s)", list(enumerate(COLOURS))
    )
    db.attach("pages", ["body"], words, lexical="simple")
    db.sync("pages")
    return db


def test_a_collection_is_evaluated_as_it_is(notes: Database, connection: Connection, tmp_path: Path) -> None:
    queries = lines(
        tmp_path / "mine.jsonl", {"query": "red", "relevant": [1]}, "", {"query": "blue", "relevant": ["3"]}
    )
    judged = own.read(notes, notes.collection("notes"), queries)
    assert judged.queries == {"1": "red", "3": "blue"}
    assert judged.judgements() == {"1": {"1": 1}, "3": {"3": 1}}
    assert judged.warnings == ()
    relations, collections = connection.execute("SELECT count(*) FROM pg_class").fetchone(), notes.collections()
    report = evaluating.evaluate(notes, "notes", judged, Plan(candidates=10))
    assert (connection.execute("SELECT count(*) FROM pg_class").fetchone(), notes.collections()) == (
        relations,
        collections,
    )
    assert list(report.stages) == ["dense", "lexical", "maxsim", "fused", "rrf", "exhaustive"]
    assert {each.ndcg for each in report.stages.values()} == {1.0}
    assert (report.dataset, report.documents, report.queries, report.lexical) == ("notes", 5, 2, "simple")
    assert report.as_json()["warnings"] == ()


def test_keys_may_be_more_or_less_relevant(notes: Database, tmp_path: Path) -> None:
    queries = lines(tmp_path / "mine.jsonl", {"query": "red", "relevant": {"01": 2, "2": 1, "3": 0}})
    judged = own.read(notes, notes.collection("notes"), queries)
    assert judged.judgements() == {"1": {"1": 2, "2": 1, "3": 0}}  # as the table has the keys


def test_composite_keys(pages: Database, tmp_path: Path) -> None:
    queries = lines(
        tmp_path / "mine.jsonl",
        {"query": "red", "relevant": [["x", "2026-01-01"], {"day": "2026-01-02", "site": "x"}]},
        {"query": "blue", "relevant": {'["x", "2026-01-03"]': 2, '{"site": "x", "day": "January 4, 2026"}': 1}},
    )
    judged = own.read(pages, pages.collection("pages"), queries)
    assert [sorted(each.values()) for each in judged.judgements().values()] == [[1, 1], [1, 2]]
    report = evaluating.evaluate(pages, "pages", judged, Plan(["maxsim"]))
    assert report.stages["maxsim"].recall == 1
    first = report.stages["maxsim"].queries["2"].first
    assert first is not None
    assert judged.judgements()["2"][str(first.key)] == 2


def test_keys_that_the_table_lacks_are_counted(notes: Database, tmp_path: Path) -> None:
    queries = lines(
        tmp_path / "mine.jsonl", {"query": "red", "relevant": [1, 77]}, {"query": "blue", "relevant": [78, 3, 3]}
    )
    judged = own.read(notes, notes.collection("notes"), queries)
    assert judged.warnings == ("mine.jsonl: table 'notes' lacks 2 of 4 keys, such as 77; they count as not found",)
    report = evaluating.evaluate(notes, "notes", judged, Plan(["maxsim"]))
    assert report.stages["maxsim"].recall == 0.5
    assert report.warnings == judged.warnings
    with pytest.raises(InvalidRequest, match=r"mine\.jsonl: table 'notes' has none of the 1 keys, such as 77"):
        own.read(notes, notes.collection("notes"), lines(queries, {"query": "red", "relevant": [77]}))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "this is not JSON"),
        ("[1]", 'there is no text "query"'),
        ('{"relevant": [1]}', 'there is no text "query"'),
        ('{"query": " ", "relevant": [1]}', 'there is no text "query"'),
        ('{"query": "red"}', '"relevant" names no keys'),
        ('{"query": "red", "relevant": []}', '"relevant" names no keys'),
        ('{"query": "red", "relevant": 1}', '"relevant" names no keys'),
        ('{"query": "red", "relevant": {"1": 0.5}}', "by an integer from 0"),
        ('{"query": "red", "relevant": {"1": true}}', "by an integer from 0"),
        ('{"query": "red", "relevant": {"1": -1}}', "by an integer from 0"),
        ('{"query": "red", "relevant": [null]}', r"a key of this table is a text or a number \(id\), got null"),
        ('{"query": "red", "relevant": [[1]]}', r"a key of this table is a text or a number \(id\), got \[1\]"),
        ('{"query": "red", "relevant": ["one"]}', 'invalid input syntax for type integer: "one"'),
        ('{"query": "red", "relevant": [1.5]}', "id is integer, got 1.5"),
        ('{"query": "red", "relevant": [99999999999999999999]}', "out of range"),
        ('{"query": "red", "relevant": ["\\u0000"]}', "NUL"),
        ('{"query": "red", "relevant": ["\\ud800"]}', "surrogates"),
    ],
)
def test_a_wrong_line_is_named(notes: Database, tmp_path: Path, line: str, message: str) -> None:
    queries = lines(tmp_path / "mine.jsonl", {"query": "red", "relevant": [1]}, "", line)
    with pytest.raises(InvalidRequest, match=rf"^mine\.jsonl, line 3: .*{message}"):
        own.read(notes, notes.collection("notes"), queries)


@pytest.mark.parametrize("key", ["1", ["x"], {"site": "x"}, {"site": "x", "day": "2026-01-01", "n": 1}, ["x", None]])
def test_a_composite_key_has_all_its_values(pages: Database, tmp_path: Path, key: Any) -> None:
    collection = pages.collection("pages")
    for relevant in ([key], {json.dumps(key): 1}, {"x": 1}):
        with pytest.raises(InvalidRequest, match="line 1: a key of this table is a list of site, day, got"):
            own.read(pages, collection, lines(tmp_path / "mine.jsonl", {"query": "red", "relevant": relevant}))


def test_a_file_that_cannot_be_read(notes: Database, tmp_path: Path) -> None:
    collection = notes.collection("notes")
    with pytest.raises(InvalidRequest, match=r"cannot read .*none\.jsonl"):
        own.read(notes, collection, tmp_path / "none.jsonl")
    with pytest.raises(InvalidRequest, match=r"mine\.jsonl has no queries; each line is"):
        own.read(notes, collection, lines(tmp_path / "mine.jsonl"))
    (tmp_path / "latin.jsonl").write_bytes(b'{"query": "\xe9"}')
    with pytest.raises(InvalidRequest, match=r"cannot read .*latin\.jsonl"):
        own.read(notes, collection, tmp_path / "latin.jsonl")


def test_it_is_tuned_on_other_queries(notes: Database, tmp_path: Path) -> None:
    collection = notes.collection("notes")
    judged = own.read(notes, collection, lines(tmp_path / "a.jsonl", {"query": "red", "relevant": [1]}))
    train = own.read(notes, collection, lines(tmp_path / "b.jsonl", {"query": "green", "relevant": [2]}))
    report = evaluating.evaluate(notes, "notes", judged, Plan(["dense", "fused"]), train)
    assert report.tuned is not None
    assert (report.tuned.queries, report.tuned.candidates, report.tuned.ndcg) == (1, 100, 1.0)
    assert list(report.stages) == ["dense", "fused", "tuned"]
    assert report.warnings == ()
    again = evaluating.evaluate(notes, "notes", judged, Plan(["dense"]), replace(judged, warnings=("a key lacks",)))
    assert again.warnings == (
        "a key lacks", "1 of the training queries are test queries too, so what is tuned looks better than it is"
    )  # fmt: skip


def test_what_waits_is_told_and_what_is_not_stored_is_refused(
    notes: Database, connection: Connection, tmp_path: Path
) -> None:
    judged = own.read(notes, notes.collection("notes"), lines(tmp_path / "a.jsonl", {"query": "red", "relevant": [1]}))
    connection.execute("INSERT INTO notes VALUES (9, 'grey')")
    report = evaluating.evaluate(notes, "notes", judged, Plan(["dense"]))
    assert report.warnings == ("1 rows of 'notes' wait to be encoded; what they need is not found",)
    notes.attach("notes", ["body"], WordEncoder(), name="plain", tokens="none")
    notes.sync("plain")
    with pytest.raises(InvalidRequest, match="'plain' stores nothing for maxsim, exhaustive; choose other stages"):
        evaluating.evaluate(notes, "plain", judged, Plan(["maxsim", "exhaustive"]))


def test_the_command_line_has_it(
    connection: Connection, command: Run, checkpoint: Callable[[str], str], db: Database, tmp_path: Path
) -> None:
    connection.execute("CREATE TABLE notes (id int PRIMARY KEY, body text)")
    connection.cursor().executemany("INSERT INTO notes VALUES (%s, %s)", list(enumerate(COLOURS, 1)))
    ok(command("attach", "notes", "--columns", "body", "--model", checkpoint("sbert")))
    ok(command("sync", "notes"))
    queries = str(
        lines(tmp_path / "mine.jsonl", {"query": "red", "relevant": [1]}, {"query": "blue", "relevant": [3, 9]})
    )
    of_notes = ("eval", "--collection", "notes", "--queries", queries)
    done = command(*of_notes)
    assert "notes: 5 documents" in ok(done)
    assert "lacks 1 of 3 keys, such as 9" in done.stderr
    plain = json.loads(ok(command(*of_notes, "--tune", "--train", queries, "--json")))
    assert plain["tuned"]["candidates"] == 100
    assert len(plain["warnings"]) == 3
    for arguments, message in [
        (("eval",), "give either BEIR folders, or --collection NAME --queries FILE"),
        ((*of_notes, str(tmp_path)), "give either BEIR folders, or --collection NAME --queries FILE"),
        (("eval", str(tmp_path), "--queries", queries), "--queries and --train are for --collection"),
        (("eval", "--collection", "notes"), "--collection needs --queries FILE"),
        ((*of_notes, "--tune"), "--collection takes --tune and --train FILE together"),
        ((*of_notes, "--train", queries), "--collection takes --tune and --train FILE together"),
        ((*of_notes, "--pooling", "2"), "a collection is evaluated as it is encoded: leave out --model"),
        ((*of_notes, "--report", str(tmp_path / "no" / "a.html")), "its folder is missing"),
        ((*of_notes, "--csv", str(tmp_path)), "it is a folder"),
        ((*of_notes, "--candidates", "0"), "candidates must be an integer of at least 1"),
    ]:
        failed = command(*arguments)
        assert failed.returncode == 1
        assert message in " ".join(failed.stderr.split()), failed.stderr
        assert failed.stderr.count("error:") == 1
