"""The commands for the server: psql, its URL, and the native kernel."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import pgencoder
from pgencoder.cli import output
from pgencoder.cli.options import JSON, SERVER, URL, command, group, open_database
from pgencoder.errors import ConnectionFailed, InvalidRequest, MissingExtra, NativeUnavailable

if TYPE_CHECKING:
    from pgencoder import Database
    from pgencoder.kernel import native

KEEPER = "pgencoder keep"  # the application name of processes that only keep the server running
STAY_SECONDS = 60.0
LOOK_SECONDS = 0.5

native_app = group("native", SERVER, "The C extension that makes MaxSim fast; optional.")

PG_CONFIG = Annotated[
    Path | None,
    typer.Option(help="pg_config of the server; default: that of --database, else of the embedded server."),
]


@command(
    SERVER,
    "pgencoder psql",
    'pgencoder psql -c "SELECT count(*) FROM articles"',
    name="psql",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def run_psql(ctx: typer.Context, database: URL = None) -> None:
    """Run psql on the database; other options and arguments go to psql. The embedded server runs meanwhile."""
    db = _as_it_is(database)
    psql = _psql(embedded=database is None)
    url = db.engine.url.set(drivername="postgresql")
    environment = dict(os.environ)
    if (password := url.password or url.query.get("password")) is not None:
        environment["PGPASSWORD"] = str(password)  # other users of this machine could see arguments
    shown = url.set(password=None).difference_update_query(["password"])
    arguments = [psql, shown.render_as_string(), *ctx.args]
    # ^C is for psql, which then ends a query
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = subprocess.call(arguments, env=environment, preexec_fn=_heed_interrupts)  # noqa: S603
    finally:
        signal.signal(signal.SIGINT, before)
    db.close()
    raise typer.Exit(code)


def _as_it_is(url: str | None) -> Database:
    """Return the database without a migration: that may fail until the user has repaired something with SQL."""
    return pgencoder.connect(url) if url is not None else pgencoder.embedded()


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _psql(*, embedded: bool) -> str:
    """Return the path of psql: for the embedded server its own, else the one on the path if there is one."""
    if not embedded and (found := shutil.which("psql")):
        return found
    from pgencoder.db.embedded import program

    try:
        return str(program("psql"))
    except MissingExtra as error:
        raise MissingExtra("there is no psql here; install it (Debian: postgresql-client)") from error


@command(
    SERVER,
    'psql "$(pgencoder url)"',
    "pgencoder url --stay 3600",
)
def url(
    database: URL = None,
    stay: Annotated[
        float,
        typer.Option(min=0, help="Seconds that the embedded server stays up while no program is connected to it."),
    ] = STAY_SECONDS,
) -> None:
    """Print the URL of the database for other programs; the embedded server stays up for them."""
    db = _as_it_is(database)
    if database is None:
        _keep_up(stay)
    print(db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False))
    if database is None:
        output.warn(f"the embedded server stays up until no program has used it for {stay:g} seconds")


def _keep_up(seconds: float) -> None:
    """Start a process that keeps the embedded server running, and return when it is ready."""
    code = f"from pgencoder.cli.server import keep; keep({seconds!r})"
    # not with our stdout: a shell that captures it would wait until that process ends
    keeper = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "PGAPPNAME": KEEPER},
    )
    assert keeper.stdout is not None
    with keeper.stdout as news:
        if not news.readline():
            raise ConnectionFailed("cannot keep the embedded server running; use it while another pgencoder runs")


def keep(seconds: float) -> None:
    """Keep the embedded server running until no program has been connected to it for `seconds`."""
    with pgencoder.embedded() as db:
        print("up", flush=True)
        os.close(1)
        used = time.monotonic()
        while time.monotonic() - used < seconds:
            time.sleep(min(LOOK_SECONDS, seconds))
            if has_clients(db):
                used = time.monotonic()


def has_clients(db: Database) -> bool:
    """Return True if another program is connected to the server, other than those that keep it running."""
    from pgencoder.db.connection import connected
    from pgencoder.statements import query

    with connected(db.engine) as connection:  # which need not be migrated
        row = connection.execute(query("has_clients"), {"keeper": KEEPER}).fetchone()
    return row is not None and bool(row[0])


@command(SERVER, "pgencoder native build --pg-config /usr/lib/postgresql/18/bin/pg_config", name="build", to=native_app)
def native_build(database: URL = None, pg_config: PG_CONFIG = None) -> None:
    """Compile the extension for a server; this needs a C compiler, make and the server's development files."""
    from pgencoder.kernel import native

    server = _server(database, pg_config)
    output.say(f"built for {server.version} in {native.build(server)}")


@command(SERVER, "pgencoder native install", "pgencoder native install --files-only", name="install", to=native_app)
def native_install(
    database: URL = None,
    pg_config: PG_CONFIG = None,
    files_only: Annotated[bool, typer.Option("--files-only", help="Do not change the database.")] = False,
) -> None:
    """Copy the extension to the server's directories, create it in the database and switch to it."""
    from pgencoder.kernel import native

    server = _server(database, pg_config)
    if files_only:
        native.install(server)
        output.say(f"installed for {server.version} in {server.libraries}")
        return
    db = open_database(database)
    if (running := db.server_version()) != server.major:
        raise InvalidRequest(
            f"--pg-config is of {server.version}, but the server of the database is Postgres {running}"
        )
    native.install(server)
    output.say(f"installed for {server.version} in {server.libraries}")
    db.use_kernel("native")
    output.say(output.kernel(db.kernel()))


@command(SERVER, "pgencoder native status", name="status", to=native_app)
def native_status(database: URL = None, json: JSON = False) -> None:
    """Print which kernel a database uses, and why."""
    kernel = open_database(database).kernel()
    if json:
        output.as_json(asdict(kernel))
    else:
        output.say(output.kernel(kernel))


def _server(database: str | None, pg_config: Path | None) -> native.Server:
    from pgencoder.kernel import native

    if pg_config is not None:
        return native.find_server(pg_config)
    if database is None:
        return native.embedded_server()
    found = pgencoder.connect(database).pg_config()
    if found is None:
        raise NativeUnavailable(
            "cannot find the installation of the server of --database: it does not run on this machine, or only a"
            " superuser may ask; give its pg_config with --pg-config"
        )
    return native.named_server(found)
