"""The encoder on sentence-transformers: one Sentence-BERT model, or one for each kind of vector.

Sentence-BERT: Reimers and Gurevych 2019 (arXiv 1908.10084).
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any, cast

from pgvector import SparseVector
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling
from sentence_transformers.util.file_io import is_sentence_transformer_model
from transformers.utils import logging as transformers_logging

from pgencoder import forks
from pgencoder.encoders.base import Kind, Piece
from pgencoder.encoders.checkpoint import LOADING, bound_by_positions, not_found, read_config, tokenize_in_turn
from pgencoder.encoders.hub import find
from pgencoder.encoders.loading import SENTENCE_TRANSFORMERS, canonical
from pgencoder.encoders.sparse import describe_modules, load_sparse, sparse_vectors
from pgencoder.encoders.tokens import (
    TokenModel,
    check_process,
    features,
    limit,
    pieces,
    real_tokens,
    specials,
    warn_if_cut,
    weights_hash,
    window,
)
from pgencoder.errors import UntrainedModel
from pgencoder.types import Dims, Encoding, Fingerprint, Matrix
from pgencoder.vectors import normalize


class SentenceEncoder:
    """Makes dense and token vectors by models of sentence-transformers; see `pgencoder.load_encoder`.

    Several threads may encode at once. A process that forks waits for them, and its children encode in one thread each.
    """

    @forks.undisturbed()
    def __init__(
        self,
        model: str,
        token_model: str | None,
        sparse_model: str | None = None,
        *,
        allow_untrained: bool = False,
        device: str | None = None,
    ) -> None:
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        self._process = os.getpid()
        self._names = tuple(None if name is None else canonical(name) for name in (model, token_model, sparse_model))
        self._dense, self._trained = _load_dense(model, allow_untrained, device)
        self._tokens = TokenModel(token_model, device) if token_model is not None else None
        self._sparse = load_sparse(sparse_model, device) if sparse_model is not None else None
        for each in (self._dense, self._sparse):
            if each is not None:
                bound_by_positions(each)
                tokenize_in_turn(each)
        models = [self._dense, *([] if self._tokens is None else [self._tokens.model]), self._sparse]
        # read now: later other threads may use the tokenizers
        self.windows = tuple(window(each, "document") for each in models if each is not None)
        self._query_windows = tuple(window(each, "query") for each in models if each is not None)
        self._specials = specials(self._dense)
        probe = self.encode_documents(["probe"])[0]
        sparse = 0 if probe.sparse is None else probe.sparse.dimensions()
        self.dims = Dims(dense=probe.dense.shape[0], tokens=probe.tokens.shape[1], sparse=sparse)
        self._fingerprint: Fingerprint | None = None

    def __repr__(self) -> str:
        names = [repr(name) for name in self._names if name is not None]
        sparse = f"/{self.dims.sparse}" if self.dims.sparse else ""
        return f"SentenceEncoder({', '.join(names)}, dims={self.dims.dense}/{self.dims.tokens}{sparse})"

    @forks.undisturbed()
    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        """Return one encoding for each text: dense of shape (d,), tokens of shape (n, t); long texts are cut."""
        check_process(self.device, self._process)
        items = features(self._dense.encode_document, texts)
        tokens = [real_tokens(item) for item in items] if self._tokens is None else self._tokens.documents(texts)
        sparse = self._sparse_vectors("document", texts)
        return [
            Encoding(_dense(item), each, sparse=weights)
            for item, each, weights in zip(items, tokens, sparse, strict=True)
        ]

    @forks.undisturbed()
    def encode_query(self, text: str) -> Encoding:
        """Return the encoding of a query, without the tokens [CLS] and [SEP] (RoBERTa: <s>, </s>).

        Warns if the model does not read the whole query.
        """
        check_process(self.device, self._process)
        warn_if_cut(self._query_windows, text)
        item = features(self._dense.encode_query, [text])[0]
        tokens = real_tokens(item, without=self._specials) if self._tokens is None else self._tokens.query(text)
        (sparse,) = self._sparse_vectors("query", [text])
        return Encoding(_dense(item), tokens, sparse=sparse)

    def pieces(self, text: str, kind: Kind) -> list[Piece]:
        """Return the piece of text that each row of the tokens stands for, see `tokens.pieces`."""
        if self._tokens is not None:
            return self._tokens.pieces(text, kind)
        with forks.undisturbed():
            return pieces(self._dense, self._specials, text, kind)

    @property
    def device(self) -> str:
        """The device that the models run on, as torch names it."""
        return str(self._dense.device)

    @property
    def fingerprint(self) -> Fingerprint:
        """Models, weights, dims, prompts, lengths and pooling, as JSON values."""
        if (
            self._fingerprint is None
        ):  # not a cached_property: its lock may be held at a fork, and the child would wait for ever
            self._fingerprint = self._describe()
        return self._fingerprint

    def _describe(self) -> Fingerprint:
        own: dict[str, Any] = {
            "encoder": SENTENCE_TRANSFORMERS,
            "model": self._names[0],
            "token_model": self._names[1],
            "weights": weights_hash(self._dense),
            "dims": {"dense": self.dims.dense, "tokens": self.dims.tokens},
            "prompts": dict(self._dense.prompts),
            "max_tokens": limit(self._dense, "document"),
            "pooling": [module.get_config_dict() for module in self._dense if isinstance(module, Pooling)],
            "trained": self._trained,
        }
        if self._tokens is not None:
            own |= self._tokens.describe()
        if self._sparse is not None:
            own["dims"]["sparse"] = self.dims.sparse
            own |= {
                "sparse_model": self._names[2],
                "sparse_weights": weights_hash(self._sparse),
                "sparse_prompts": dict(self._sparse.prompts),
                "sparse_tokens": [limit(self._sparse, task) for task in ("query", "document")],
                "sparse_modules": describe_modules(self._sparse),
            }
        return cast(Fingerprint, json.loads(json.dumps(own, default=str)))

    def _sparse_vectors(self, task: Kind, texts: Sequence[str]) -> Sequence[SparseVector | None]:
        if self._sparse is None or not texts:
            return [None] * len(texts)
        return sparse_vectors(self._sparse, task, texts)


def _load_dense(model: str, allow_untrained: bool, device: str | None) -> tuple[SentenceTransformer, bool]:
    path = find(model)
    try:
        trained = is_sentence_transformer_model(path)
        loaded = (
            SentenceTransformer(path, device=device, model_kwargs=dict(LOADING)) if trained or allow_untrained else None
        )
    except Exception as error:
        raise not_found(model, error) from error
    if loaded is None:
        if not read_config(path, "config.json"):
            raise not_found(model, FileNotFoundError("it has no config.json"))
        raise UntrainedModel(
            f"{model!r} has no trained sentence head: averages of raw BERT vectors are worse than averages of word"
            " vectors (Reimers and Gurevych 2019, table 1); choose a Sentence-BERT checkpoint as model and give this"
            " one as token_model, or pass allow_untrained=True (--allow-untrained)"
        )
    return loaded, trained


def _dense(item: dict[str, Any]) -> Matrix:
    return normalize(item["sentence_embedding"].float().cpu().numpy())
