"""The commands."""

from __future__ import annotations

from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer
from rich.table import Table

import pgencoder
from pgencoder import native
from pgencoder.cli import output
from pgencoder.cli.options import JSON, JSON_LINES, MODEL, TOKEN_MODEL, URL, app, open_database
from pgencoder.encoders import DEFAULT_MODEL
from pgencoder.errors import InvalidRequest, NativeUnavailable
from pgencoder.types import STAGES, Chunking, Group, Matrix, PairMethod, Stage, TokenType

native_app = typer.Typer(no_args_is_help=True, help="The C extension that makes MaxSim fast; optional.")
app.add_typer(native_app, name="native")


PG_CONFIG = Annotated[
    Path | None,
    typer.Option(help="pg_config of the server; if not given, that of --database, else of the embedded server."),
]


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Late-interaction retrieval inside Postgres, kept in sync with your rows."""
    if show:
        print(f"pgencoder {pgencoder.__version__}")
        raise typer.Exit


@app.command()
def demo(database: URL = None) -> None:
    """Encode the docstrings of Python's standard library and answer five questions."""
    from pgencoder.cli.demo import run

    run(open_database(database))


@app.command()
def migrate(
    database: URL = None,
    to: Annotated[str, typer.Option(help='Revision; "base" removes pgencoder with all collections.')] = "head",
    roles: Annotated[
        bool, typer.Option("--roles", help="Create the roles pgencoder_reader and pgencoder_worker and grant them.")
    ] = False,
) -> None:
    """Create or upgrade the schema pgencoder; a second time changes nothing."""
    db = pgencoder.connect(database) if database is not None else pgencoder.embedded()
    db.migrate(to, roles=roles)
    print("removed" if to == "base" else f"migrated to {to}")
    if to == "head":
        print(output.kernel(db.kernel()))


@app.command()
def attach(
    table: Annotated[str, typer.Argument(help="Table, on the search path or as schema.table.")],
    columns: Annotated[str, typer.Option(help="Columns to encode, with commas between.")],
    database: URL = None,
    name: Annotated[str | None, typer.Option(help="Name of the collection; the table's if not given.")] = None,
    schema: Annotated[str | None, typer.Option(help="Schema of the table.")] = None,
    model: MODEL = DEFAULT_MODEL,
    token_model: TOKEN_MODEL = None,
    tokens: Annotated[
        TokenType | None, typer.Option(help="How token vectors are stored; bit if not given. none: dense vectors only.")
    ] = None,
    chunking: Annotated[Chunking, typer.Option(help="truncate: one passage a row, cut at the limit.")] = "default",
    allow_untrained: Annotated[bool, typer.Option(help="Accept a model without a trained sentence head.")] = False,
) -> None:
    """Make a collection of a table and queue its rows."""
    db = open_database(database)
    with output.progress("queueing") as on_progress:
        queued = db.attach(
            table,
            [column.strip() for column in columns.split(",") if column.strip()],
            model,
            token_model=token_model,
            schema=schema,
            name=name,
            tokens=tokens,
            chunking=chunking,
            allow_untrained=allow_untrained,
            progress=on_progress,
        )
    print(f"attached {name or table}: {queued} rows queued; encode them with: pgencoder worker --once")


@app.command()
def detach(name: str, database: URL = None) -> None:
    """Remove a collection and everything made for it; the table keeps its rows."""
    open_database(database).detach(name)
    print(f"detached {name}")


@app.command()
def search(
    collection: str,
    query: str,
    database: URL = None,
    k: Annotated[int, typer.Option("-k", help="How many results.")] = 10,
    candidates: Annotated[int, typer.Option(help="How many passages are recalled for MaxSim.")] = 100,
    filter: Annotated[str | None, typer.Option(help="SQL condition on the table's columns.")] = None,
    group: Annotated[Group, typer.Option(help="document: the best passage of each row.")] = "passage",
    stage: Annotated[
        Stage | None, typer.Option(help="dense: no MaxSim; exhaustive: MaxSim of all; if not given, the best there is.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show which words matched, and how well.")] = False,
    json: JSON = False,
) -> None:
    """Search a collection."""
    # a colon in the condition is SQL's (::date), not a parameter's
    condition = None if filter is None else sa.text(f"({filter}\n)".replace(":", r"\:"))
    found = open_database(database).search(
        collection, query, k, candidates=candidates, filter=condition, group=group, stage=stage
    )
    # all of them before the first is printed, as one may fail
    explanations = [hit.explain() for hit in found] if explain else None
    if not json:
        output.hits(found, explanations)
    elif explanations is None:
        output.as_json([asdict(hit) for hit in found])
    else:
        pairs = zip(found, explanations, strict=True)
        output.as_json([asdict(hit) | {"explanation": why.to_dict()} for hit, why in pairs])


@app.command()
def pairs(
    collection: str,
    database: URL = None,
    threshold: Annotated[float, typer.Option(help="The least cosine of a pair.")] = 0.8,
    method: Annotated[
        PairMethod, typer.Option(help="exact: every pair; ann: nearly all; auto: exact where that takes half a minute.")
    ] = "auto",
    limit: Annotated[int | None, typer.Option(help="Only the so many most similar, best first.")] = None,
    json: JSON_LINES = False,
) -> None:
    """Show the pairs of rows that are similar, as they are found."""
    db = open_database(database)
    with output.progress("comparing") as on_progress:
        found = db.similar_pairs(collection, threshold, method=method, limit=limit, progress=on_progress)
        if json:
            output.pairs_json(found)
        else:
            output.pairs(found)


@app.command()
def encode(collection: str, query: str, database: URL = None) -> None:
    r"""Encode a query for psql: prints \set dense, tokens and encoder, arguments of the search function."""
    db = open_database(database)
    described = db.collection(collection)
    encoding = db.encode_query(described, query)
    tokens = ",".join(f'"{_vector(token)}"' for token in encoding.tokens)
    settings = {
        "dense": _vector(encoding.dense),
        "tokens": f"{{{tokens}}}",
        "encoder": dumps(dict(described.generation.encoder)),
    }
    for name, value in settings.items():
        # psql undoes these in a quoted argument
        quoted = value.replace("\\", "\\\\").replace("'", "''")
        print(f"\\set {name} '{quoted}'")


def _vector(values: Matrix) -> str:
    return "[" + ",".join(f"{value:.5g}" for value in values) + "]"


@app.command()
def status(database: URL = None, json: JSON = False) -> None:
    """Show the collections and the workers: models, rows, what is queued, in flight and failed."""
    db = open_database(database)
    states, workers = db.status(), db.workers()
    if json:
        output.as_json(
            {"collections": [asdict(each) for each in states], "workers": [asdict(each) for each in workers]}
        )
        return
    output.console.print(output.kernel(db.kernel()), soft_wrap=True)
    output.status(states, workers, {state.name: db.failed(state.name, limit=3) for state in states})


@app.command(name="eval")
def evaluate(
    directory: Annotated[Path, typer.Argument(metavar="BEIR_DIR", help="corpus.jsonl, queries.jsonl, qrels/.")],
    database: URL = None,
    model: MODEL = DEFAULT_MODEL,
    token_model: TOKEN_MODEL = None,
    tokens: Annotated[TokenType, typer.Option(help="How token vectors are stored.")] = "bit",
    chunking: Annotated[Chunking, typer.Option(help="truncate: one passage a document.")] = "default",
    candidates: Annotated[int, typer.Option(help="How many passages are recalled for MaxSim.")] = 100,
    stages: Annotated[str, typer.Option(help="Which stages, with commas between.")] = ",".join(STAGES),
    split: Annotated[str, typer.Option(help="Which judgements.")] = "test",
    json: JSON = False,
) -> None:
    """Measure retrieval quality and speed on a BEIR data set; the encoding is kept for the next run."""
    from pgencoder.evaluation import beir

    names = [stage.strip() for stage in stages.split(",")]
    chosen = [stage for stage in STAGES if stage in names]
    if unknown := set(names) - set(chosen):
        raise InvalidRequest(f"no stage {unknown.pop()!r}; the stages are {', '.join(STAGES)}")
    db = open_database(database)
    dataset = beir.read(directory, split)
    with output.progress("encoding") as on_sync, output.progress("searching", "queries") as on_query:
        report = beir.evaluate(
            db,
            dataset,
            model=model,
            token_model=token_model,
            tokens=tokens,
            chunking=chunking,
            candidates=candidates,
            stages=chosen,
            on_sync=on_sync,
            on_query=lambda _stage, done, total: on_query(done, total),
        )
    if json:
        output.as_json(report.as_json())
        return
    table = Table("stage", "nDCG@10", "recall@100", "p50 ms", "p95 ms", box=None)
    for name, result in report.stages.items():
        table.add_row(
            name, f"{result.ndcg:.4f}", f"{result.recall:.4f}", f"{result.p50_ms:.1f}", f"{result.p95_ms:.1f}"
        )
    output.console.print(
        f"{report.dataset}: {report.documents:,} documents, {report.passages:,} passages, {report.queries} queries,"
        f" {report.model}\ntokens {report.tokens}, chunking {report.chunking}, {report.candidates} candidates,"
        f" {report.bytes_per_passage:,} bytes a passage, kernel {report.kernel}, {report.scoring} scoring\n",
        soft_wrap=True,
    )
    output.console.print(table)


@native_app.command("build")
def native_build(database: URL = None, pg_config: PG_CONFIG = None) -> None:
    """Compile the extension for a server; needs a C compiler, make and the server's development files."""
    server = _server(database, pg_config)
    print(f"built for {server.version} in {native.build(server)}")


@native_app.command("install")
def native_install(
    database: URL = None,
    pg_config: PG_CONFIG = None,
    files_only: Annotated[bool, typer.Option("--files-only", help="Leave the database alone.")] = False,
) -> None:
    """Put the extension into the server's directories, create it in the database and switch to it."""
    server = _server(database, pg_config)
    if files_only:
        native.install(server)
        print(f"installed for {server.version} in {server.libraries}")
        return
    db = open_database(database)
    if (running := db.server_version()) != server.major:
        raise InvalidRequest(
            f"--pg-config is of {server.version}, but the server of the database is Postgres {running}"
        )
    native.install(server)
    print(f"installed for {server.version} in {server.libraries}")
    db.use_kernel("native")
    print(output.kernel(db.kernel()))


@native_app.command("status")
def native_status(database: URL = None, json: JSON = False) -> None:
    """Say which kernel a database uses, and why."""
    kernel = open_database(database).kernel()
    if json:
        output.as_json(asdict(kernel))
    else:
        print(output.kernel(kernel))


def _server(database: str | None, pg_config: Path | None) -> native.Server:
    if pg_config is not None:
        return native.find_server(pg_config)
    if database is None:
        return native.embedded_server()
    found = pgencoder.connect(database).pg_config()
    if found is None:
        raise NativeUnavailable(
            "cannot tell where the server of --database is installed: it does not run here, or only a superuser may"
            " ask; give its pg_config with --pg-config"
        )
    return native.named_server(found)
