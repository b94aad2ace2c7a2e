"""What comes from a database, a model or a file is printed as data: it is no markup and does not control a terminal."""

from __future__ import annotations

import io
import json
import logging
import math
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

import pgencoder
from pgencoder import cli, opening
from pgencoder.cli import application, logs, output, status
from pgencoder.errors import PgencoderError
from pgencoder.explain.explanation import Explanation
from pgencoder.explain.matches import Match, WordMatch
from pgencoder.representations import of_encoder
from pgencoder.results import (
    Citation,
    CollectionStatus,
    Context,
    FailedRow,
    GenerationStatus,
    Hit,
    Kernel,
    Pair,
    SyncReport,
    WorkerStatus,
)
from pgencoder.types import Collection, Dims, Generation
from tests.connections import Connection
from tests.encoder import WordEncoder

NOW = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
HOSTILE = "x[/nothing]y [red]:smile: \x1b[31m\x1b]0;title\x07 \x9b2J \u202egnp \u2066 \r\n \ud800 end"

hostile = st.text(st.sampled_from("ab[]/\\:\x1b\x07\x9b\x00\r\n\t\u202e\u2069\u2028\ud83d ;mé漢"), max_size=40)
hostile_texts = hostile | st.sampled_from([HOSTILE, "[/]", "[bold", "\x1b[2J", "[link=x]y[/link]", ":boom:", "\\[/a]"])


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What reaches the terminal, stdout and stderr together, without colours."""
    terminal = io.StringIO()
    for name in ("console", "errors"):
        console = Console(file=terminal, force_terminal=True, width=80, color_system=None, markup=False, emoji=False)
        monkeypatch.setattr(output, name, console)
    return terminal


def generation(text: str) -> Generation:
    return Generation(text, 1, "active", {"model": text}, of_encoder(Dims(2, 2), "bit"), "default", True)


def explanation(text: str) -> Explanation:
    word = WordMatch(text, (0, 1), 0.5, (Match(1, 1, 0.5, text, (0, len(text)), (0, len(text))),))
    return Explanation(text, text, 0, text, (0, len(text)), 1.0, (word,), word)


def state(text: str) -> CollectionStatus:
    of_generation = GenerationStatus(
        1, "active", text, text, "bit", "default", 1, 0.5, 0, 0, 0, 0.0, 0.0, True, text)  # fmt: skip
    return CollectionStatus(
        text, text, (text,), 1, text, text, "bit", "default", 1, 1, 0, 0, True, 1, "sql", "symmetric",
        (of_generation,), {}, text)  # fmt: skip


def show_status(text: str) -> None:
    workers = [WorkerStatus(text, text, 1, True, [text], text, NOW, NOW, 1, 1, 1, 1.0, text)]
    failed = [FailedRow(text, 1, {text: text}, text, 1, None, NOW)]
    status.show([state(text)], workers, {text: failed}, NOW)


def show_table(text: str) -> None:
    output.table([text], [[text]])


def show_progress(text: str) -> None:
    with output.progress(text, text) as on_progress:
        on_progress(1, 2)


def log(form: logging.Formatter) -> Callable[[str], None]:
    def show(text: str) -> None:
        record = logging.makeLogRecord(
            {"msg": "%s", "args": (text,), "levelname": "INFO", "key": [text], "error": text}
        )
        output.console.file.write(form.format(record) + "\n")

    return show


PRINTING: dict[str, Callable[[str], object]] = {
    "say": output.say,
    "warn": output.warn,
    "lines": output.say_lines,
    "table": show_table,
    "progress": show_progress,
    "hits": lambda text: output.hits([Hit((text, 1), 0.5, 0, (0, 1), text, 1, 0.5)]),
    "explanations": lambda text: output.hits([Hit(text, 0.5, 0, (0, 1), text, 1, 0.5)], [explanation(text)]),
    "pairs": lambda text: output.pairs(iter([Pair(text, (text, 2), 0.5)])),
    "context": lambda text: output.context(Context(text, (Citation(1, text, (0, 1), text, 0.5),), 9)),
    "collections": lambda text: output.collections([Collection(text, text, text, (), (text,), (generation(text),))]),
    "kernel": lambda text: output.say(output.kernel(Kernel("sql", None, None, text))),
    "report": lambda text: output.report(text, SyncReport()),
    "status": show_status,
    "json": lambda text: output.as_json({text: [text]}),
    "json lines": lambda text: output.json_lines([{text: text}]),
    "text logs": log(logs.Text()),
    "JSON logs": log(logs.Json()),
}


@pytest.mark.parametrize("name", PRINTING)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=hostile_texts)
def test_no_text_controls_the_terminal(written: io.StringIO, name: str, text: str) -> None:
    written.truncate(0)
    written.seek(0)
    PRINTING[name](text)
    printed = written.getvalue()
    if name == "progress":  # its own
        printed = re.sub(r"\x1b\[(\d*[AK]|\?25[lh])|\r", "", printed)
    assert CONTROL.findall(printed) == []


@pytest.mark.parametrize("name", PRINTING)
def test_markup_is_shown_as_it_is_written(written: io.StringIO, name: str) -> None:
    PRINTING[name]("x[/nothing]y")
    assert "x[/nothing]y" in re.sub(r"\n *", "", written.getvalue())


@given(text=st.text() | hostile_texts)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_json_is_exact(written: io.StringIO, text: str) -> None:
    written.truncate(0)
    written.seek(0)
    output.as_json({text: [text]})
    assert json.loads(written.getvalue()) == {text: [text]}
    line = logs.Json().format(logging.makeLogRecord({"msg": "%s", "args": (text,), "error": text}))
    assert json.loads(line)["error"] == text


def run_main(monkeypatch: pytest.MonkeyPatch, written: io.StringIO, error: Exception) -> str:
    """What stderr gets of an error in a command."""

    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(sys, "argv", ["pgencoder", "list", "--database", "postgresql://h/d"])
    monkeypatch.setattr(pgencoder, "connect", lambda *_: fail())
    showwarning, handlers = warnings.showwarning, logging.getLogger("pgencoder").handlers
    try:
        with pytest.raises(SystemExit) as ended:
            cli.main()
    finally:
        warnings.showwarning = showwarning
        logging.getLogger("pgencoder").handlers = handlers
    return written.getvalue() if ended.value.code == 1 else str(ended.value.code)


def test_errors_are_data_too(monkeypatch: pytest.MonkeyPatch, written: io.StringIO) -> None:
    expected = "error: x[/nothing]y [red]:smile: [31m ]0;title 2J gnp end\n"
    assert run_main(monkeypatch, written, PgencoderError(HOSTILE)) == expected
    foreseen_by_nobody = run_main(monkeypatch, written, ZeroDivisionError(HOSTILE))
    assert foreseen_by_nobody.startswith("Traceback")
    assert "ZeroDivisionError: x[/nothing]y" in foreseen_by_nobody
    assert CONTROL.findall(foreseen_by_nobody) == []


Call = Callable[..., str]


def test_json_has_no_numbers_that_json_lacks(written: io.StringIO) -> None:
    output.as_json({"key": (math.nan, 1.5), "other": {"key": -math.inf}})

    def fail(name: str) -> None:
        raise AssertionError(name)

    assert json.loads(written.getvalue(), parse_constant=fail) == {"key": ["nan", 1.5], "other": {"key": "-inf"}}


@pytest.fixture
def call(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Run a command in this process, with an encoder that needs no model; its stdout, checked."""
    opened: list[pgencoder.Database] = []

    def connect(url: str) -> pgencoder.Database:
        opened.append(opening.connect(url))
        return opened[-1]

    monkeypatch.setattr(pgencoder, "connect", connect)
    monkeypatch.setattr(pgencoder.encoders, "load", lambda *_, **__: WordEncoder())
    monkeypatch.setattr(pgencoder.encoders, "load_stored", lambda *_, **__: WordEncoder())

    def run(*arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(application(), [*arguments, "--database", url], catch_exceptions=False)
        while opened:
            opened.pop().close()  # a process that ends does that
        assert done.exit_code == code, done.output
        assert CONTROL.findall(done.output) == [], arguments
        return done.stdout

    yield run
    logging.getLogger("pgencoder").handlers = []


def test_every_command_prints_names_keys_and_contents_as_data(connection: Connection, call: Call) -> None:
    name, text = "a[/nothing]\x1b[31m\u202e\nb", HOSTILE.replace("\ud800", "")
    quoted = name.replace('"', '""')
    connection.execute(f'CREATE TABLE "{quoted}" ("{quoted}" text, day date, body text, PRIMARY KEY ("{quoted}", day))')
    insert = f'INSERT INTO "{quoted}" VALUES (%s, %s, %s)'
    connection.cursor().executemany(insert, [(text, date(2026, 1, 31), text), ("2", date(2026, 2, 1), text)])
    connection.execute(
        "INSERT INTO pgencoder.worker (id, host, pid, models, device, problem)"
        " SELECT gen_random_uuid(), t, 1, ARRAY[t], t, t FROM (SELECT %s::text) AS s (t)", [text])  # fmt: skip
    assert "2 rows queued" in call("attach", name, "--columns", "body")
    assert "unchanged" in call("attach", name, "--columns", "body")
    assert "no worker runs" not in call("status")
    assert "a[/nothing] [31m b: 2 rows encoded" in call("sync", name)
    assert "a[/nothing] [31m b  public.a[/nothing]" in call("list")
    assert "a[/nothing] [31m b\n" in call("status")
    found = call("search", name, "end")
    assert ", 2026-01-31  (dense " in found
    assert "2, 2026-02-01  (dense " in found
    assert "MaxSim" in call("search", name, "end", "--explain")
    assert "[1] x[/nothing]y" in call("context", name, "end")
    assert "1.0000  2, 2026-02-01  x[/nothing]y" in call("pairs", name)
    assert call("encode", name, "end").startswith("\\set dense '[")
    assert json.loads(call("list", "--json"))[0]["name"] == name
    hits = json.loads(call("search", name, "end", "--json"))
    assert {hit["content"] for hit in hits} == {text}
    assert {hit["key"][0] for hit in hits} == {text, "2"}
    assert json.loads(call("context", name, "end", "--json"))["citations"][0]["content"] == text
    assert text in json.loads(call("pairs", name, "--json"))["key"] + json.loads(call("pairs", name, "--json"))["other"]
    both = json.loads(call("status", "--json"))
    assert both["workers"][0]["problem"] == text
    assert both["collections"][0]["name"] == name
    assert "0 rows encoded" in call("worker", "--once")
    assert "2 rows compared" in call("reconcile", name)
    assert "0 rows queued again" in call("retry", name)
    assert "nothing was wrong" in call("repair", name)
    assert "2 rows queued" in call("reencode", name, "--tokens", "halfvec")
    call("worker", "--once")
    assert "searches use generation 2" in call("activate", name)
    assert "searches use generation 1 again" in call("rollback", name)
    assert "generation 2 dropped" in call("drop", name)
    assert "detached" in call("detach", name)
    assert asdict(SyncReport()).keys() == json.loads(call_sync(call, connection)).keys()


def test_a_worker_that_runs_once_says_each_problem_once(connection: Connection, url: str, call: Call) -> None:
    connection.execute("CREATE TABLE docs (id int PRIMARY KEY, body text); INSERT INTO docs VALUES (1, 'a')")
    call("attach", "docs", "--columns", "body")
    assert "1 rows wait for encoders that other programs have" in " ".join(call("status").split())
    connection.execute("DROP TABLE docs CASCADE")
    done = CliRunner().invoke(application(), ["worker", "--once", "--database", url], catch_exceptions=False)
    assert done.exit_code == 1
    assert [line[:14] for line in done.output.splitlines() if "is gone" in line] == ["error: docs_1:"]
    call("status")  # closes the connections of both


def call_sync(call: Call, connection: Connection) -> str:
    connection.execute("CREATE TABLE plain (id int PRIMARY KEY, body text)")
    call("attach", "plain", "--columns", "body")
    return call("sync", "plain", "--json")
