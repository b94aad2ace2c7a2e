"""Start a pgbouncer in front of the tests' server."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connections import Connection
from tests.fix_server import HOME

POOL = 3


# Round robin instead of the connection used last, so that a session's state is lost at once and not by chance; the
# timeouts turn what would wait for ever into a failure
CONFIG = """
[databases]
* = host={server} user={role}
[pgbouncer]
unix_socket_dir = {directory}
listen_port = 6432
auth_type = any
pool_mode = transaction
default_pool_size = {pool}
server_round_robin = 1
query_wait_timeout = 30
query_timeout = 60
log_connections = 0
log_disconnections = 0
log_stats = 0
"""


@pytest.fixture
def pooler(connection: Connection, pytestconfig: pytest.Config) -> Iterator[Path]:
    """The directory of the socket of a pgbouncer in front of the tests' server."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin")
    if program is None:
        pytest.skip("there is no pgbouncer; install it (Debian: pgbouncer)")
    server = Path(connection.info.host)
    # not in tmp_path, which only its owner can enter; a socket's path must also be short
    with tempfile.TemporaryDirectory(prefix="pgencoder-pooler-") as name:
        directory = Path(name)
        config = directory / "pgbouncer.ini"
        config.write_text(CONFIG.format(server=server, role=connection.info.user, directory=directory, pool=POOL))
        command = [program, str(config)]
        if os.geteuid() == 0:
            # it refuses to run as root, and only the server's own user may enter the directory of its socket
            user = server.owner() if server.owner() != "root" else "nobody"
            command[1:1] = ["-u", user]
            shutil.chown(directory, user)
            home = pytestconfig.stash[HOME]
            home.chmod(0o711)  # the account of the pooler passes through to the socket, which lets it in by this:
            idents = home / "data" / "pg_ident.conf"
            if f'"{user}"' not in (text := idents.read_text()):
                idents.write_text(f'{text}\npgencoder "{user}" all\n')
                connection.execute("SELECT pg_reload_conf()")
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stderr is not None
                said = []
                for line in process.stderr:
                    said.append(line)
                    if "process up" in line:
                        break
                else:
                    pytest.fail("pgbouncer did not start:\n" + "".join(said))
                yield directory
            finally:
                process.terminate()
