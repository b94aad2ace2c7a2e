"""A connection to a database and the encoders that were used with it."""

from __future__ import annotations

import threading
from typing import Any, Self

import sqlalchemy as sa

from pgencoder import catalog, encoders, forks
from pgencoder.db.connection import connected, pinned_engine, vector_schema
from pgencoder.encoders import Encoder, check_fingerprint, same_encoder
from pgencoder.errors import InvalidRequest
from pgencoder.schema import migrate
from pgencoder.search.run import Runner
from pgencoder.types import Collection, Fingerprint, Generation


class Session:
    """What every call needs: connections, descriptions of collections, and encoders."""

    def __init__(self, engine: sa.Engine, *, owned: bool = False) -> None:
        self.engine = engine
        # for what we send ourselves; `engine` is the user's
        self.own_engine = pinned_engine(engine)
        self._owned = owned
        self._without_native: str | None = None
        self._encoders: list[Encoder] = []
        self._renew()
        forks.in_children(self, Session._renew)
        self._device: str | None = None
        self._vector_schema: str | None = None
        self._checked = False
        # as of the last search, whose statement makes sure that it is still so
        self._described: dict[str, Collection] = {}
        self._runner = Runner(self.own_engine)
        self._told: dict[str, float] = {}  # until when it need not be said again that rows wait

    def __repr__(self) -> str:
        return f"Database({self.engine.url.render_as_string(hide_password=True)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _renew(self) -> None:
        self._loading = threading.Lock()

    def close(self) -> None:
        """Close the connections in the pools."""
        self.engine.dispose()
        self.own_engine.dispose()

    def collection(self, name: str) -> Collection:
        """The description of a collection; raises UnknownCollection."""
        with self.connection() as connection:
            return catalog.collection(connection, name)

    def collections(self) -> list[Collection]:
        """The descriptions of all collections."""
        with self.connection() as connection:
            return catalog.collections(connection)

    def connection(self) -> Any:
        """A context with a psycopg connection in autocommit; the first one checks that the schema is there."""
        if not self._checked:
            migrate.check_current(self.own_engine)
            self._checked = True
        return connected(self.own_engine)

    @property
    def vector_schema(self) -> str:
        """The schema that pgvector lives in."""
        if self._vector_schema is None:
            with self.connection() as connection:
                self._vector_schema = vector_schema(connection)
        return self._vector_schema

    def _given(self, model: str | Encoder, token_model: str | None, allow_untrained: bool) -> Encoder:
        """The encoder that a caller names or gives, remembered."""
        if not isinstance(model, str) and not hasattr(model, "encode_documents"):
            raise InvalidRequest(f"model must name a checkpoint, or be an Encoder; got {type(model).__name__}")
        if isinstance(model, str):
            model = encoders.load(model, token_model, allow_untrained=allow_untrained, device=self._device)
        self._remember(model)
        return model

    def _remember(self, encoder: Encoder) -> None:
        if not any(known is encoder for known in self._encoders):
            self._encoders.append(encoder)

    def _encoder_of(self, generation: Generation) -> Encoder:
        return self._encoder(generation.encoder, None)

    def _encoder(self, fingerprint: Fingerprint, given: Encoder | None) -> Encoder:
        """The encoder of a generation: the one given, one used before, or one loaded by the names it has."""
        with self._loading:  # of several threads that need a model one loads it
            if given is None:
                for known in self._encoders:
                    if same_encoder(known.fingerprint, fingerprint):
                        return known
                given = encoders.load_stored(fingerprint, device=self._device)
            check_fingerprint(fingerprint, given.fingerprint, "this collection")
            self._remember(given)
        return given
