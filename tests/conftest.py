"""Load the plugins that hold the fixtures: the modules `fix_*.py` of this folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# set before anything imports the hub's client: no test may look for a model outside
os.environ.setdefault("HF_HUB_OFFLINE", "1")

_MODULES = sorted({f"tests.{path.stem}" for path in Path(__file__).parent.glob("[a-z]*")} - {__name__})
# an assert in a helper shows the values that it compares
pytest.register_assert_rewrite(*_MODULES)

pytest_plugins = [name for name in _MODULES if name.startswith("tests.fix_")]
