"""Types of the fixtures that run programs, and what their results must be."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

Tool = Callable[..., str]
Run = Callable[..., subprocess.CompletedProcess[str]]


def ok(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout
