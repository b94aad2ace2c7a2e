"""The encoders that a `Database` was given or has loaded."""

from __future__ import annotations

import threading

from pgencoder import encoders, forks
from pgencoder.encoders import Encoder, check_fingerprint, same_encoder
from pgencoder.errors import InvalidRequest
from pgencoder.representations import check_known
from pgencoder.types import Generation


class UsedEncoders:
    """Finds the encoder of a generation: the one given, one that was used before, or one loaded by its fingerprint.

    Models are loaded on `device`, or on the fastest one if it is None.
    """

    def __init__(self) -> None:
        self.device: str | None = None
        self._used: list[Encoder] = []
        self._renew_lock()
        forks.in_children(self, UsedEncoders._renew_lock)

    def _renew_lock(self) -> None:
        self._loading = threading.Lock()

    def remember(self, encoder: Encoder) -> None:
        """Use an encoder from now on for the generations that it fits."""
        if not any(used is encoder for used in self._used):
            self._used.append(encoder)

    def named(
        self, model: str | Encoder, token_model: str | None, sparse_model: str | None, allow_untrained: bool
    ) -> Encoder:
        """Return the encoder that a caller names or gives, and remember it."""
        if not isinstance(model, str) and not hasattr(model, "encode_documents"):
            raise InvalidRequest(f"model must name a checkpoint, or be an Encoder; got {type(model).__name__}")
        if isinstance(model, str):
            model = encoders.load(
                model, token_model, sparse_model=sparse_model, allow_untrained=allow_untrained, device=self.device
            )
        elif sparse_model is not None:
            raise InvalidRequest("a sparse_model is for a model that is given by its name; an Encoder makes all itself")
        self.remember(model)
        return model

    def of(self, generation: Generation, given: Encoder | None = None) -> Encoder:
        """Return the encoder of a generation; raises FingerprintMismatch if another one is given.

        Raises UnknownRepresentation if this process cannot make all that the generation stores.
        """
        check_known(generation.representations)
        with self._loading:  # of several threads that need a model one loads it
            if given is None:
                for used in self._used:
                    if same_encoder(used.fingerprint, generation.encoder):
                        return used
                given = encoders.load_stored(generation.encoder, device=self.device)
            check_fingerprint(generation.encoder, given.fingerprint, "this collection")
            self.remember(given)
        return given
