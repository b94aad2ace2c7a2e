"""Worker processes, to be killed and replaced."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

READY = b"ready\n"
ROOT = Path(__file__).parents[2]


class Fleet:
    """A fixed number of workers; what they say on stderr goes into one file."""

    def __init__(self, size: int, arguments: list[str], log: Path) -> None:
        self.kills = 0
        self._arguments = arguments
        self._log = log
        self._workers: list[subprocess.Popen[bytes]] = []
        self._ready: set[int] = set()
        for _ in range(size):
            self._start()

    def kill(self, random: Random) -> None:
        """Kill one of the workers, whichever, and start another in its place."""
        self._kill(random.randrange(len(self._workers)))
        self._start()

    def kill_all(self) -> None:
        """Kill all workers at once, and start as many."""
        size = len(self._workers)
        for _ in range(size):
            self._kill(0)
        for _ in range(size):
            self._start()

    def check(self) -> None:
        """Raise if a worker has ended by itself."""
        for worker in self._workers:
            if worker.poll() is not None:
                raise RuntimeError(f"a worker ended by itself with {worker.returncode}:\n{self.printed()}")

    def stop(self, seconds: float) -> list[int]:
        """Ask all workers to stop; returns their exit codes. One that does not obey in time raises."""
        for worker in self._workers:
            self._await_ready(worker)
            worker.terminate()
        return [worker.wait(seconds) for worker in self._workers]

    def close(self) -> None:
        """Leave no process behind."""
        for worker in self._workers:
            worker.kill()
            worker.communicate()

    def printed(self) -> str:
        """The last of what the workers said."""
        return self._log.read_text(errors="replace")[-4000:]

    def _start(self) -> None:
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "tests.chaos.worker", *self._arguments]
            # in the root of this checkout, which is thereby what the workers import
            self._workers.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log))

    def _await_ready(self, worker: subprocess.Popen[bytes]) -> None:
        """Wait for the line that a worker prints when it is about to work."""
        assert worker.stdout is not None
        if worker.pid not in self._ready and worker.stdout.readline() == READY:
            self._ready.add(worker.pid)

    def _kill(self, place: int) -> None:
        # to kill what is only importing its modules would prove nothing
        self._await_ready(self._workers[place])
        self.check()
        worker = self._workers.pop(place)
        worker.kill()
        worker.communicate()
        self._ready.discard(worker.pid)
        self.kills += 1
