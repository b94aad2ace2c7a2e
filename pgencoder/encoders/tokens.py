"""Token vectors of models on sentence-transformers: of any model, and of one that makes nothing else.

ColBERT: Khattab and Zaharia 2020 (arXiv 2004.12832).
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Sequence
from typing import Any, cast

import torch
from sentence_transformers import MultiVectorEncoder, SentenceTransformer, SparseEncoder
from sentence_transformers.base.modules import Normalize, Transformer
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
from sentence_transformers.util.file_io import is_sentence_transformer_model
from tokenizers import Tokenizer
from transformers.utils import logging as transformers_logging

from pgencoder import forks
from pgencoder.encoders.base import Kind, Piece, Window
from pgencoder.encoders.checkpoint import LOADING, bound_by_positions, not_found, read_config, tokenize_in_turn
from pgencoder.encoders.hub import find
from pgencoder.encoders.loading import canonical
from pgencoder.errors import EncoderError
from pgencoder.types import Matrix
from pgencoder.vectors import normalize

Model = SentenceTransformer | MultiVectorEncoder | SparseEncoder

# A child lacks the threads that its parent made for OpenMP, and would wait for them
forks.in_children(torch, lambda _: torch.set_num_threads(1))


class TokenModel:
    """Makes token vectors by any `MultiVectorEncoder` checkpoint: PyLate, Stanford ColBERT, plain BERT or RoBERTa.

    Several threads may encode at once. A process that forks waits for them, and its children encode in one thread each.
    """

    @forks.undisturbed()
    def __init__(self, name: str, device: str | None = None) -> None:
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        self._process = os.getpid()
        self.name = canonical(name)
        self.model = _load(name, device)
        bound_by_positions(self.model)
        tokenize_in_turn(self.model)
        # read now: later other threads may use the tokenizer
        self.window, self.query_window = window(self.model, "document"), window(self.model, "query")
        self._specials = specials(self.model)
        self.dims: int = self.documents(["probe"])[0].shape[1]

    @forks.undisturbed()
    def documents(self, texts: Sequence[str]) -> list[Matrix]:
        """Return the token vectors of each text, shape (n, dims)."""
        check_process(self.device, self._process)
        return [real_tokens(item) for item in features(self.model.encode_document, texts)]

    @forks.undisturbed()
    def query(self, text: str) -> Matrix:
        """Return the token vectors of a query, shape (n, dims), without special tokens."""
        check_process(self.device, self._process)
        return real_tokens(features(self.model.encode_query, [text])[0], without=self._specials)

    @forks.undisturbed()
    def pieces(self, text: str, kind: Kind) -> list[Piece]:
        """Return the piece of text that each row of the tokens stands for."""
        return pieces(self.model, self._specials, text, kind)

    @property
    def device(self) -> str:
        """The device that the model runs on, as torch names it."""
        return str(self.model.device)

    def warn_if_cut(self, text: str) -> None:
        """Warn if the model does not read the whole query."""
        warn_if_cut([self.query_window], text)

    def describe(self) -> dict[str, Any]:
        """Return the part of a fingerprint that tells this model from others, as JSON values."""
        own = {
            "token_weights": weights_hash(self.model),
            "token_prompts": dict(self.model.prompts),
            "query_tokens": limit(self.model, "query"),
            "query_expansion": getattr(self.model[0], "query_expansion", None),
            "document_tokens": limit(self.model, "document"),
            "token_modules": [type(module).__name__ for module in self.model],
            "skiplist": sorted(
                word for module in self.model if isinstance(module, MultiVectorMask) for word in module.skiplist_words
            ),
        }
        return cast(dict[str, Any], json.loads(json.dumps(own, default=str)))


def _load(model: str, device: str | None) -> MultiVectorEncoder:
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


def features(encode: Any, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Return what the modules of a model make of each text, the pooled and the token vectors, in one forward pass."""
    if not texts:
        return []
    # as output_value None asks for
    found = encode(list(texts), output_value=None, batch_size=len(texts), show_progress_bar=False)
    return cast(list[dict[str, Any]], found)


def check_process(device: str, process: int) -> None:
    """Raise EncoderError if a model is on a GPU, and was loaded by the process that this one was forked from."""
    if device != "cpu" and os.getpid() != process:
        raise EncoderError(
            f"a model on {device} cannot be used in a process that was forked after it was loaded; load it in"
            " the child, or start processes with multiprocessing's spawn"
        )


def warn_if_cut(windows: Sequence[Window], text: str) -> None:
    """Warn if a model does not read the whole query."""
    for each in windows:
        length = len(each.tokenizer.encode(text, add_special_tokens=False).ids)
        if length > each.capacity:
            warnings.warn(
                f"the query has {length} tokens and the model reads {each.capacity}: the rest is ignored",
                stacklevel=4,
            )


def pieces(model: Model, special: torch.Tensor, text: str, kind: Kind) -> list[Piece]:
    """Return the piece of text that each row of the tokens stands for, by the same tokenization and mask.

    The model does not run. The number of pieces differs from that of rows for a checkpoint that pools its tokens.
    """
    before = prompt(model, kind)
    item: dict[str, Any] = model.preprocess(
        [text], prompt=before, task=kind, processing_kwargs={"text": {"return_offsets_mapping": True}}
    )
    for module in model:
        if isinstance(module, MultiVectorMask):
            item = module(item, task=kind)
    item = {name: item[name][0] for name in ("input_ids", "attention_mask", "offset_mapping")}
    kept = _counted(item, without=special if kind == "query" else None)
    names = model.tokenizer.convert_ids_to_tokens(item["input_ids"].tolist())
    offsets = item["offset_mapping"].tolist()
    # expansion may have made the query longer than its text
    offsets += [(0, 0)] * (len(names) - len(offsets))
    return [
        Piece(name, _span(text, start - len(before), end - len(before)))
        for name, (start, end), real in zip(names, offsets, kept.tolist(), strict=True)
        if real
    ]


def real_tokens(item: dict[str, Any], without: torch.Tensor | None = None) -> Matrix:
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


def specials(model: Model) -> torch.Tensor:
    """Return the ids of tokens that carry no text of the query, except [MASK]: ColBERT expands queries with it."""
    tokenizer = model.tokenizer
    names = ("cls_token_id", "sep_token_id", "bos_token_id", "eos_token_id", "pad_token_id")
    ids = {getattr(tokenizer, name, None) for name in names} - {
        None,
        getattr(tokenizer, "mask_token_id", None),
    }
    return torch.tensor(sorted(ids), dtype=torch.long)


def limit(model: Model, task: str) -> int:
    """Return how many tokens the model reads at once, special tokens and prompt included."""
    transformer = model[0]
    limits = [model.max_seq_length, getattr(transformer, f"{task}_length", None)]
    if task == "query":
        limits.append((getattr(transformer, "query_expansion", None) or {}).get("length"))
    return min([int(limit) for limit in limits if limit is not None and 0 < limit < 10**6], default=512)


def window(model: Model, task: Kind) -> Window:
    """Return how much a model reads of a text."""
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise EncoderError(f"the tokenizer {type(model.tokenizer).__name__} has no fast form, which chunking needs")
    tokenizer = Tokenizer.from_str(backend.to_str())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    overhead = len(tokenizer.encode(prompt(model, task), add_special_tokens=True).ids)
    return Window(tokenizer, max(1, limit(model, task) - overhead))


def prompt(model: Model, kind: Kind) -> str:
    """Return the text that the model puts before a query or a document."""
    aliases = ("query",) if kind == "query" else ("document", "passage", "corpus")
    name = next((name for name in aliases if name in model.prompts), model.default_prompt_name)
    return "" if name is None else model.prompts.get(name) or ""


def weights_hash(model: Model) -> str:
    """Return a hash of all weights that vectors depend on."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        # BERT's own pooler is not used, and a checkpoint without one gets random weights at each load
        if ".pooler." in name or "position_ids" in name:
            continue
        digest.update(name.encode())
        digest.update(str(tuple(tensor.shape)).encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
