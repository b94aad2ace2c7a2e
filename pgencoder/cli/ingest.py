"""The commands that encode rows, change generations and repair collections."""

from __future__ import annotations

import logging
import signal
from dataclasses import asdict
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pgencoder.cli import logs, output
from pgencoder.cli.options import (
    COLLECTION,
    COLLECTIONS,
    ENCODING,
    JSON,
    LEXICAL_HELP,
    POOLING_HELP,
    SPARSE_MODEL,
    TOKEN_MODEL,
    URL,
    command,
    open_database,
)
from pgencoder.results import SyncReport
from pgencoder.types import Chunking, TokenType

if TYPE_CHECKING:
    from pgencoder.ingest.target import Target
    from pgencoder.worker.worker import Worker

NUMBER = Annotated[int | None, typer.Option("--generation", help="Its number, if there is more than one.")]


@command(
    ENCODING, "pgencoder worker", "pgencoder worker --once", "pgencoder worker --log-format json --metrics-port 9187"
)
def worker(
    database: URL = None,
    once: Annotated[bool, typer.Option("--once", help="Stop when nothing is ready.")] = False,
    poll: Annotated[
        float, typer.Option(help="Seconds between two checks of the queues; NOTIFY wakes it sooner.")
    ] = 5.0,
    lease: Annotated[
        float, typer.Option(help="Seconds until other workers take over the rows of a worker that died.")
    ] = 60.0,
    batch_rows: Annotated[int, typer.Option(help="Rows claimed at once.")] = 256,
    device: Annotated[str | None, typer.Option(help="Where models run: cpu, cuda, cuda:1, mps.")] = None,
    reconcile: Annotated[
        float | None, typer.Option(help="Seconds between searches for changes that triggers did not see.")
    ] = None,
    metrics_port: Annotated[int | None, typer.Option(help="Serve Prometheus metrics on this port.")] = None,
    metrics_host: Annotated[str, typer.Option(help="Address of the metrics.")] = "127.0.0.1",
    log_format: Annotated[Literal["text", "json"], typer.Option(help="Lines for people or for programs.")] = "text",
) -> None:
    """Encode the queued rows of all collections, until SIGTERM; a second signal stops at once."""
    from pgencoder.worker.worker import WorkerOptions

    db = open_database(database)
    options = WorkerOptions(lease=lease, poll=poll, batch_rows=batch_rows, reconcile=reconcile)
    if once:
        _once(db.worker(options=options, device=device))
        return
    logs.configure(log_format)
    running = db.worker(options=options, device=device)
    if metrics_port is not None:
        from pgencoder.worker import metrics

        metrics.serve(running, db.own_engine, metrics_host, metrics_port)
    _stop_by_signal(running)
    running.run()


@command(ENCODING, "pgencoder sync articles", "pgencoder sync articles --rows 500")
def sync(
    collection: COLLECTION,
    database: URL = None,
    rows: Annotated[int | None, typer.Option(help="Stop after about this many; the rest stays queued.")] = None,
    json: JSON = False,
) -> None:
    """Encode the queued rows of a collection now, with a progress bar."""
    db = open_database(database)
    with output.progress("encoding") as on_progress:
        report = db.sync(collection, rows=rows, progress=on_progress)
    if json:
        output.as_json(asdict(report))
    else:
        output.report(collection, report)
    if report.failed:
        output.fail(f"{report.failed} rows could not be encoded; see: pgencoder status; the last: {report.error}")


def _once(running: Worker) -> None:
    """Run one pass with a progress bar, and print a line for each collection at the end."""
    _stop_by_signal(running)

    def unsaid(record: logging.LogRecord) -> bool:
        return not any(problem in record.getMessage() for problem in _problems(running))

    with logs.only(unsaid):  # they are printed at the end
        done = _encoded(running)
    if not running.generations.targets and not running.generations.all_problems():
        output.say(output.NO_COLLECTIONS)
    for name in dict.fromkeys(target.objects.collection.name for target in running.generations.targets):
        output.report(name, done.setdefault(name, SyncReport()))
    if problems := _problems(running):
        output.fail(*problems)
    if failed := sum(report.failed for report in done.values()):
        output.fail(f"{failed} rows could not be encoded; see: pgencoder status")


def _problems(running: Worker) -> list[str]:
    return [*running.generations.problems.values(), *running.generations.index_problems.values()]


def _encoded(running: Worker) -> dict[str, SyncReport]:
    """Run a worker once, with bars; return what it did with each collection."""
    done: dict[str, SyncReport] = {}
    waiting = running.look()
    with output.progress("encoding") as on_progress, output.progress("index", "tuples") as on_index:

        def on_report(target: Target, report: SyncReport) -> None:
            name = target.objects.collection.name
            done[name] = done.get(name, SyncReport()) + report
            on_progress(running.record.rows, max(waiting, running.record.rows))

        running.record.on_report, running.record.on_index = on_report, on_index
        running.run_once()
    return done


def _stop_by_signal(running: Worker) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        running.stop()
        # a second signal ends the process, as by default
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


@command(
    COLLECTIONS,
    "pgencoder reencode articles --tokens halfvec",
    "pgencoder reencode articles --model sentence-transformers/all-mpnet-base-v2",
)
def reencode(
    collection: COLLECTION,
    database: URL = None,
    model: Annotated[str | None, typer.Option(help="Default: as before.")] = None,
    token_model: TOKEN_MODEL = None,
    sparse_model: SPARSE_MODEL = None,
    tokens: Annotated[
        TokenType | None, typer.Option(metavar="TYPE", help="bit, halfvec or none; default: as before.")
    ] = None,
    chunking: Annotated[Chunking | None, typer.Option(metavar="HOW", help="Default: as before.")] = None,
    lexical: Annotated[str | None, typer.Option(metavar="CONFIG", help=f"{LEXICAL_HELP} Default: as before.")] = None,
    pooling: Annotated[int | None, typer.Option(help=f"{POOLING_HELP} Default: as before.")] = None,
    allow_untrained: Annotated[
        bool, typer.Option("--allow-untrained", help="Accept a model without a trained sentence head.")
    ] = False,
) -> None:
    """Begin a new generation with another model; searches still use the active generation."""
    db = open_database(database)
    with output.progress("queueing") as on_progress:
        queued = db.reencode(
            collection,
            model,
            token_model=token_model,
            sparse_model=sparse_model,
            tokens=tokens,
            chunking=chunking,
            lexical=lexical,
            pooling=pooling,
            allow_untrained=allow_untrained,
            progress=on_progress,
        )
    number = db.collection(collection).generations[-1].number
    output.say(
        f"generation {number} of {collection}: {queued} rows queued; encode them with: pgencoder worker,"
        f" then: pgencoder activate {collection}"
    )


@command(COLLECTIONS, "pgencoder activate articles", "pgencoder activate articles --generation 2")
def activate(collection: COLLECTION, database: URL = None, generation: NUMBER = None) -> None:
    """Let searches use another generation, in one transaction; refused if they would lose rows."""
    chosen = open_database(database).activate(collection, generation)
    output.say(f"{collection}: searches use generation {chosen.number}; go back with: pgencoder rollback {collection}")


@command(COLLECTIONS, "pgencoder rollback articles")
def rollback(collection: COLLECTION, database: URL = None) -> None:
    """Let searches use the previous generation again."""
    output.say(f"{collection}: searches use generation {open_database(database).rollback(collection).number} again")


@command(COLLECTIONS, "pgencoder drop articles --generation 1")
def drop(collection: COLLECTION, database: URL = None, generation: NUMBER = None) -> None:
    """Remove a generation that searches do not use, and free its space."""
    output.say(f"{collection}: generation {open_database(database).drop(collection, generation).number} dropped")


@command(ENCODING, "pgencoder adopt articles article_vectors --dense embedding")
def adopt(
    collection: COLLECTION,
    table: Annotated[str, typer.Argument(help="Table or view with the vectors and the key columns.")],
    dense: Annotated[str, typer.Option(help="Column of dense vectors.")],
    database: URL = None,
    tokens: Annotated[str | None, typer.Option(help="Column of token vectors.")] = None,
    schema: Annotated[str | None, typer.Option(help="Schema of the table.")] = None,
    generation: NUMBER = None,
) -> None:
    """Copy vectors that exist in a table, without encoding."""
    with output.progress("adopting") as on_progress:
        adopted = open_database(database).adopt(
            collection, table, dense, tokens, schema=schema, generation=generation, progress=on_progress
        )
    output.say(f"{collection}: {adopted} rows adopted; the others stay queued")


@command(ENCODING, "pgencoder retry articles")
def retry(collection: COLLECTION, database: URL = None) -> None:
    """Queue again the rows that could not be encoded."""
    output.say(f"{collection}: {open_database(database).retry(collection)} rows queued again")


@command(ENCODING, "pgencoder reconcile articles", "pgencoder reconcile articles --json")
def reconcile(collection: COLLECTION, database: URL = None, json: JSON = False) -> None:
    """Find and queue changes that triggers did not see, such as those of logical replication."""
    with output.progress("comparing") as on_progress:
        report = open_database(database).reconcile(collection, progress=on_progress)
    if json:
        output.as_json(asdict(report))
        return
    output.say(
        f"{collection}: {report.rows} rows compared; queued {report.missing} missing, {report.stale} stale,"
        f" {report.orphaned} gone"
    )
    if report.warning:
        output.warn(f"warning: {report.warning}")


@command(COLLECTIONS, "pgencoder repair articles", "pgencoder repair articles --json")
def repair(collection: COLLECTION, database: URL = None, json: JSON = False) -> None:
    """Repair a collection whose table was created again or lost triggers; keep vectors that fit."""
    with output.progress("comparing") as on_progress:
        report = open_database(database).repair(collection, progress=on_progress)
    if json:
        output.as_json(asdict(report))
        return
    # without the advice to run this command
    done = "nothing was wrong" if report.problem is None else f"repaired: {report.problem.partition('; run: ')[0]}"
    output.say("; ".join([f"{collection}: {done}", *(f"key {each}" for each in report.keys)]))
    output.say(
        f"{report.found.rows} rows compared; queued {report.found.queued}; {report.removed} passages of another table"
        " removed"
    )
