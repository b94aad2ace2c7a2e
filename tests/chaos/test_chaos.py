"""Whatever happens to the writers, the workers and the server, in the end the passages are those of the rows.

PGENCODER_CHAOS_SEED repeats a run: the same transactions, kills and crashes, as far as the machine interleaves them
the same way.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.chaos.compare import differences
from tests.chaos.scenario import Outcome, Run, Scenario
from tests.chaos.server import Server
from tests.passages import check

SEED = os.environ.get("PGENCODER_CHAOS_SEED", "1729")

CHAOS = Scenario(
    changes=3000,
    kills=20,
    restarts=3,
    groups=16,
    pause=0.1,
    interval=3.5,
    encoding=0.1,
    drain=60,
    truncate=True,
)
# Few keys and a slow encoder: nearly every change falls into the encoding of the one before, and nearly every kill
# into a batch. No TRUNCATE, which would remove the evidence.
SMALL = Scenario(changes=600, kills=6, restarts=1, groups=3, pause=0.03, interval=1.5, encoding=0.3, drain=60)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


def perform(scenario: Scenario, server: Server, directory: Path, capsys: pytest.CaptureFixture[str]) -> Outcome:
    """Run a scenario and assert that the passages are those of the rows; the seed is in the message if not."""
    dbname = f"chaos_without_{scenario.without}" if scenario.without else f"chaos_{scenario.changes}"
    seed = f"PGENCODER_CHAOS_SEED={SEED}"
    try:
        with Run(scenario, server, dbname, SEED, directory) as run:
            outcome = run.execute()
            with capsys.disabled():
                print(f"\n{dbname} {seed}: {outcome}")
            assert outcome.queued == 0, (
                f"{outcome.queued} still queued {scenario.drain} s after the last change, {seed}"
            )
            with psycopg.connect(run.url, autocommit=True) as connection:
                wrong = differences(connection, run.db, run.encoder)
                assert not wrong, f"{len(wrong)} wrong passages, {seed}: {wrong[:10]}"
                # the passages of the rows that the kills left are not enough to prove anything
                assert check(connection, run.db, "notes", run.encoder) > scenario.groups, seed
    except BaseException as error:
        error.add_note(f"to repeat: {seed}")
        raise
    assert outcome.exits == [0] * len(outcome.exits), f"exit codes after SIGTERM {outcome.exits}, {seed}"
    return outcome


def test_passages_survive_kills_and_crashes(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = perform(CHAOS, server, tmp_path, capsys)
    assert outcome.changes >= CHAOS.changes
    assert outcome.kills >= CHAOS.kills
    assert outcome.restarts == CHAOS.restarts
    # only a worker can be in the way of a transaction on keys that no other writer touches, and it must not be
    assert outcome.private_failures == [], f"PGENCODER_CHAOS_SEED={SEED}"


def test_a_smaller_run_passes_too(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    perform(SMALL, server, tmp_path, capsys)


# without the end of leases nothing comes back, so there is no use in waiting for long
@pytest.mark.parametrize(("without", "message", "drain"), [("seq", "wrong passages", 60), ("lease", "still queued", 8)])
def test_it_fails_without(
    without: str, message: str, drain: float, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AssertionError, match=message):
        perform(replace(SMALL, without=without, drain=drain), server, tmp_path, capsys)
