"""The commands that encode: workers, generations, and repairs."""

from __future__ import annotations

import signal
import sys
from dataclasses import asdict
from types import FrameType
from typing import Annotated, Literal

import typer

from pgencoder.cli import logs, output
from pgencoder.cli.options import JSON, TOKEN_MODEL, URL, app, open_database
from pgencoder.ingest.batch import Target
from pgencoder.ingest.worker import Worker, WorkerOptions
from pgencoder.types import Chunking, SyncReport, TokenType

NUMBER = Annotated[int | None, typer.Option("--generation", help="Its number, where more than one is meant.")]


@app.command()
def worker(
    database: URL = None,
    once: Annotated[bool, typer.Option("--once", help="Stop when nothing is ready.")] = False,
    poll: Annotated[float, typer.Option(help="Seconds between two looks at the queues; NOTIFY wakes it sooner.")] = 5.0,
    lease: Annotated[
        float, typer.Option(help="Seconds until the work of a worker that died is done by others.")
    ] = 60.0,
    batch_rows: Annotated[int, typer.Option(help="Rows claimed at once.")] = WorkerOptions.batch_rows,
    device: Annotated[str | None, typer.Option(help="Where models run: cpu, cuda, cuda:1, mps.")] = None,
    reconcile: Annotated[
        float | None, typer.Option(help="Look for what triggers did not see, every so many seconds.")
    ] = None,
    metrics_port: Annotated[int | None, typer.Option(help="Serve Prometheus metrics at this port.")] = None,
    metrics_host: Annotated[str, typer.Option(help="Address of the metrics.")] = "127.0.0.1",
    log_format: Annotated[Literal["text", "json"], typer.Option(help="Lines for people or for programs.")] = "text",
) -> None:
    """Encode what is queued in all collections, until SIGTERM; a second signal stops at once."""
    db = open_database(database)
    options = WorkerOptions(lease=lease, poll=poll, batch_rows=batch_rows, reconcile=reconcile)
    if once:
        _once(db.worker(options=options, device=device))
        return
    logs.configure(log_format)
    running = db.worker(options=options, device=device)
    if metrics_port is not None:
        from pgencoder.ingest import metrics

        metrics.serve(running, db.own_engine, metrics_host, metrics_port)
    _stop_by_signal(running)
    running.run()


def _once(running: Worker) -> None:
    """One pass with a bar for each collection and a line for each at the end."""
    _stop_by_signal(running)
    done: dict[str, SyncReport] = {}
    waiting = running.look()
    with output.progress("encoding") as on_progress, output.progress("index", "tuples") as on_index:

        def on_report(target: Target, report: SyncReport) -> None:
            name = target.objects.collection.name
            done[name] = done.get(name, SyncReport()) + report
            on_progress(running.tally.rows, max(waiting, running.tally.rows))

        running.on_report, running.on_index = on_report, on_index
        running.run_once()
    if not running.targets.current and not running.targets.problems:
        print(output.NO_COLLECTIONS)
    for name in dict.fromkeys(target.objects.collection.name for target in running.targets.current):
        output.report(name, done.setdefault(name, SyncReport()))
    if problems := [*running.targets.problems.values(), *running.targets.index_problems.values()]:
        sys.exit("error: " + "\nerror: ".join(problems))
    if failed := sum(report.failed for report in done.values()):
        sys.exit(f"error: {failed} rows could not be encoded; see: pgencoder status")


def _stop_by_signal(running: Worker) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        running.stop()
        # the second signal does what it does by default: end the process
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


@app.command()
def reencode(
    collection: str,
    database: URL = None,
    model: Annotated[str | None, typer.Option(help="As before if not given.")] = None,
    token_model: TOKEN_MODEL = None,
    tokens: Annotated[TokenType | None, typer.Option(help="As before if not given. none: dense vectors only.")] = None,
    chunking: Annotated[Chunking | None, typer.Option(help="As before if not given.")] = None,
    allow_untrained: Annotated[bool, typer.Option(help="Accept a model without a trained sentence head.")] = False,
) -> None:
    """Begin another generation with another model; searches go on with the active one."""
    db = open_database(database)
    with output.progress("queueing") as on_progress:
        queued = db.reencode(
            collection,
            model,
            token_model=token_model,
            tokens=tokens,
            chunking=chunking,
            allow_untrained=allow_untrained,
            progress=on_progress,
        )
    number = db.collection(collection).generations[-1].number
    print(
        f"generation {number} of {collection}: {queued} rows queued; encode them with: pgencoder worker,"
        f" then: pgencoder activate {collection}"
    )


@app.command()
def activate(collection: str, database: URL = None, generation: NUMBER = None) -> None:
    """Let searches use another generation, in one transaction; refused while they would lose rows."""
    chosen = open_database(database).activate(collection, generation)
    print(f"{collection}: searches use generation {chosen.number}; go back with: pgencoder rollback {collection}")


@app.command()
def rollback(collection: str, database: URL = None) -> None:
    """Let searches use the generation again that was active before."""
    print(f"{collection}: searches use generation {open_database(database).rollback(collection).number} again")


@app.command()
def drop(collection: str, database: URL = None, generation: NUMBER = None) -> None:
    """Remove a generation that searches do not use, and free its space."""
    print(f"{collection}: generation {open_database(database).drop(collection, generation).number} dropped")


@app.command()
def adopt(
    collection: str,
    table: Annotated[str, typer.Argument(help="Table or view with the vectors and the key columns.")],
    dense: Annotated[str, typer.Option(help="Column of dense vectors.")],
    database: URL = None,
    tokens: Annotated[str | None, typer.Option(help="Column of token vectors.")] = None,
    schema: Annotated[str | None, typer.Option(help="Schema of the table.")] = None,
    generation: NUMBER = None,
) -> None:
    """Take vectors that exist already, without encoding."""
    with output.progress("adopting") as on_progress:
        adopted = open_database(database).adopt(
            collection, table, dense, tokens, schema=schema, generation=generation, progress=on_progress
        )
    print(f"{collection}: {adopted} rows adopted; the others stay queued")


@app.command()
def retry(collection: str, database: URL = None) -> None:
    """Queue the rows anew that could not be encoded."""
    print(f"{collection}: {open_database(database).retry(collection)} rows queued again")


@app.command()
def reconcile(collection: str, database: URL = None, json: JSON = False) -> None:
    """Find what triggers did not see, such as rows of logical replication, and queue it."""
    with output.progress("comparing") as on_progress:
        report = open_database(database).reconcile(collection, progress=on_progress)
    if json:
        output.as_json(asdict(report))
        return
    print(
        f"{collection}: {report.rows} rows compared; queued {report.missing} missing, {report.stale} stale,"
        f" {report.orphaned} gone"
    )
