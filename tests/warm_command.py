"""The command `pgencoder` without the seconds in which it imports its libraries.

A process imports them once (`serve`). A small program stands for `pgencoder`: it hands over its arguments, environment,
folder and standard files (`ask`). The process forks, and the child runs the command.
"""

from __future__ import annotations

import json
import os
import socket
import sys

SIZE = 8  # bytes of a length
LIMIT = 300  # seconds after which a command is killed


def ask(path: str, arguments: list[str]) -> int:
    """Let the process that listens there run a command, and return its exit status."""
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(path)
        request = json.dumps([arguments, dict(os.environ), os.getcwd()]).encode()
        socket.send_fds(door, [len(request).to_bytes(SIZE, "big")], [0, 1, 2])
        door.sendall(request)
        return int(door.recv(SIZE))


def serve(path: str) -> None:
    """Listen, and return in each child that is to run a command, when it looks like the process that asked."""
    import signal

    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen()
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries the children
        while True:
            asker, _ = door.accept()
            if os.fork() == 0:
                break
            asker.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with asker:
        length, files, *_ = socket.recv_fds(asker, SIZE, 3)
        with asker.makefile("rb") as given:
            arguments, environment, folder = json.loads(given.read(int.from_bytes(length, "big")))
        if (child := os.fork()) != 0:
            _, status = os.waitpid(child, 0)
            code = os.waitstatus_to_exitcode(status)
            asker.sendall(str(code if code >= 0 else 128 - code).encode())
            os._exit(0)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w")
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace")
    signal.alarm(LIMIT)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["pgencoder", *arguments]


if __name__ == "__main__":
    if sys.argv[1] == "ask":
        sys.exit(ask(sys.argv[2], sys.argv[3:]))
    import gc

    import sentence_transformers  # noqa: F401  which takes most of the time

    from pgencoder import cli

    cli.application()
    gc.freeze()
    serve(sys.argv[2])
    cli.main()
