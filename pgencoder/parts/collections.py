"""The collections of a `Database`: makes, changes and removes them and their generations."""

from __future__ import annotations

from pgencoder import catalog
from pgencoder.encoders import Encoder
from pgencoder.errors import InvalidRequest
from pgencoder.parts.connections import Connections
from pgencoder.parts.used_encoders import UsedEncoders
from pgencoder.progress import Progress
from pgencoder.results import RepairReport
from pgencoder.schema import attach, generations, repair
from pgencoder.types import Chunking, Collection, Generation, TokenType


class Collections:
    """Changes the schema of collections, as `Database` describes it."""

    def __init__(self, connections: Connections, encoders: UsedEncoders) -> None:
        self._connections = connections
        self._encoders = encoders

    def all(self) -> list[Collection]:
        """Return the descriptions of all collections."""
        with self._connections.open() as connection:
            return catalog.collections(connection)

    def attach(self, wanted: attach.Wanted, exist_ok: bool, progress: Progress | None) -> int:
        """Make a collection and queue its rows; return their number."""
        with self._connections.open() as connection:
            return attach.attach(connection, wanted, exist_ok=exist_ok, progress=progress)

    def detach(self, name: str) -> None:
        """Remove a collection."""
        with self._connections.open() as connection:
            attach.detach(connection, name)

    def next_encoder(
        self,
        name: str,
        model: str | Encoder | None,
        token_model: str | None,
        sparse_model: str | None,
        allow_untrained: bool,
    ) -> Encoder:
        """Return the encoder that a caller names or gives for the next generation, else that of the active one."""
        if model is not None:
            return self._encoders.named(model, token_model, sparse_model, allow_untrained)
        for given, what in ((token_model, "token_model"), (sparse_model, "sparse_model")):
            if given is not None:
                raise InvalidRequest(f"a {what} is given with its model; give that too (--model)")
        return self._encoders.of(self._connections.collection(name).generation)

    def begin(
        self,
        name: str,
        encoder: Encoder,
        tokens: TokenType | None,
        chunking: Chunking | None,
        lexical: str | None = None,
        pooling: int | None = None,
        progress: Progress | None = None,
    ) -> generations.Begun:
        """Begin the next generation and queue its rows."""
        self._encoders.remember(encoder)
        with self._connections.open() as connection:
            catalog.check_problem(connection, name)
            return generations.reencode(
                connection,
                name,
                encoder,
                tokens=tokens,
                chunking=chunking,
                lexical=lexical,
                pooling=pooling,
                progress=progress,
            )

    def activate(self, name: str, number: int | None) -> Generation:
        """Let searches use another generation."""
        with self._connections.open() as connection:
            return generations.activate(connection, name, number)

    def rollback(self, name: str) -> Generation:
        """Let searches use the generation again that was active before."""
        with self._connections.open() as connection:
            return generations.rollback(connection, name)

    def drop(self, name: str, number: int | None) -> Generation:
        """Remove a generation that is not active."""
        with self._connections.open() as connection:
            return generations.drop(connection, name, number)

    def repair(self, name: str, progress: Progress | None) -> RepairReport:
        """Repair a collection, see `Database.repair`."""
        with self._connections.open() as connection:
            return repair.repair(connection, name, progress)
