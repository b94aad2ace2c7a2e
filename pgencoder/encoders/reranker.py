"""The reranker on sentence-transformers: a cross-encoder, which reads a query and a passage together.

It is accurate, and slow, because nothing of it can be computed before the query is known (Nogueira and Cho 2019,
arXiv 1901.04085).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from sentence_transformers import CrossEncoder
from transformers.utils import logging as transformers_logging

from pgencoder import forks
from pgencoder.encoders.checkpoint import LOADING, bound_by_positions, not_found, read_config, tokenize_in_turn
from pgencoder.encoders.hub import find
from pgencoder.errors import EncoderError, UntrainedModel

BATCH = 32
OF_A_SERVICE = "for a model of a service, give an object whose scores(query, passages) call it"


class SentenceReranker:
    """Scores passages by a `CrossEncoder` checkpoint with one output; see `pgencoder.load_reranker`."""

    @forks.undisturbed()
    def __init__(self, model: str, *, allow_untrained: bool = False, device: str | None = None) -> None:
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        path = find(model, OF_A_SERVICE)
        try:
            heads = read_config(path, "config.json").get("architectures") or []
            self.trained = any(name.endswith("ForSequenceClassification") for name in heads)
            if self.trained or allow_untrained:
                outputs = None if self.trained else 1
                self._model = CrossEncoder(path, device=device, model_kwargs=dict(LOADING), num_labels=outputs)
        except Exception as error:
            raise not_found(model, error) from error
        if not (self.trained or allow_untrained):
            raise UntrainedModel(
                f"{model!r} is no cross-encoder: it has no trained head for pairs; choose one that was trained so,"
                " such as 'cross-encoder/ms-marco-MiniLM-L6-v2'"
            )
        if self._model.num_labels != 1:
            raise EncoderError(f"{model!r} gives {self._model.num_labels} numbers for a pair, and a reranker gives one")
        bound_by_positions(self._model)
        tokenize_in_turn(self._model)
        self.name = model

    def __repr__(self) -> str:
        return f"SentenceReranker({self.name!r})"

    @forks.undisturbed()
    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """Return the logit of each passage; what is longer than the model reads is cut."""
        if not passages:
            return []
        pairs = [(query, passage) for passage in passages]
        found = self._model.predict(pairs, batch_size=BATCH, activation_fn=torch.nn.Identity(), show_progress_bar=False)
        return [float(each) for each in found]
