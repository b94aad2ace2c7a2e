"""Give a test an encoder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import pgencoder
from tests.encoder import WordEncoder


@pytest.fixture
def words() -> WordEncoder:
    return WordEncoder()


@pytest.fixture(scope="session")
def minilm() -> pgencoder.Encoder:
    """The real model."""
    return pgencoder.load_encoder()


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The directory of a tiny checkpoint by the name of its builder, built once."""
    from tests import checkpoints  # here, because it imports torch, which most tests do without

    home = tmp_path_factory.mktemp("checkpoints")
    builders: dict[str, Callable[[Path], Path]] = {
        "bert": checkpoints.bert,
        "mlm": lambda path: checkpoints.bert(path, pooler=False),
        "roberta": checkpoints.roberta,
        "sbert": checkpoints.sbert,
        "other": lambda path: checkpoints.sbert(path, seed=2),
        "prompted": lambda path: checkpoints.sbert(path, prompts={"query": "find: ", "document": "text: "}),
        "colbert": checkpoints.colbert,
        "stanford": checkpoints.stanford,
        "cross": checkpoints.cross_encoder,
    }
    built: dict[str, str] = {}

    def get(name: str) -> str:
        if name not in built:
            built[name] = str(builders[name](home / name))
        return built[name]

    return get
