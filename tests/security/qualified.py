"""Finds in SQL what Postgres would look up by the search path: a parser's tree is walked, bodies of functions too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product, zip_longest
from typing import Any

import pglast
from pglast import ast, enums
from psycopg import sql

# Kinds of expressions whose operator is found by the path, and cannot be qualified
HIDDEN = {
    enums.A_Expr_Kind.AEXPR_DISTINCT: "IS DISTINCT FROM",
    enums.A_Expr_Kind.AEXPR_NOT_DISTINCT: "IS NOT DISTINCT FROM",
    enums.A_Expr_Kind.AEXPR_NULLIF: "NULLIF",
    enums.A_Expr_Kind.AEXPR_IN: "IN (...)",
    enums.A_Expr_Kind.AEXPR_LIKE: "LIKE",
    enums.A_Expr_Kind.AEXPR_ILIKE: "ILIKE",
    enums.A_Expr_Kind.AEXPR_SIMILAR: "SIMILAR TO",
    enums.A_Expr_Kind.AEXPR_BETWEEN: "BETWEEN",
    enums.A_Expr_Kind.AEXPR_NOT_BETWEEN: "NOT BETWEEN",
    enums.A_Expr_Kind.AEXPR_BETWEEN_SYM: "BETWEEN SYMMETRIC",
    enums.A_Expr_Kind.AEXPR_NOT_BETWEEN_SYM: "NOT BETWEEN SYMMETRIC",
}
# Types that are no schema's: pseudo-types of the grammar of plpgsql and of functions
WITHOUT_SCHEMA = {"record"}
# The tables of changed rows, which only the functions of our triggers see
TRANSITION = {"new_rows", "old_rows"}
# Kinds of objects that are in a schema, of those that COMMENT, DROP and GRANT name
IN_A_SCHEMA = {
    enums.ObjectType.OBJECT_TABLE,
    enums.ObjectType.OBJECT_VIEW,
    enums.ObjectType.OBJECT_SEQUENCE,
    enums.ObjectType.OBJECT_COLUMN,
    enums.ObjectType.OBJECT_INDEX,
    enums.ObjectType.OBJECT_TYPE,
}
VERBS = re.compile(
    r"(?:\s|--[^\n]*\n)*(SELECT|WITH|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|COMMENT|GRANT|REVOKE|COPY|DO|LOCK|TRUNCATE)\s",
    re.I,
)
# What `format` fills in: names, literals, and SQL, which may be anything
FORMAT = re.compile(r"%(?:\d+\$)?([ILs])")
FILLINGS = ("hole.hole", "1", "(hole)")
# What stands in a text that is put together where it runs, for the variables that are known only there
LATE = {
    "keys": "SELECT 1",
    "queues": "queue AS (SELECT 1)",
    "wanted": "true",
    "relation": "hole.hole",
    "full_types": "int",
    "collations": "hole.hole",
}
# What may hold anything in a body: comments, strings and bodies of others
LITERAL = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$", re.S)
DECLARATIONS = re.compile(r"(?:\s|\0\d+\0)*DECLARE\b(.*?)\bBEGIN\b", re.S | re.I)
DECLARED = re.compile(r"\s*(\w+)\s+((?:CONSTANT\s+)?)([^:=]+?)(?=\s*(?::=|\bDEFAULT\b|\bNOT NULL\b|$))", re.S | re.I)


@dataclass(frozen=True)
class Offence:
    """A name that the search path decides on, and the statement that it is in."""

    name: str
    statement: str

    def __str__(self) -> str:
        return f"{self.name}  in: {' '.join(self.statement.split())[:160]}"


def offences(text: str, *, pinned: bool = False) -> list[Offence]:
    """All of them in a script; where the path is `pinned`, operators that cannot be qualified are none."""
    statements = pglast.parse_sql(text)
    encoded = text.encode()
    found = []
    for raw in statements:
        end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(encoded)
        own = encoded[raw.stmt_location : end].decode()
        found += [Offence(name, own) for name in _Walk(pinned).statement(raw.stmt)]
    return found


@dataclass(frozen=True)
class Signature:
    """The names that the body of a function knows: the names of its arguments and results, and what it returns."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    returns: str = "void"
    several: bool = False

    def head(self) -> str:
        """The function with plain types: the parser of bodies knows only those of pg_catalog."""
        # only what returns rows may have results and RETURN nothing
        inputs, outputs = (self.inputs, self.outputs) if self.several else (self.inputs + self.outputs, ())
        names = [f'"{name}" text' for name in inputs] + [f'OUT "{name}" text' for name in outputs]
        returns = self.returns if self.returns in ("void", "trigger") else "void" if self.outputs else "text"
        if self.several:
            returns = "SETOF record" if len(outputs) > 1 else "SETOF text"
        return f"CREATE FUNCTION f({', '.join(names)}) RETURNS {returns} LANGUAGE plpgsql AS "


def body_offences(body: str, language: str, signature: Signature, *, pinned: bool = False) -> list[Offence]:
    """All of them in the body of a stored function."""
    walk = _Walk(pinned)
    names = walk.plpgsql(body, signature) if language == "plpgsql" else walk.script(body)
    return [Offence(name, body) for name in names]


class _Walk:
    def __init__(self, pinned: bool) -> None:
        self._pinned = pinned
        self._ctes: set[str] = set()

    def script(self, text: str) -> Iterator[str]:
        for raw in pglast.parse_sql(text):
            yield from _Walk(self._pinned).statement(raw.stmt)

    def statement(self, tree: ast.Node) -> Iterator[str]:
        self._ctes = {each.ctename for each in _nodes(tree) if isinstance(each, ast.CommonTableExpr)}
        for each in _nodes(tree):  # what FOR UPDATE OF names, which the statement has an alias for
            if isinstance(each, ast.LockingClause):
                self._ctes |= {relation.relname for relation in each.lockedRels or ()}
        for node in _nodes(tree):
            yield from self._own(node)
            yield from self._nested(node)

    def _own(self, node: ast.Node) -> Iterator[str]:
        match node:
            case ast.FuncCall() if len(node.funcname) == 1:
                yield f"function {node.funcname[0].sval}"
            case ast.A_Expr():
                yield from self._operator(node)
            case ast.SubLink() if node.testexpr is not None and (node.operName is None or len(node.operName) == 1):
                if node.operName is not None:
                    yield f"operator {node.operName[0].sval}"
                elif not self._pinned:
                    yield "IN (SELECT ...)"
            case ast.CaseExpr() if node.arg is not None and not self._pinned:
                yield "CASE x WHEN"
            case ast.JoinExpr() if (node.usingClause or node.isNatural) and not self._pinned:
                yield "JOIN ... USING"
            case ast.TypeName() if node.names and len(node.names) == 1 and node.names[0].sval not in WITHOUT_SCHEMA:
                yield f"type {node.names[0].sval}"
            case ast.RangeVar() if node.schemaname is None and node.relname not in self._ctes | TRANSITION:
                yield f"table {node.relname}"
            case ast.CollateClause() if len(node.collname) == 1:
                yield f"collation {node.collname[0].sval}"
            case ast.IndexElem() if node.opclass is not None and len(node.opclass) == 1:
                yield f"operator class {node.opclass[0].sval}"
            case ast.SortBy() if node.useOp is not None and len(node.useOp) == 1:
                yield f"operator {node.useOp[0].sval}"
            case ast.ObjectWithArgs() if len(node.objname) == 1:
                yield f"function {node.objname[0].sval}"
            case ast.CreateTrigStmt() | ast.CreateFunctionStmt() if len(node.funcname) == 1:
                yield f"function {node.funcname[0].sval}"
            case ast.CommentStmt() if node.objtype in IN_A_SCHEMA:
                yield from _object(node.objtype, node.object)
            case ast.DropStmt() if node.removeType in IN_A_SCHEMA:
                for each in node.objects:
                    yield from _object(node.removeType, each)

    def _operator(self, node: ast.A_Expr) -> Iterator[str]:
        if node.kind in HIDDEN:
            if not self._pinned:
                yield HIDDEN[node.kind]
        elif len(node.name) == 1:
            yield f"operator {node.name[0].sval}"

    def _nested(self, node: ast.Node) -> Iterator[str]:
        """Look into the strings of a statement: bodies, and names that are looked up when it runs."""
        match node:
            case ast.DoStmt():
                options = {each.defname: each.arg for each in node.args}
                yield from self.plpgsql(options["as"].sval, Signature())
            case ast.CreateFunctionStmt():
                options = {each.defname: each.arg for each in node.options or ()}
                sets = [each.arg for each in node.options or () if each.defname == "set"]
                inner = _Walk(self._pinned or any(map(_pins, sets)))
                body = options["as"][0].sval if "as" in options else None
                if body is not None and options["language"].sval == "plpgsql":
                    yield from inner.plpgsql(body, _signature(node))
                elif body is not None and options["language"].sval == "sql":
                    yield from inner.script(body)
            case ast.TypeCast(arg=ast.A_Const(val=ast.String())) if node.typeName.names[-1].sval.startswith("reg"):
                if "." not in node.arg.val.sval and node.typeName.names[-1].sval != "regnamespace":
                    yield f"the name {node.arg.val.sval!r}"
            case ast.FuncCall() if node.funcname[-1].sval in ("nextval", "to_regclass"):
                first = node.args[0]
                if isinstance(first, ast.A_Const) and "." not in first.val.sval:
                    yield f"the name {first.val.sval!r}"

    def plpgsql(self, body: str, signature: Signature) -> Iterator[str]:
        """Look into the declarations and expressions of a body."""
        hidden: list[str] = []
        masked = LITERAL.sub(lambda found: f"\0{hidden.append(found[0]) or len(hidden) - 1}\0", body)  # type: ignore[func-returns-value]
        declared = DECLARATIONS.match(masked)
        if declared is not None:
            statements = [each for each in declared[1].split(";") if each.strip()]
            for each in statements:
                yield from self._type(re.sub(r"\0\d+\0", "", each))
            known = ";".join(map(_with_known_type, statements)) + ";\n"
            masked = masked[: declared.start(1)] + known + masked[declared.end(1) :]
        shown = re.sub(r"\0(\d+)\0", lambda found: hidden[int(found[1])], masked)
        tag = next(tag for tag in (f"$body{n}$" for n in range(9)) if tag not in shown)
        tree = pglast.parse_plpgsql(f"{signature.head()}{tag}{shown}{tag}")
        for expression in _expressions(tree):
            for raw in pglast.parse_sql(expression):
                walk = _Walk(self._pinned)
                yield from walk.statement(raw.stmt)
                for text in _texts(raw.stmt):
                    yield from walk._dynamic(text)

    def _dynamic(self, text: str) -> Iterator[str]:
        """Look into a string that a body executes."""
        if not VERBS.match(text):
            return
        parts = FORMAT.split(text)
        holes = parts[1::2]
        choices = [{"I": ("hole",), "L": ("'hole'",), "s": FILLINGS}[kind] for kind in holes]
        for chosen in islice(product(*choices, ["", " hole.hole", " (hole)"]), 10_000):
            filled = "".join(x for pair in zip_longest(parts[::2], chosen, fillvalue="") for x in pair)
            try:
                tree = pglast.parse_sql(filled)
            except pglast.parser.ParseError:
                continue
            for raw in tree:
                for name in _Walk(self._pinned).statement(raw.stmt):
                    if "hole" not in name:
                        yield name
            return
        yield f"a text that is no statement: {text}"

    def _type(self, declaration: str) -> Iterator[str]:
        found = DECLARED.match(declaration)
        if found and not found[3].upper().startswith(("CURSOR", "ALIAS")) and "%" not in found[3]:
            yield from self.script(f"SELECT NULL::{found[3].strip()}")


def _texts(tree: Any) -> Iterator[str]:
    """The texts in an expression: literals, and what is put together of them."""
    if _is_text(tree):
        yield _text(tree)
    elif isinstance(tree, ast.Node):
        for name in tree.__slots__:
            yield from _texts(getattr(tree, name))
    elif isinstance(tree, tuple | list):
        for each in tree:
            yield from _texts(each)


def _is_text(tree: Any) -> bool:
    if isinstance(tree, ast.FuncCall):
        return tree.funcname[-1].sval in ("concat", "quote_literal")
    if isinstance(tree, ast.A_Expr):
        return bool(tree.name[-1].sval == "||")
    return isinstance(tree, ast.A_Const) and isinstance(tree.val, ast.String)


def _text(tree: Any) -> str:
    """Return what an expression may give, with something that fits for what is no literal."""
    match tree:
        case ast.A_Const(val=ast.String()):
            return str(tree.val.sval)
        case ast.A_Expr() if tree.name[-1].sval == "||":
            return _text(tree.lexpr) + _text(tree.rexpr)
        case ast.FuncCall() if tree.funcname[-1].sval == "concat":
            return "".join(map(_text, tree.args))
        case ast.FuncCall() if tree.funcname[-1].sval == "quote_literal":
            return sql.Literal(_text(tree.args[0])).as_string()
        case ast.SubLink():
            return ""
        case ast.FuncCall() if tree.funcname[-1].sval == "quote_ident":
            return "hole"
    names = (each.fields[0].sval for each in _nodes(tree) if isinstance(each, ast.ColumnRef))
    return next((LATE[name] for name in names if name in LATE), "1")


def _with_known_type(declaration: str) -> str:
    """The declaration, of a type that the parser of bodies knows: it has only those of pg_catalog."""
    found = DECLARED.match(re.sub(r"\0\d+\0", lambda literal: " " * len(literal[0]), declaration))
    if found is None or not re.match(r'(?!pg_catalog\.)[\w"]+\.|pg_catalog\.pg_', found[3]):
        return declaration
    return f"{declaration[: found.start(3)]}record{declaration[found.end(3) :]}"


def _nodes(tree: Any) -> Iterator[ast.Node]:
    if isinstance(tree, ast.Node):
        yield tree
        for name in tree.__slots__:
            yield from _nodes(getattr(tree, name))
    elif isinstance(tree, tuple | list):
        for each in tree:
            yield from _nodes(each)


def _expressions(tree: Any) -> Iterator[str]:
    """The SQL in the tree of a body, each as a statement."""
    if isinstance(tree, list):
        for each in tree:
            yield from _expressions(each)
    elif isinstance(tree, dict):
        for name, each in tree.items():
            if name != "PLpgSQL_expr":
                yield from _expressions(each)
            elif each.get("parseMode", 0) == 0:
                yield each["query"]
            else:
                text = each["query"]
                # a CASE of plpgsql compares by IN, and an assignment names its target first
                yield "SELECT " + (text.partition(":=")[2] if each["parseMode"] >= 3 else text)


def _object(kind: Any, name: Any) -> Iterator[str]:
    parts = name.names if isinstance(name, ast.TypeName) else name
    if len(parts) < (3 if kind == enums.ObjectType.OBJECT_COLUMN else 2):
        yield f"object {'.'.join(each.sval for each in parts)}"


def _signature(node: ast.CreateFunctionStmt) -> Signature:
    parameters = node.parameters or ()
    inputs = tuple(each.name for each in parameters if each.name and each.mode.value in "div")
    outputs = tuple(each.name for each in parameters if each.name and each.mode.value in "ot")
    returns = node.returnType.names[-1].sval if node.returnType else "record"
    return Signature(inputs, outputs, returns, bool(node.returnType and node.returnType.setof))


def _pins(setting: Any) -> bool:
    if setting.name != "search_path" or not setting.args:
        return False
    return bool(setting.args[0].val.sval == "pg_catalog")
