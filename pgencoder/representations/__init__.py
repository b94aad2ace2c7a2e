"""The representations of a passage: how each is stored, indexed, recalled and scored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pgencoder.representations.base import Representation
from pgencoder.representations.dense import DenseVectors
from pgencoder.representations.lexical import Lexical
from pgencoder.representations.sparse import Sparse
from pgencoder.representations.tokens import BitTokens, HalfvecTokens
from pgencoder.representations.unknown import Unknown, check_known
from pgencoder.types import Dims, TokenType

__all__ = [
    "OF_ENCODER",
    "Lexical",
    "Representation",
    "Sparse",
    "beside",
    "check_known",
    "described",
    "in_order",
    "made",
    "of_encoder",
    "register",
]

R = TypeVar("R", bound=type[Representation])

# The names of those that hold the vectors of an encoder
OF_ENCODER = ("dense", "tokens", "sparse")

_kinds: dict[str, type[Representation]] = {}


def register(kind: R) -> R:
    """Let rows of the catalogue that have this kind become objects of the class."""
    _kinds[kind.kind] = kind
    return kind


for _kind in (DenseVectors, BitTokens, HalfvecTokens, Lexical, Sparse):
    register(_kind)


def made(rows: Iterable[Mapping[str, Any]]) -> tuple[Representation, ...]:
    """Return the representations of rows of the catalogue, by name; one of an unknown kind is `Unknown`."""
    return in_order(_made(**row) for row in rows)


def described(representations: Iterable[Representation]) -> list[dict[str, Any]]:
    """Return the rows of the catalogue, as JSON can hold them."""
    return [
        {
            "name": each.name,
            "kind": each.kind,
            "dims": each.dims,
            "indexed": each.indexed,
            "options": dict(each.options),
        }
        for each in representations
    ]


def of_encoder(dims: Dims, tokens: TokenType, pooling: int = 1) -> tuple[Representation, ...]:
    """Return what is stored of the vectors of an encoder that has these dimensions; `pooling` is of the tokens."""
    for_dense, for_tokens, for_sparse = OF_ENCODER
    made: list[Representation] = []
    if dims.dense:
        made.append(DenseVectors(for_dense, dims.dense))
    if tokens != "none":
        made.append((BitTokens if tokens == "bit" else HalfvecTokens)(for_tokens, dims.tokens, pooling))
    if dims.sparse:
        made.append(Sparse(for_sparse, dims.sparse))
    return tuple(made)


def beside(representations: Iterable[Representation]) -> tuple[Representation, ...]:
    """Return those that are not of the vectors of an encoder."""
    return tuple(each for each in representations if each.name not in OF_ENCODER)


def in_order(representations: Iterable[Representation]) -> tuple[Representation, ...]:
    """Return them in the order of their names, which is that of the columns."""
    return tuple(sorted(representations, key=lambda each: each.name))


def _made(name: str, kind: str, dims: int, options: Mapping[str, Any]) -> Representation:
    if kind not in _kinds:
        return Unknown(name, dims, kind)
    return _kinds[kind](name, dims, **options)
