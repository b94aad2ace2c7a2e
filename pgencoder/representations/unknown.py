"""A stand-in for a representation whose class this process does not have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NoReturn

from pgencoder.errors import UnknownRepresentation
from pgencoder.representations.base import Measure, Representation
from pgencoder.statements import Part
from pgencoder.types import Encoding


@dataclass(frozen=True)
class Unknown(Representation):
    """A representation of the kind `stored_kind`, which nothing here has registered.

    Its collection can be shown and detached, but not encoded, searched or changed.
    """

    kind: ClassVar[str] = "unknown"
    stored_kind: str

    def refuse(self) -> NoReturn:
        """Raise UnknownRepresentation."""
        raise UnknownRepresentation(
            f"this process knows no representation of the kind {self.stored_kind!r}; import the module that registers"
            " it, or use the version of pgencoder that has it"
        )

    @property
    def indexed(self) -> bool:
        """Tell that nothing here can build its index."""
        return False

    @property
    def measure(self) -> Measure:
        """Raise UnknownRepresentation."""
        self.refuse()

    def column_type(self, vector: Part) -> Part:  # noqa: ARG002
        """Raise UnknownRepresentation."""
        self.refuse()

    def index(self, vector: Part) -> Part | None:  # noqa: ARG002
        """Raise UnknownRepresentation."""
        self.refuse()

    def pack(self, encoding: Encoding, content: str, halfvec_oid: int) -> tuple[bytes, ...]:  # noqa: ARG002
        """Raise UnknownRepresentation."""
        self.refuse()

    def size(self, tokens: int) -> int:  # noqa: ARG002
        """Raise UnknownRepresentation."""
        self.refuse()


def check_known(representations: tuple[Representation, ...]) -> None:
    """Raise UnknownRepresentation if this process lacks the class of one of them."""
    for each in representations:
        if isinstance(each, Unknown):
            each.refuse()
