"""The commands that need no database start at once: they load no driver, no SQLAlchemy and no model."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pgencoder

HEAVY = ("sqlalchemy", "psycopg", "alembic", "torch", "transformers", "sentence_transformers", "scipy")


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_nothing_heavy_is_loaded(argument: str) -> None:
    program = (
        "import sys\n"
        "from pgencoder.cli import main\n"
        f"sys.argv = ['pgencoder', {argument!r}]\n"
        "try:\n    main()\nexcept SystemExit as done:\n    assert not done.code\n"
        f"print('loaded', sorted(set({HEAVY!r}) & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded []", done.stderr


def test_every_public_name_is_found() -> None:
    for name in pgencoder.__all__:
        assert getattr(pgencoder, name) is not None, name
        assert name in dir(pgencoder)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(pgencoder, "nothing")  # noqa: B009
