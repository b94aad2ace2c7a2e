"""Common parts of the loading of a checkpoint, whatever kind of model it is."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import torch
from sentence_transformers.util.file_io import load_file_path

from pgencoder.errors import ModelNotFound

# pytorch_model.bin is a pickle: only safetensors are loaded
LOADING = {"use_safetensors": True}


def bound_by_positions(model: Any) -> None:
    """Let the model cut a text where its position table ends; RoBERTa counts positions from the padding index up."""
    transformer = model[0]
    for name, module in getattr(transformer, "model", transformer).named_modules():
        if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
            positions = module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1)
            model.max_seq_length = min(model.max_seq_length or positions, positions)
            for length in ("query_length", "document_length"):
                if (getattr(transformer, length, None) or 0) > positions:
                    setattr(transformer, length, positions)


def tokenize_in_turn(model: Any) -> None:
    """Let one thread at a time use the model's tokenizer; its forward pass keeps no state and needs no lock.

    Where queries and documents differ in length or padding, each use changes the tokenizer's settings: another thread
    would fail ("Already borrowed") or go on with the wrong settings.
    """
    lock, preprocess = threading.Lock(), model.preprocess

    def in_turn(*inputs: Any, **options: Any) -> Any:
        with lock:
            return preprocess(*inputs, **options)

    model.preprocess = in_turn


def read_config(path: str, name: str) -> dict[str, Any]:
    """Return a JSON file of a checkpoint; nothing where there is none."""
    file = load_file_path(path, name)
    found: dict[str, Any] = {} if file is None else json.loads(Path(file).read_text(encoding="utf-8"))
    return found


def not_found(model: str, error: Exception) -> ModelNotFound:
    """Make the error for a model that cannot be loaded."""
    reason = " ".join(str(error).split())
    return ModelNotFound(
        f"cannot load {model!r}: {reason[:200]}; give a directory with safetensors, a name the hub knows, or install"
        " 'pgencoder[offline]' for the default model"
    )
