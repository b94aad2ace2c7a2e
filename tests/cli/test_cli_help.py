"""Every command explains itself, names a collection alike, and has examples that it takes."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from pgencoder import Database
from pgencoder.cli import application
from pgencoder.cli.options import GROUPS
from tests.connections import Connection
from tests.encoder import WordEncoder

APPLICATION = typer.main.get_command(application())


def commands(group: Any = APPLICATION, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = list(commands())


def named(value: object) -> str:
    return " ".join(value) if isinstance(value, tuple) else ""


@pytest.mark.parametrize(
    ("path", "command"), ALL, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_a_command_explains_itself(monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...], command: Any) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    short, long = (CliRunner().invoke(application(), [*path, option]) for option in ("-h", "--help"))
    assert short.exit_code == 0
    assert short.output == long.output
    assert re.search(rf"Examples?:\n.*pgencoder.*{path[-1]}", short.output)
    assert all(len(line) <= 80 for line in short.output.splitlines())
    assert "…" not in short.output
    assert " ".join(command.help.split()[:3]) in short.output


@pytest.mark.parametrize(
    ("path", "command"), ALL, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_a_command_takes_its_examples(path: tuple[str, ...], command: Any) -> None:
    for example in command.callback.examples:
        words = shlex.split(re.sub(r' >.*|psql "\$\((.*)\)"', r"\1", example))
        assert words[: 1 + len(path)] == ["pgencoder", *path]
        command.make_context(path[-1], words[1 + len(path) :]).close()


def test_collections_are_named_alike() -> None:
    of_a_collection = (
        *("sync", "reencode", "activate", "rollback", "drop", "detach", "adopt", "retry", "reconcile", "repair"),
        *("search", "context", "pairs", "encode"),
    )
    for path, command in ALL:
        arguments = [each for each in command.params if each.param_type_name == "argument"]
        assert not [each for each in arguments if each.name == "name"]
        if path[0] in of_a_collection:
            assert arguments[0].metavar == "COLLECTION", path


def test_commands_are_in_groups() -> None:
    text = CliRunner().invoke(application(), ["-h"]).output
    assert [group for group in re.findall(r"─ (\w+) ─", text) if group != "Options"] == list(GROUPS)


def test_a_shell_completes_commands_and_collections(
    connection: Connection, db: Database, url: str, words: WordEncoder
) -> None:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text)")
    for name in ("articles", "archive", "notes"):
        db.attach("articles", ["body"], words, name=name)

    def complete(line: str) -> set[str]:
        environment = {
            **os.environ,
            "PGENCODER_DATABASE_URL": url,
            "_PGENCODER_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split(" ")) - 1),
        }
        program = str(Path(sys.executable).parent / "pgencoder")
        done = subprocess.run([program], env=environment, capture_output=True, text=True, check=False, timeout=300)
        return set(done.stdout.split())

    assert complete("pgencoder re") == {"reencode", "reconcile", "repair", "retry"}
    assert complete("pgencoder search ar") == {"articles", "archive"}
