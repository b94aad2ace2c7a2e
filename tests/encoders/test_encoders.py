"""Every family of checkpoint loads and encodes, and what is stored can be told apart."""

from __future__ import annotations

import json
import shutil
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

import pgencoder
from pgencoder import load_encoder
from pgencoder.encoders import check_fingerprint, load_stored
from pgencoder.encoders.loading import location
from pgencoder.errors import EncoderError, FingerprintMismatch, ModelNotFound, UntrainedModel
from tests.checkpoints import TEXT

SHORT = "a vector of numbers"


PLAIN = ["bert", "mlm", "roberta"]
TOKEN_MODELS = {"bert": 32, "mlm": 32, "roberta": 32, "sbert": 32, "colbert": 16, "stanford": 24}


@pytest.mark.parametrize("plain", PLAIN)
def test_a_model_without_a_trained_head_needs_the_flag(checkpoint: Callable[[str], str], plain: str) -> None:
    with pytest.raises(UntrainedModel, match="Reimers and Gurevych 2019") as raised:
        load_encoder(checkpoint(plain))
    assert "--allow-untrained" in str(raised.value)
    encoder = load_encoder(checkpoint(plain), allow_untrained=True)
    assert (encoder.dims.dense, encoder.dims.tokens) == (32, 32)
    assert encoder.fingerprint["trained"] is False
    assert load_stored(encoder.fingerprint).dims == encoder.dims


@pytest.mark.parametrize("name", TOKEN_MODELS)
def test_every_family_gives_token_vectors(checkpoint: Callable[[str], str], name: str) -> None:
    encoder = load_encoder(checkpoint("sbert"), checkpoint(name))
    assert (encoder.dims.dense, encoder.dims.tokens) == (32, TOKEN_MODELS[name])
    document, query = encoder.encode_documents([TEXT])[0], encoder.encode_query(SHORT)
    for tokens in (document.tokens, query.tokens):
        assert tokens.shape[1] == TOKEN_MODELS[name]
        assert np.linalg.norm(tokens, axis=1) == pytest.approx(1, abs=1e-5)
    # two loads give the same: nothing in it is drawn at random
    again = load_encoder(checkpoint("sbert"), checkpoint(name))
    assert again.fingerprint == encoder.fingerprint
    assert again.encode_documents([TEXT])[0].tokens == pytest.approx(document.tokens, abs=1e-5)


@pytest.mark.parametrize("name", [*TOKEN_MODELS, "prompted"])
def test_padding_is_never_stored(checkpoint: Callable[[str], str], name: str) -> None:
    encoder = (
        load_encoder(checkpoint(name)) if name == "prompted" else load_encoder(checkpoint("sbert"), checkpoint(name))
    )
    alone = encoder.encode_documents([SHORT])[0]
    beside = encoder.encode_documents([TEXT, SHORT, "a"])[1]
    assert beside.tokens.shape == alone.tokens.shape
    assert beside.tokens == pytest.approx(alone.tokens, abs=1e-4)
    assert beside.dense == pytest.approx(alone.dense, abs=1e-4)


def test_special_tokens_of_the_query_are_dropped(checkpoint: Callable[[str], str]) -> None:
    for name in ("sbert", "bert", "mlm", "roberta"):
        encoder: Any = load_encoder(checkpoint("sbert"), checkpoint(name))
        words = len(encoder.windows[-1].tokenizer.encode(SHORT, add_special_tokens=False).ids)
        assert len(encoder.encode_query(SHORT).tokens) == words, name
        # a document keeps them
        assert len(encoder.encode_documents([SHORT])[0].tokens) == words + 2, name


def test_roberta_has_its_own_special_tokens(checkpoint: Callable[[str], str]) -> None:
    encoder: Any = load_encoder(checkpoint("roberta"), allow_untrained=True)
    tokenizer = encoder.windows[0].tokenizer
    assert tokenizer.token_to_id("<mask>") is not None
    assert tokenizer.encode("a").tokens[0] == "<s>"
    # its positions start after the padding index: 42 of them hold 40 tokens
    assert encoder.windows[0].capacity == 38
    assert len(encoder.encode_documents([TEXT * 5])[0].tokens) == 40


def test_colbert_expands_its_queries(checkpoint: Callable[[str], str]) -> None:
    # 12 with [MASK] up to the checkpoint's length, less [CLS] and [SEP]
    assert len(load_encoder(checkpoint("sbert"), checkpoint("colbert")).encode_query(SHORT).tokens) == 10
    assert len(load_encoder(checkpoint("sbert"), checkpoint("stanford")).encode_query(SHORT).tokens) == 12
    encoder = load_encoder(checkpoint("sbert"), checkpoint("colbert"))
    # the punctuation that the checkpoint skips is not among a document's tokens
    assert len(encoder.encode_documents(["a index;"])[0].tokens) == len(encoder.encode_documents(["a index"])[0].tokens)


def test_one_forward_pass_gives_what_sentence_transformers_gives(minilm: pgencoder.Encoder) -> None:
    texts = [TEXT, SHORT, "", "Ω"]
    expected = SentenceTransformer(location(pgencoder.DEFAULT_MODEL)).encode(texts, normalize_embeddings=True)
    found = np.stack([encoding.dense for encoding in minilm.encode_documents(texts)])
    assert found == pytest.approx(expected, abs=1e-5)
    assert (minilm.dims.dense, minilm.dims.tokens) == (384, 384)


def test_prompts_are_used_on_their_side(checkpoint: Callable[[str], str]) -> None:
    prompted, plain = load_encoder(checkpoint("prompted")), load_encoder(checkpoint("sbert"))
    assert prompted.encode_query(SHORT).dense == pytest.approx(plain.encode_query(f"find: {SHORT}").dense, abs=1e-4)
    assert prompted.encode_documents([SHORT])[0].dense == pytest.approx(
        plain.encode_documents([f"text: {SHORT}"])[0].dense, abs=1e-4
    )
    with pytest.raises(FingerprintMismatch, match="prompts"):
        check_fingerprint(plain.fingerprint, prompted.fingerprint, "it")


def test_the_fingerprint_tells_encoders_apart(checkpoint: Callable[[str], str], tmp_path: Path) -> None:
    sbert, other = load_encoder(checkpoint("sbert")), load_encoder(checkpoint("other"))
    for fingerprint in (sbert.fingerprint, load_encoder(checkpoint("sbert"), checkpoint("colbert")).fingerprint):
        assert json.loads(json.dumps(fingerprint)) == fingerprint
    assert sbert.fingerprint["weights"] != other.fingerprint["weights"]
    with pytest.raises(FingerprintMismatch, match="weights") as raised:
        check_fingerprint(sbert.fingerprint, other.fingerprint, "collection 'x', generation 2,")
    message = str(raised.value)
    assert checkpoint("sbert") in message
    assert checkpoint("other") in message
    assert "collection 'x', generation 2" in message
    # moved elsewhere, the same weights are the same encoder
    moved = shutil.copytree(checkpoint("sbert"), tmp_path / "moved")
    check_fingerprint(sbert.fingerprint, load_encoder(str(moved)).fingerprint, "it")


def test_the_default_model_is_known_by_its_name(minilm: pgencoder.Encoder) -> None:
    assert minilm.fingerprint["model"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert minilm.fingerprint["max_tokens"] == 256
    assert load_encoder("all-MiniLM-L6-v2").fingerprint == minilm.fingerprint


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    for name in ("no-such/model", str(tmp_path)):
        with pytest.raises(ModelNotFound, match="cannot load") as raised:
            load_encoder(name)
        assert "\n" not in str(raised.value)


def test_a_pickle_is_not_loaded(checkpoint: Callable[[str], str], tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    pickled = Path(shutil.copytree(checkpoint("bert"), tmp_path / "pickled"))
    torch.save(load_file(pickled / "model.safetensors"), pickled / "pytorch_model.bin")
    (pickled / "model.safetensors").unlink()
    with pytest.raises(ModelNotFound, match="safetensors"):
        load_encoder(str(pickled), allow_untrained=True)


def test_an_encoder_that_is_not_ours_cannot_be_loaded() -> None:
    with pytest.raises(EncoderError, match="pass it as encoder="):
        load_stored({"model": "mine"})


def test_a_query_over_the_limit_is_said_to_be_cut(checkpoint: Callable[[str], str]) -> None:
    encoder = load_encoder(checkpoint("sbert"))
    with pytest.warns(UserWarning, match="the model reads 46"):
        encoder.encode_query(TEXT * 5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.encode_query(SHORT)


def encode_in_threads(encoder: pgencoder.Encoder, rounds: int) -> None:
    """Encode queries and documents by turns in several threads, and compare with what one thread gives."""
    query, documents = encoder.encode_query(SHORT), encoder.encode_documents([SHORT, TEXT])

    def encode(i: int) -> None:
        found = encoder.encode_documents([SHORT, TEXT]) if i % 2 else [encoder.encode_query(SHORT)]
        for one, other in zip(documents if i % 2 else [query], found, strict=True):
            assert other.tokens.shape == one.tokens.shape
            assert other.tokens == pytest.approx(one.tokens, abs=1e-4)
            assert other.dense == pytest.approx(one.dense, abs=1e-4)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(encode, range(rounds)))


def test_several_threads_encode_at_once(minilm: pgencoder.Encoder) -> None:
    encode_in_threads(minilm, 24)


def test_threads_do_not_tokenize_with_each_others_settings(
    checkpoint: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # ColBERT's queries and documents have other lengths and padding: each use sets its tokenizer anew
    encoder: Any = load_encoder(checkpoint("sbert"), checkpoint("colbert"))
    tokenizer = encoder._tokens.model.tokenizer
    settle = tokenizer.set_truncation_and_padding

    def settle_slowly(*arguments: Any, **options: Any) -> None:
        settle(*arguments, **options)
        time.sleep(0.005)

    monkeypatch.setattr(tokenizer, "set_truncation_and_padding", settle_slowly)
    encode_in_threads(encoder, 40)
