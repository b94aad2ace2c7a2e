"""Measure the structure of pgencoder's source: `python bench/structure.py [ROOT] [--json]`.

ROOT is a checkout, by default the one of this file. What counts as what:

- A module is a `.py` file below `pgencoder/`. Its lines are all its lines.
- A function is each `def`, also inside a class or a function; its lines go from `def` to the last line.
- Parameters are all kinds of them, without `self` and `cls`. Overloads do not count.
- A cycle is a set of modules that reach each other by imports at the top level. Imports in a function or below
  `if TYPE_CHECKING` do not count, nor that `import a.b` runs `a/__init__.py`.
- A name is defined twice if two modules have a public class or function of that name at the top level.
- An SQL literal is a string that begins with a statement in capitals (SELECT, INSERT, ...) and has a second SQL word.
  Adjacent strings, `+` and f-strings are one string, docstrings are none. It only composes if it is one line and
  nothing remains without its holes (`{}`), words in capitals and punctuation.
- A Python file names a representation if `dense` or `tokens` is a whole identifier in it (a variable, a parameter, an
  argument's name, an attribute, a function or class), or a whole word in a string that is no docstring. An SQL file
  does if one is a word outside comments. Counted are the files that name both, which are those that hold the list of
  representations, and the files that name any. Files below a folder `representations` may do so and do not count.
- Words are sought in Python, SQL and Markdown (but CHANGELOG.md) without regard to case.

`--walk` counts instead the rooms that three calls pass, see `walk.py`.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import median, quantiles
from typing import Any

PACKAGE = "pgencoder"
LONG_MODULE, LONG_FUNCTION, MANY_PARAMETERS, LONG_LITERAL = 400, 40, 6, 60
STATEMENT = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|WITH|SET|RESET|GRANT|REVOKE|COMMENT|LOCK|DO|CALL|VALUES|TRUNCATE"
    r"|MERGE|COPY|ANALYZE|VACUUM|REINDEX|BEGIN|COMMIT|SAVEPOINT|EXPLAIN|DECLARE|FETCH|LISTEN|NOTIFY)\b"
)
SQL_WORD = re.compile(
    r"\b(FROM|INTO|WHERE|TABLE|INDEX|FUNCTION|TRIGGER|POLICY|VIEW|SCHEMA|EXTENSION|DATABASE|ROLE|SET|SELECT|AS|ON|TO|ALL"
    r"|VALUES|UPDATE|IF|EXISTS|IN|MODE|EXECUTE|BEGIN|LIMIT|ORDER|JOIN|NULL|AND|OR|NOT|OPERATOR|ONLY|COLUMN|CASCADE)\b"
)
REPRESENTATIONS = {"dense", "tokens"}
OPENING = re.compile(r"(What|Whether|Where)\b")
WORDS = ("anew", "so many", "of one's own", "of its own")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A file of the package."""

    path: str
    name: str
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """The number of lines."""
        return len(self.text.splitlines())

    def functions(self) -> Iterator[Function]:
        """Every `def` in it."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))


def modules(root: Path) -> list[Module]:
    """Return the modules of a checkout."""
    found = []
    for path in sorted((root / PACKAGE).rglob("*.py")):
        relative = path.relative_to(root)
        if "_resources" not in relative.parts:
            name = ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
            text = path.read_text()
            found.append(Module(str(relative), name, text, ast.parse(text)))
    return found


def parameters(function: Function) -> int:
    """Return the number of parameters of a function, without `self` and `cls`."""
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return sum(each is not None and each.arg not in ("self", "cls") for each in named)


def is_overload(function: Function) -> bool:
    """Tell whether a function only gives types."""
    return any("overload" in ast.unparse(decorator) for decorator in function.decorator_list)


def imported(module: Module, names: set[str]) -> set[str]:
    """Return the modules that a module imports at its top level."""
    found = set()
    waiting: list[ast.AST] = list(module.tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module.name if module.path.endswith("__init__.py") else module.name.rpartition(".")[0]
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *([base] if base else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                found.add(inner if inner in names else base)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        elif not isinstance(node, Function | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return (found & names) - {module.name}


def cycles(all_modules: list[Module]) -> list[list[str]]:
    """Return the sets of modules that reach each other."""
    names = {module.name for module in all_modules}
    direct = {module.name: imported(module, names) for module in all_modules}
    reached: dict[str, set[str]] = {}
    for name in names:
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            new = direct[waiting.pop()] - seen
            seen |= new
            waiting += new
        reached[name] = seen
    found = {
        frozenset(other for other in reached[name] if name in reached[other]) for name in names if name in reached[name]
    }
    return sorted(sorted(each) for each in found)


def defined_twice(all_modules: list[Module]) -> dict[str, list[str]]:
    """Return the public names that more than one module defines, with these."""
    places: dict[str, set[str]] = defaultdict(set)
    for module in all_modules:
        for node in module.tree.body:
            if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].add(module.name)
    return {name: sorted(places[name]) for name in sorted(places) if len(places[name]) > 1}


def docstrings(tree: ast.Module) -> dict[int, str]:
    """Return the docstrings by the ids of their nodes; what attributes have below them is one too."""
    found = {}
    for node in ast.walk(tree):
        for each in getattr(node, "body", ()) if not isinstance(node, ast.Lambda | ast.IfExp) else ():
            if (
                isinstance(each, ast.Expr)
                and isinstance(each.value, ast.Constant)
                and isinstance(each.value.value, str)
            ):
                found[id(each.value)] = each.value.value
    return found


def whole(node: ast.AST) -> str | None:
    """Return the text of a string, an f-string or a sum of them, with {} for the holes; None if it is not a string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(whole(part) or "{}" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = (whole(node.left), whole(node.right))
        return None if sides == (None, None) else "".join("{}" if side is None else side for side in sides)
    return None


def strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the strings of a module with their lines, without docstrings."""
    skip = docstrings(tree)
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        text = None if id(node) in skip else whole(node)
        if text is not None:
            yield getattr(node, "lineno", 0), text
        if text is None or isinstance(node, ast.BinOp):
            inner = ast.iter_child_nodes(node)
            waiting += (each for each in inner if text is None or whole(each) is None)


def only_composes(text: str) -> bool:
    """Tell whether a statement is one line of key words around names that are put in."""
    rest = re.sub(r"\{\w*\}|%s|\b[A-Z]+\b|[\s(),.;*=]", "", text)
    return "{" in text and "\n" not in text and not rest


def sql_literals(all_modules: list[Module]) -> list[tuple[str, str, bool]]:
    """Return the SQL in Python: its place, its text and whether it only composes."""
    found = []
    for module in all_modules:
        for line, text in strings(module.tree):
            start = STATEMENT.match(text)
            if start and SQL_WORD.search(text, start.end()):
                found.append((f"{module.path}:{line}", text, only_composes(text)))
    return sorted(found)


def named(module: Module) -> set[str]:
    """Return the representations that a module names."""
    words = set(chain.from_iterable(re.findall(r"\w+", text) for _, text in strings(module.tree)))
    for node in ast.walk(module.tree):
        words |= {getattr(node, field) for field in ("id", "arg", "attr", "name") if hasattr(node, field)}
    return REPRESENTATIONS & words


def named_in_sql(path: Path) -> set[str]:
    """Return the representations that an SQL file names."""
    return REPRESENTATIONS & set(re.findall(r"\w+", re.sub(r"--.*", "", path.read_text())))


def naming(root: Path, every: list[Module]) -> dict[str, list[str]]:
    """Return the files outside their room that name both representations, or any of them."""
    files = {
        "Python": [(module.path, named(module)) for module in every],
        "SQL": [(str(path.relative_to(root)), named_in_sql(path)) for path in sorted((root / "sql").rglob("*.sql"))],
    }
    outside = {
        kind: [(path, words) for path, words in found if "representations" not in Path(path).parts]
        for kind, found in files.items()
    }
    return {
        f"{kind} files that name {which} dense {word} tokens": [path for path, words in found if len(words) >= least]
        for which, word, least in (("both", "and", 2), ("any of", "or", 1))
        for kind, found in outside.items()
    }


def plain_english(root: Path, all_modules: list[Module]) -> dict[str, list[str]]:
    """Return the docstrings that begin with a question word, and the places of words to avoid."""
    found: dict[str, list[str]] = {"docstrings that begin with What, Whether or Where": []}
    for module in all_modules:
        starts = (text.strip().split("\n")[0] for text in docstrings(module.tree).values())
        found["docstrings that begin with What, Whether or Where"] += [
            f"{module.path}: {start}" for start in starts if OPENING.match(start)
        ]
    prose = [path for path in (*root.glob("*.md"), *(root / "docs").rglob("*.md")) if path.name != "CHANGELOG.md"]
    files = [*(root / module.path for module in all_modules), *sorted((root / "sql").rglob("*.sql")), *sorted(prose)]
    for word in WORDS:
        pattern = re.compile(r"\b" + r"\s+".join(map(re.escape, word.split())) + r"\b", re.I)
        found[f'"{word}"'] = [str(path.relative_to(root)) for path in files for _ in pattern.findall(path.read_text())]
    return found


def measure(root: Path) -> dict[str, Any]:
    """All figures of a checkout: a number, or a list of what is counted."""
    every = modules(root)
    longest = max(every, key=lambda module: module.lines)
    lengths = sorted(
        ((node.end_lineno or 0) - node.lineno + 1, f"{module.path}:{node.lineno} {node.name}")
        for module in every
        for node in module.functions()
    )
    numbers = [length for length, _ in lengths]
    literals = sql_literals(every)
    return {
        "modules": len(every),
        "lines": sum(module.lines for module in every),
        "median module": median(module.lines for module in every),
        "longest module": f"{longest.lines} ({longest.path})",
        f"modules over {LONG_MODULE} lines": [f"{m.path}: {m.lines}" for m in every if m.lines > LONG_MODULE],
        "functions": len(lengths),
        "function median / p95 / max": f"{median(numbers):.0f} / {quantiles(numbers, n=20)[-1]:.0f} / {numbers[-1]}",
        f"functions over {LONG_FUNCTION} lines": [f"{at}: {n}" for n, at in reversed(lengths) if n > LONG_FUNCTION],
        f"functions with over {MANY_PARAMETERS} parameters": [
            f"{module.path}:{node.lineno} {node.name}: {parameters(node)}"
            for module in every
            for node in module.functions()
            if parameters(node) > MANY_PARAMETERS and not is_overload(node)
        ],
        "import cycles": [", ".join(each) for each in cycles(every)],
        "names defined twice": [f"{name}: {', '.join(places)}" for name, places in defined_twice(every).items()],
        "SQL literals": len(literals),
        f"SQL literals over {LONG_LITERAL} characters that do more than compose": [
            f"{place} {' '.join(text.split())[:80]}"
            for place, text, composes in literals
            if len(text) > LONG_LITERAL and not composes
        ],
        **naming(root, every),
        **plain_english(root, every),
    }


def show(figures: dict[str, Any]) -> None:
    """Print a table of the figures, then what each list counts."""
    width = max(map(len, figures))
    for name, value in figures.items():
        print(f"{name:<{width}}  {len(value) if isinstance(value, list) else value}")
    for name, value in figures.items():
        if isinstance(value, list) and value:
            print(f"\n{name}:", *value, sep="\n    ")


def main() -> None:
    """Run the script."""
    parser = ArgumentParser(description="Measure the structure of pgencoder's source.")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parent.parent)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--walk", action="store_true", help="count the rooms that calls pass")
    given = parser.parse_args()
    root = given.root.resolve()
    if given.walk:
        from walk import walk

        figures = walk(root)
    else:
        figures = measure(root)
    if given.json:
        json.dump(figures, sys.stdout, indent=2)
    else:
        show(figures)


if __name__ == "__main__":
    main()
