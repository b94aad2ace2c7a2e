"""Docstrings, comments and documents keep to plain English, as far as a program can tell."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgencoder.statements import resources

ROOT = Path(__file__).parents[2]
PYTHON = [*ROOT.glob("pgencoder/**/*.py"), *ROOT.glob("migrations/**/*.py"), *ROOT.glob("bench/*.py")]
TEXTS = [
    *resources().glob("sql/**/*.sql"),
    *ROOT.glob("native/src/*.[ch]"),
    *ROOT.glob("native/sql/*.sql"),
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "Makefile", "docker/Dockerfile")),
]

# Phrases that are hard to read for people whose second language is English
PHRASES = re.compile(
    r"\banew\b|\bso many\b|\bone's own\b|\bof (?:its|their|our|your|his|my) own\b|\bis (?:not )?said to\b"
    r"|\bsuch as of\b|\bfor want of\b|\bwhatsoever\b|\bhitherto\b|\bthereof\b|\bthereby\b|\bwhereby\b"
    r"|^(?:Raised|Returned|Counted|Given|Made|Needed|Left out) (?:is|are)\b",
    re.IGNORECASE,
)
# A question word or a preposition, where a verb or a noun phrase says what a thing does or is
OPENINGS = {
    *("What", "Whatever", "Whether", "Where", "Which", "Who", "Whoever", "Whose", "How", "Why", "When", "While"),
    *("As", "Of", "In", "On", "At", "By", "For", "From", "With", "Without", "If", "That", "Those", "Same"),
}
# A function returns a thing and is none; a property is one
ARTICLES = {"The", "A", "An", "One", "So"}

Found = Iterator[tuple[int, str]]


def docstrings(tree: ast.Module) -> Iterator[tuple[ast.AST, int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node, node.body[0].lineno, text


def is_property(node: ast.AST) -> bool:
    decorators = [ast.unparse(each) for each in getattr(node, "decorator_list", [])]
    return any(each.endswith(("property", ".setter")) for each in decorators)


def openings(text: str) -> Found:
    for node, line, docstring in docstrings(ast.parse(text)):
        word = re.split(r"\W", docstring, maxsplit=1)[0]
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_property(node)
        wrong = OPENINGS if isinstance(node, ast.Module) else OPENINGS | ARTICLES if function else OPENINGS
        if word in wrong - ({"For"} if isinstance(node, ast.Module) else set()):
            yield line, f"begins with {word!r}: {docstring.splitlines()[0]}"


def prose(text: str) -> Found:
    """The docstrings and comments of a module."""
    for _, line, docstring in docstrings(ast.parse(text)):
        yield line, docstring
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")


def phrases(line: int, text: str) -> Found:
    for number, each in enumerate(text.splitlines(), line):
        if found := PHRASES.search(each.strip()):
            yield number, f"has {found[0]!r}: {each.strip()}"


def offences(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        found = [*openings(text), *(each for line, part in prose(text) for each in phrases(line, part))]
    else:
        found = list(phrases(1, text))
    return [f"{path.relative_to(ROOT)}:{line} {problem}" for line, problem in sorted(found)]


def test_plain_english() -> None:
    found = [each for path in sorted({*PYTHON, *TEXTS}) if path.exists() for each in offences(path)]
    assert not found, f"{len(found)} places:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('"""What it is."""', "begins with 'What'"),
        ('def f():\n    """The rows."""', "begins with 'The'"),
        ('class A:\n    """Whether it is."""', "begins with 'Whether'"),
        ("a = 1  # it is made anew", "has 'anew'"),
        ('"""A module.\n\nIt has a table of its own."""', "has 'of its own'"),
        ('"""A module.\n\nRaised is an error."""', "has 'Raised is'"),
    ],
)
def test_what_is_found(text: str, problem: str) -> None:
    found = [*openings(text), *(each for line, part in prose(text) for each in phrases(line, part))]
    assert [each for _, each in found if each.startswith(problem)], found


@pytest.mark.parametrize(
    "text",
    [
        '"""Reads rows."""',
        'class A:\n    """A row."""',
        'class A:\n    @property\n    def f(self):\n        """The rows."""',
        'def f():\n    """Return the rows."""',
    ],
)
def test_what_is_plain(text: str) -> None:
    assert not [*openings(text), *(each for line, part in prose(text) for each in phrases(line, part))]
