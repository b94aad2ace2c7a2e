"""Tests stand alone: what two of them share is in a plugin (`fix_*.py`) or in a plain module."""

from __future__ import annotations

import ast
from pathlib import Path

HERE = Path(__file__).parent
MODULES = sorted(HERE.rglob("*.py"))


def imported(source: str) -> set[str]:
    """The modules that a text imports, or may: `from a import b` gives a and a.b."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names |= {base, *(f"{base}.{each.name}" for each in node.names)}
    return names


def of_tests(names: set[str]) -> list[str]:
    """Those that are test modules, or hold nothing but a room's set-up."""
    return sorted(name for name in names if name.rpartition(".")[2].startswith("test_") or name.endswith("conftest"))


def test_a_test_module_that_is_imported_is_seen() -> None:
    for line in ("import tests.search.test_pairs", "from tests.search.test_pairs import x", "from . import test_pairs"):
        assert of_tests(imported(line)), line
    assert of_tests(imported("from tests.conftest import x"))
    assert not of_tests(imported("from tests.encoder import WordEncoder"))


def test_nothing_imports_a_test_module() -> None:
    found = {str(module.relative_to(HERE)): of_tests(imported(module.read_text())) for module in MODULES}
    assert {name: modules for name, modules in found.items() if modules} == {}


def test_fixtures_that_tests_share_are_in_plugins() -> None:
    for module in MODULES:
        if not module.name.startswith(("test_", "fix_")):
            assert "@pytest.fixture" not in module.read_text(), module
