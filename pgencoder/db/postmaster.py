"""Finds, stops and watches the server process of a data directory, which it describes in a file there.

Run as a script, this module watches the server. It uses only the standard library, so that the watch is a small
process.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# Each process that uses a server holds a shared lock on this file in its data directory. The operating system releases
# the lock when the process ends, even if it is killed.
USERS = "pgencoder.users"
# While this file exists the server runs, even if nobody uses it
KEEP = "pgencoder.keep"
# The data directory as the server process sees it; it may not have access to the folders above
INSIDE = Path("/proc/self/cwd")


@dataclass(frozen=True)
class Postmaster:
    """A server process: its socket is in the folder `sockets`; `ready` once it accepts connections."""

    data: Path
    pid: int
    port: int
    sockets: Path
    ready: bool

    def runs(self) -> bool:
        """Return True if the process runs, and its number does not belong to another process now."""
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        if INSIDE.exists():
            with suppress(OSError):
                return Path(f"/proc/{self.pid}/cwd").samefile(self.data)
            return False
        command = ["ps", "-o", "comm=", "-p", str(self.pid)]
        said = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  a number
        return "postgres" in said.stdout

    def wait(self, seconds: float) -> bool:
        """Wait until the process has ended; return False if it still runs after that many seconds."""
        end = time.monotonic() + seconds
        while self.runs():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def stop(self) -> None:
        """Stop the server with a checkpoint; stop it at once if that takes more than a minute."""
        for number, seconds in ((signal.SIGINT, 60), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
            if self.wait(seconds):
                break
        self.clear()

    def clear(self) -> None:
        """Remove the files that a crashed server leaves, and a folder that was made for its socket.

        Another process may have the old server's number now, and the next server would not start beside these files.
        """
        with suppress(OSError):
            for name in (f".s.PGSQL.{self.port}", f".s.PGSQL.{self.port}.lock"):
                (self.sockets / name).unlink(missing_ok=True)
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            if self.sockets != self.data:
                self.sockets.rmdir()


def read(data: Path) -> Postmaster | None:
    """Return the server process that a data directory names, or None; it may have ended."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid, port = int(lines[0]), int(lines[3])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    sockets = data / (lines[4] if len(lines) > 4 else ".")
    return Postmaster(data, abs(pid), port, sockets, ready=len(lines) > 7 and lines[7].strip() == "ready")


def find(data: Path) -> Postmaster | None:
    """Return the server that runs on a data directory, or None."""
    found = read(data)
    return found if found is not None and found.runs() else None


def watch(data: Path) -> None:
    """Wait until nobody uses the server, then stop it; a new user waits for that and starts it again."""
    users = os.open(data / USERS, os.O_RDWR)
    fcntl.flock(users, fcntl.LOCK_EX)
    server = find(data)
    if server is not None and not (data / KEEP).exists():
        server.stop()


if __name__ == "__main__":
    if os.fork() == 0:  # so that the caller does not wait for the end of the watch
        watch(Path(sys.argv[1]))
