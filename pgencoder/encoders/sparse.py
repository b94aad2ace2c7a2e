"""Sparse models on sentence-transformers: a weight for some words of the vocabulary (SPLADE, arXiv 2107.05720)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgvector import SparseVector
from sentence_transformers import SparseEncoder
from sentence_transformers.base.modules import Transformer

from pgencoder.encoders.base import Kind
from pgencoder.encoders.checkpoint import LOADING, not_found, read_config
from pgencoder.encoders.hub import find
from pgencoder.errors import UntrainedModel


def load_sparse(model: str, device: str | None) -> SparseEncoder:
    """Load a sparse model; raises ModelNotFound, or UntrainedModel for a checkpoint that makes no sparse vectors."""
    path = find(model)
    try:
        loaded = SparseEncoder(path, device=device, model_kwargs=dict(LOADING)) if _is_sparse(path) else None
    except Exception as error:
        raise not_found(model, error) from error
    if loaded is None:
        if not read_config(path, "config.json"):
            raise not_found(model, FileNotFoundError("it has no config.json"))
        raise UntrainedModel(
            f"{model!r} makes no sparse vectors: it is no SparseEncoder, and has no head of a masked language model;"
            " give a SPLADE checkpoint as sparse_model"
        )
    return loaded


def _is_sparse(path: str) -> bool:
    """Tell if a checkpoint makes sparse vectors; any other would get a random head, another one at each load."""
    if read_config(path, "config_sentence_transformers.json").get("model_type") == "SparseEncoder":
        return True
    architectures = read_config(path, "config.json").get("architectures") or []
    return any(name.endswith("ForMaskedLM") for name in architectures)


def sparse_vectors(model: SparseEncoder, task: Kind, texts: Sequence[str]) -> list[SparseVector]:
    """Return one vector for each text; long texts are cut."""
    encode = model.encode_query if task == "query" else model.encode_document
    rows = encode(
        list(texts), batch_size=len(texts), show_progress_bar=False, convert_to_tensor=False, save_to_cpu=True
    )
    return [_sparse(row) for row in rows]


def _sparse(row: Any) -> SparseVector:
    row = row.coalesce()
    weights = row.values().float()
    return SparseVector(dict(zip(row.indices()[0].tolist(), weights.tolist(), strict=True)), row.shape[0])


def describe_modules(model: SparseEncoder) -> list[Any]:
    """Return the modules behind the transformer with their settings, as JSON values."""
    modules: list[Any] = [module for module in model if not isinstance(module, Transformer)]
    return [[type(each).__name__, getattr(each, "get_config_dict", dict)()] for each in modules]
