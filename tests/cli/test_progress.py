"""Bars: in a terminal and in a notebook, and nowhere else."""

from __future__ import annotations

import io
import os
import re
import sys

import pytest
from rich.console import Console
from rich.progress import Progress

from pgencoder import Database
from pgencoder.errors import InvalidRequest
from pgencoder.progress import notebook_bar, open_bar
from tests.connections import Connection
from tests.encoder import WordEncoder


@pytest.fixture
def notes(connection: Connection, db: Database, words: WordEncoder) -> str:
    connection.execute("CREATE TABLE notes (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO notes SELECT i, 'note ' || i FROM generate_series(1, 300) AS i")
    db.attach("notes", ["body"], words)
    return "notes"


def printed_in_a_terminal(monkeypatch: pytest.MonkeyPatch, db: Database, name: str, **options: object) -> str:
    """What `sync` prints on a stderr that is a terminal."""
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        db.sync(name, **options)  # type: ignore[arg-type]
        print("end", file=terminal, flush=True)
        printed = b""
        while not printed.endswith(b"end\r\n"):
            printed += os.read(ours, 65536)
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", printed.decode())


def test_sync_shows_a_bar_in_a_terminal(monkeypatch: pytest.MonkeyPatch, db: Database, notes: str) -> None:
    assert re.search(r"encoding .*300/300 rows", printed_in_a_terminal(monkeypatch, db, notes))


def test_sync_shows_no_bar_where_it_is_told_so(monkeypatch: pytest.MonkeyPatch, db: Database, notes: str) -> None:
    assert printed_in_a_terminal(monkeypatch, db, notes, progress=False) == "end\r\n"


def test_a_function_gets_what_the_bar_would(monkeypatch: pytest.MonkeyPatch, db: Database, notes: str) -> None:
    seen: list[tuple[int, int]] = []
    printed = printed_in_a_terminal(monkeypatch, db, notes, progress=lambda done, total: seen.append((done, total)))
    assert printed == "end\r\n"
    assert (seen[0], seen[-1]) == ((0, 300), (300, 300))


def test_in_a_pipe_there_is_no_bar(db: Database, notes: str, capfd: pytest.CaptureFixture[str]) -> None:
    db.sync(notes)
    assert capfd.readouterr() == ("", "")


def test_a_program_may_show_a_bar_of_its_own(monkeypatch: pytest.MonkeyPatch, db: Database, notes: str) -> None:
    with Progress(console=Console(file=io.StringIO(), force_terminal=True)):
        assert "end" in printed_in_a_terminal(monkeypatch, db, notes)
    assert db.status()[0].passages == 300


def test_a_notebook_shows_one_bar_that_grows() -> None:
    displays: list[str] = []

    def show(html: str, handle: int | None) -> int:
        if handle is None:
            displays.append(html)
            return len(displays) - 1
        displays[handle] = html
        return handle

    with notebook_bar("<encoding>", show) as on_progress:
        for done in range(11):
            on_progress(done, 10)
    assert len(displays) == 1
    assert displays[0].startswith('<progress value="10" max="10"></progress> &lt;encoding&gt; 10 of 10')
    with notebook_bar("nothing to do", show):
        pass
    assert len(displays) == 1


def test_without_a_terminal_nothing_is_shown_unless_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with open_bar(None, "encoding") as on_progress:
        assert on_progress is None
    with open_bar(True, "encoding") as on_progress:
        assert on_progress is not None
        on_progress(1, 2)
    assert "encoding" in capsys.readouterr().err


def test_sync_stops_after_a_number_of_rows(db: Database, notes: str) -> None:
    first = db.sync(notes, rows=50)
    assert 50 <= first.rows < 300
    assert len(db.search(notes, "note 1")) == 10
    assert db.sync(notes).rows == 300 - first.rows
    assert db.sync(notes, rows=1).rows == 0
    with pytest.raises(InvalidRequest, match="rows must be an integer of at least 1"):
        db.sync(notes, rows=0)
