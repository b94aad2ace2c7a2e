"""The encoder on sentence-transformers: one Sentence-BERT model, or one for each kind of vector.

Sentence-BERT: Reimers and Gurevych 2019 (arXiv 1908.10084). ColBERT: Khattab and Zaharia 2020 (arXiv 2004.12832).
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Sequence
from typing import Any, cast

import torch
from pgvector import SparseVector
from sentence_transformers import MultiVectorEncoder, SentenceTransformer, SparseEncoder
from sentence_transformers.base.modules import Normalize, Transformer
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
from sentence_transformers.sentence_transformer.modules import Pooling
from sentence_transformers.util.file_io import is_sentence_transformer_model
from tokenizers import Tokenizer
from transformers.utils import logging as transformers_logging

from pgencoder import forks
from pgencoder.encoders.base import Kind, Piece, Window
from pgencoder.encoders.checkpoint import LOADING, bound_by_positions, not_found, read_config, tokenize_in_turn
from pgencoder.encoders.hub import find
from pgencoder.encoders.loading import SENTENCE_TRANSFORMERS, canonical
from pgencoder.encoders.sparse import describe_modules, load_sparse, sparse_vectors
from pgencoder.errors import EncoderError, UntrainedModel
from pgencoder.types import Dims, Encoding, Fingerprint, Matrix
from pgencoder.vectors import normalize

Model = SentenceTransformer | MultiVectorEncoder | SparseEncoder

# A child lacks the threads that its parent made for OpenMP, and would wait for them
forks.in_children(torch, lambda _: torch.set_num_threads(1))


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
        self._tokens = _load_tokens(token_model, device) if token_model is not None else None
        self._sparse = load_sparse(sparse_model, device) if sparse_model is not None else None
        models = [each for each in (self._dense, self._tokens, self._sparse) if each is not None]
        for each in models:
            bound_by_positions(each)
            tokenize_in_turn(each)
        # read now: later other threads may use the tokenizers
        self.windows = tuple(_window(each, "document") for each in models)
        self._query_windows = tuple(_window(each, "query") for each in models)
        self._specials = _specials(self._dense if self._tokens is None else self._tokens)
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
        items = self._features(self._dense.encode_document, texts)
        tokens = [_real_tokens(item) for item in items] if self._tokens is None else self._token_documents(texts)
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
        self._warn_if_cut(text)
        item = self._features(self._dense.encode_query, [text])[0]
        of_tokens = item if self._tokens is None else self._features(self._tokens.encode_query, [text])[0]
        (sparse,) = self._sparse_vectors("query", [text])
        return Encoding(_dense(item), _real_tokens(of_tokens, without=self._specials), sparse=sparse)

    @forks.undisturbed()
    def pieces(self, text: str, kind: Kind) -> list[Piece]:
        """Return the piece of text that each row of the tokens stands for, by the same tokenization and mask.

        The model does not run. The number of pieces differs from that of rows for a checkpoint that pools its tokens.
        """
        model = self._dense if self._tokens is None else self._tokens
        prompt = _prompt(model, kind)
        item: dict[str, Any] = model.preprocess(
            [text], prompt=prompt, task=kind, processing_kwargs={"text": {"return_offsets_mapping": True}}
        )
        for module in model:
            if isinstance(module, MultiVectorMask):
                item = module(item, task=kind)
        item = {name: item[name][0] for name in ("input_ids", "attention_mask", "offset_mapping")}
        kept = _counted(item, without=self._specials if kind == "query" else None)
        names = model.tokenizer.convert_ids_to_tokens(item["input_ids"].tolist())
        offsets = item["offset_mapping"].tolist()
        # expansion may have made the query longer than its text
        offsets += [(0, 0)] * (len(names) - len(offsets))
        return [
            Piece(name, _span(text, start - len(prompt), end - len(prompt)))
            for name, (start, end), real in zip(names, offsets, kept.tolist(), strict=True)
            if real
        ]

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
            "weights": _weights_hash(self._dense),
            "dims": {"dense": self.dims.dense, "tokens": self.dims.tokens},
            "prompts": dict(self._dense.prompts),
            "max_tokens": _limit(self._dense, "document"),
            "pooling": [module.get_config_dict() for module in self._dense if isinstance(module, Pooling)],
            "trained": self._trained,
        }
        if self._tokens is not None:
            own |= {
                "token_weights": _weights_hash(self._tokens),
                "token_prompts": dict(self._tokens.prompts),
                "query_tokens": _limit(self._tokens, "query"),
                "query_expansion": getattr(self._tokens[0], "query_expansion", None),
                "document_tokens": _limit(self._tokens, "document"),
                "token_modules": [type(module).__name__ for module in self._tokens],
                "skiplist": sorted(
                    word
                    for module in self._tokens
                    if isinstance(module, MultiVectorMask)
                    for word in module.skiplist_words
                ),
            }
        if self._sparse is not None:
            own["dims"]["sparse"] = self.dims.sparse
            own |= {
                "sparse_model": self._names[2],
                "sparse_weights": _weights_hash(self._sparse),
                "sparse_prompts": dict(self._sparse.prompts),
                "sparse_tokens": [_limit(self._sparse, task) for task in ("query", "document")],
                "sparse_modules": describe_modules(self._sparse),
            }
        return cast(Fingerprint, json.loads(json.dumps(own, default=str)))

    def _token_documents(self, texts: Sequence[str]) -> list[Matrix]:
        assert self._tokens is not None
        return [_real_tokens(item) for item in self._features(self._tokens.encode_document, texts)]

    def _sparse_vectors(self, task: Kind, texts: Sequence[str]) -> Sequence[SparseVector | None]:
        if self._sparse is None or not texts:
            return [None] * len(texts)
        self._check_process()
        return sparse_vectors(self._sparse, task, texts)

    def _features(self, encode: Any, texts: Sequence[str]) -> list[dict[str, Any]]:
        if not texts:
            return []
        self._check_process()
        # output_value None returns the pooled and the token vectors of one forward pass
        return cast(
            list[dict[str, Any]],
            encode(list(texts), output_value=None, batch_size=len(texts), show_progress_bar=False),
        )

    def _check_process(self) -> None:
        if self.device != "cpu" and os.getpid() != self._process:
            raise EncoderError(
                f"a model on {self.device} cannot be used in a process that was forked after it was loaded; load it in"
                " the child, or start processes with multiprocessing's spawn"
            )

    def _warn_if_cut(self, text: str) -> None:
        for window in self._query_windows:
            length = len(window.tokenizer.encode(text, add_special_tokens=False).ids)
            if length > window.capacity:
                warnings.warn(
                    f"the query has {length} tokens and the model reads {window.capacity}: the rest is ignored",
                    stacklevel=4,
                )


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


def _load_tokens(model: str, device: str | None) -> MultiVectorEncoder:
    path = find(model)
    try:
        if _is_late_interaction(path):
            return MultiVectorEncoder(path, device=device, model_kwargs=dict(LOADING))
        # A plain checkpoint would get a random projection to 128 dimensions, another one at each load: its own
        # hidden states are the token vectors
        transformer = (
            next(
                module
                for module in SentenceTransformer(path, device=device, model_kwargs=dict(LOADING))
                if isinstance(module, Transformer)
            )
            if is_sentence_transformer_model(path)
            else Transformer(path, model_kwargs=dict(LOADING))
        )
        modules = [transformer, MultiVectorMask(), Normalize(module_input_name="token_embeddings")]
        return MultiVectorEncoder(modules=modules, device=device)
    except Exception as error:
        raise not_found(model, error) from error


def _is_late_interaction(path: str) -> bool:
    """Tell if the checkpoint was saved as a multi-vector model (PyLate, sentence-transformers, Stanford ColBERT)."""
    found = read_config(path, "config_sentence_transformers.json")
    if found.get("model_type") in ("ColBERT", "MultiVectorEncoder"):
        return True
    architectures = read_config(path, "config.json").get("architectures") or []
    return any(name == "HF_ColBERT" or name.endswith("ForRetrieval") for name in architectures)


def _dense(item: dict[str, Any]) -> Matrix:
    return normalize(item["sentence_embedding"].float().cpu().numpy())


def _real_tokens(item: dict[str, Any], without: torch.Tensor | None = None) -> Matrix:
    """Return the normalised token vectors, without padding and without what the checkpoint itself skips."""
    if "token_embeddings" not in item:
        raise EncoderError("this model gives no token vectors; pass a token_model")
    return normalize(item["token_embeddings"][_counted(item, without)].float().cpu().numpy())


def _counted(item: dict[str, Any], without: torch.Tensor | None) -> torch.Tensor:
    """Return a mask of the tokens of a text that have a vector."""
    mask: torch.Tensor = item["attention_mask"].bool()
    return mask if without is None else mask & ~torch.isin(item["input_ids"], without.to(mask.device))


def _span(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the characters of a token, without white space around; None for a token of the prompt."""
    if end <= 0:
        return None
    piece = text[max(start, 0) : end]
    start = end - len(piece.lstrip())
    return start, start + len(piece.strip())


def _specials(model: Model) -> torch.Tensor:
    """Return the ids of tokens that carry no text of the query, except [MASK]: ColBERT expands queries with it."""
    tokenizer = model.tokenizer
    names = ("cls_token_id", "sep_token_id", "bos_token_id", "eos_token_id", "pad_token_id")
    ids = {getattr(tokenizer, name, None) for name in names} - {
        None,
        getattr(tokenizer, "mask_token_id", None),
    }
    return torch.tensor(sorted(ids), dtype=torch.long)


def _limit(model: Model, task: str) -> int:
    """Return how many tokens the model reads at once, special tokens and prompt included."""
    transformer = model[0]
    limits = [model.max_seq_length, getattr(transformer, f"{task}_length", None)]
    if task == "query":
        limits.append((getattr(transformer, "query_expansion", None) or {}).get("length"))
    return min([int(limit) for limit in limits if limit is not None and 0 < limit < 10**6], default=512)


def _window(model: Model, task: Kind) -> Window:
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise EncoderError(f"the tokenizer {type(model.tokenizer).__name__} has no fast form, which chunking needs")
    tokenizer = Tokenizer.from_str(backend.to_str())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    overhead = len(tokenizer.encode(_prompt(model, task), add_special_tokens=True).ids)
    return Window(tokenizer, max(1, _limit(model, task) - overhead))


def _prompt(model: Model, kind: Kind) -> str:
    """Return the text that the model puts before a query or a document."""
    aliases = ("query",) if kind == "query" else ("document", "passage", "corpus")
    name = next((name for name in aliases if name in model.prompts), model.default_prompt_name)
    return "" if name is None else model.prompts.get(name) or ""


def _weights_hash(model: Model) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        # BERT's own pooler is not used, and a checkpoint without one gets random weights at each load
        if ".pooler." in name or "position_ids" in name:
            continue
        digest.update(name.encode())
        digest.update(str(tuple(tensor.shape)).encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
