"""Which characters each token vector stands for, in every family of checkpoint, and how pieces become words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from tokenizers import decoders

import pgencoder
from pgencoder import Explaining, Piece, load_encoder
from pgencoder.encoders import Kind
from pgencoder.explain.words import Word, words
from tests import checkpoints
from tests.checkpoints import TEXT

TEXTS = [
    TEXT,
    TEXT * 5,  # cut at the limit
    "a vector of numbers",
    "  A Vector\n\n\tof  NUMBERS; don't index it. ",
    "Größe, naïve café e\u0301tude: İstanbul",
    "数据库 stores 行, 👩‍👩‍👧 1,000.5 rows",
    "ينتج أكسيد النيتريك",
    "[SEP] and [MASK] are a text here",
    "",
]
SPECIAL = {"[CLS]", "[SEP]", "[MASK]", "<s>", "</s>"}
SPACE = "Ġ"  # as RoBERTa's vocabulary writes it


def encoders(checkpoint: Callable[[str], str]) -> dict[str, Any]:
    families = {
        name: load_encoder(checkpoint("sbert"), checkpoint(name)) for name in ("bert", "roberta", "colbert", "stanford")
    }
    return {**families, "sbert": load_encoder(checkpoint("sbert")), "prompted": load_encoder(checkpoint("prompted"))}


def tokens(encoder: Any, text: str, kind: Kind) -> int:
    encoded = encoder.encode_query(text) if kind == "query" else encoder.encode_documents([text])[0]
    return len(encoded.tokens)


def check(encoder: Any, text: str, kind: Kind) -> list[Piece]:
    """Assert that there is a piece for each vector, and that the span of each, cut from the text, is that piece."""
    pieces: list[Piece] = encoder.pieces(text, kind)
    assert len(pieces) == tokens(encoder, text, kind)
    model = encoder._dense if encoder._tokens is None else encoder._tokens.model
    tokenizer, prompt = model.tokenizer, model.prompts.get(kind) or model.default_prompt_name
    normalizer = tokenizer.backend_tokenizer.normalizer
    for piece in pieces:
        if piece.span is None:
            assert piece.name in {*SPECIAL, SPACE} or prompt
            continue
        cut = text[slice(*piece.span)]
        if piece.name in (tokenizer.unk_token, *SPECIAL):
            assert cut
        elif normalizer is None:  # byte-level: a piece may be part of a character
            own = decoders.ByteLevel().decode([piece.name]).strip()
            assert own == cut or "\ufffd" in own
        else:
            assert normalizer.normalize_str(cut).strip() == piece.name.removeprefix("##")
    return pieces


@pytest.mark.filterwarnings("ignore:the query has")
@pytest.mark.parametrize("kind", ["query", "document"])
def test_every_vector_has_its_characters(
    checkpoint: Callable[[str], str], minilm: pgencoder.Encoder, kind: Kind
) -> None:
    for name, encoder in {**encoders(checkpoint), "minilm": minilm}.items():
        for text in TEXTS:
            pieces = check(encoder, text, kind)
            spans = [piece.span for piece in pieces if piece.span is not None]
            assert spans == sorted(spans), name
            if text.strip() and text.isascii() and "[" not in text:
                assert spans, name
                assert spans[0][0] == len(text) - len(text.lstrip())


def test_a_piece_is_that_of_the_vector(checkpoint: Callable[[str], str]) -> None:
    """The ids at the rows are those that the forward pass had."""
    for name in ("colbert", "stanford", "roberta"):
        encoder: Any = load_encoder(checkpoint("sbert"), checkpoint(name))
        model = encoder._tokens.model
        text = "a text of numbers; an index."
        for kind, encode in (("query", model.encode_query), ("document", model.encode_document)):
            item = encode([text], output_value=None, show_progress_bar=False)[0]
            specials = {model.tokenizer.cls_token, model.tokenizer.sep_token} if kind == "query" else set()
            ids = item["input_ids"][item["attention_mask"].bool()]
            names = model.tokenizer.convert_ids_to_tokens(ids.tolist())
            assert [piece.name for piece in encoder.pieces(text, kind)] == [n for n in names if n not in specials]


def test_what_is_no_text_has_no_characters(checkpoint: Callable[[str], str]) -> None:
    of = encoders(checkpoint)
    names = [piece.name for piece in of["colbert"].pieces("an index; a text.", "document")]
    assert names == ["[CLS]", "an", "index", "a", "text", "[SEP]"]  # its skiplist has ; and .
    expanded = of["colbert"].pieces("an index", "query")
    assert [(piece.name, piece.span) for piece in expanded][:3] == [("an", (0, 2)), ("index", (3, 8)), ("[MASK]", None)]
    assert {piece.name for piece in expanded[2:]} == {"[MASK]"}
    assert of["stanford"].pieces("an index", "document")[1] == Piece("[unused1]", None)
    prompted = of["prompted"].pieces("an index", "query")
    assert [piece.name for piece in prompted if piece.span is not None] == ["an", "index"]
    assert len(prompted) > 2


def test_a_default_prompt_shifts_nothing(checkpoint: Callable[[str], str], tmp_path: Any) -> None:
    """A model whose prompts have other names uses its default prompt, which its limit counts too."""
    transformer = Transformer(str(checkpoints.bert(tmp_path / "backbone")))
    model = SentenceTransformer(modules=[transformer, Pooling(32, "mean")], device="cpu")
    model.prompts = {"own": "a text: "}
    model.default_prompt_name = "own"
    model.save_pretrained(str(tmp_path / "model"))
    encoder = load_encoder(str(tmp_path / "model"))
    for text in ("an index", TEXT):
        check(encoder, text, "document")
    assert isinstance(encoder, Explaining)
    assert [piece.name for piece in encoder.pieces("an index", "query") if piece.span] == ["an", "index"]


def test_a_widened_query_has_a_piece_for_each_vector(checkpoint: Callable[[str], str]) -> None:
    encoder: Any = load_encoder(checkpoint("sbert"), checkpoint("colbert"))
    encoder._tokens.model[0].query_expansion = {"strategy": "min", "length": 20}
    pieces = encoder.pieces("an index", "query")
    assert len(pieces) == tokens(encoder, "an index", "query") == 18


@pytest.mark.parametrize(
    ("text", "cuts", "expected"),
    [
        ("replication lag", [(0, 5), (5, 11), (12, 15)], ["replication", "replication", "lag"]),
        ("don't", [(0, 3), (3, 4), (4, 5)], ["don't"] * 3),
        ("don't", [(0, 3), (4, 5)], ["don't"] * 2),  # a skiplist left the apostrophe out
        ("'quoted'", [(0, 1), (1, 7), (7, 8)], ["'", "quoted", "'"]),
        ("1,000.5 rows, 3.", [(0, 1), (1, 2), (2, 5), (5, 6), (6, 7), (8, 12), (12, 13), (14, 15), (15, 16)],
         ["1,000.5"] * 5 + ["rows", ",", "3", "."]),
        ("end.Next", [(0, 3), (3, 4), (4, 8)], ["end", ".", "Next"]),
        ("数据库", [(0, 1), (1, 2), (2, 3)], ["数", "据", "库"]),
        ("한국어 text", [(0, 1), (1, 3), (4, 8)], ["한국어", "한국어", "text"]),
        ("हिन्दी", [(0, 1), (1, 2), (2, 4), (4, 6)], ["हिन्दी"] * 4),
        ("cafe\u0301 नमस्ते x\ufe0f", [(0, 4), (6, 7), (7, 8), (8, 9), (10, 11), (13, 14)],
         ["cafe\u0301"] + ["नमस्ते"] * 4 + ["x\ufe0f"]),  # accents were stripped
        ("e\u0301e\u0301", [(0, 1), (1, 2), (2, 3), (3, 4)], ["e\u0301e\u0301"] * 4),  # and here not
        ("ไม่มี", [(0, 1), (1, 2), (3, 4)], ["ไ", "ม่", "มี"]),
        ("می\u200cخواهم x", [(0, 2), (3, 8), (9, 10)], ["می\u200cخواهم"] * 2 + ["x"]),
        ("👨\u200d👩 👍🏽\u200d", [(0, 1), (2, 3), (4, 6)], ["👨\u200d👩"] * 2 + ["👍🏽\u200d"]),
        ("😀 x", [(0, 1), (0, 1), (0, 1), (2, 3)], ["😀"] * 3 + ["x"]),  # bytes of one character
        (" index", [(1, 1), (1, 3), (3, 6)], ["index"] * 3),  # its space is a token
    ],
)  # fmt: skip
def test_pieces_become_words(text: str, cuts: list[tuple[int, int]], expected: list[str]) -> None:
    found = words(text, [Piece("", cut) for cut in cuts], len(cuts))
    assert [word.text for word in found] == expected
    assert all(word.span is not None and text[slice(*word.span)] == word.text for word in found)


def test_words_keep_their_marks(minilm: pgencoder.Encoder) -> None:
    text = "un cafe\u0301 noir, नमस्ते"
    pieces = minilm.pieces(text, "document")  # type: ignore[attr-defined]
    shown = [word.text for word in words(text, pieces, len(pieces)) if not word.special]
    assert list(dict.fromkeys(shown)) == ["un", "cafe\u0301", "noir", ",", "नमस्ते"]


def test_what_has_no_characters_is_special_and_what_does_not_fit_is_numbered() -> None:
    pieces = [Piece("[CLS]", None), Piece("Ġ", (3, 3)), Piece("a", (0, 1))]
    assert words("a  ", pieces, 3)[:2] == [Word("[CLS]", None, special=True), Word("Ġ", None, special=True)]
    assert words("a  ", pieces, 2) == [Word("token 1", None), Word("token 2", None)]
    assert words("a  ", None, 1) == [Word("token 1", None)]
