"""Splits contents into passages that the encoder's models read whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from semantic_text_splitter import TextSplitter

from pgencoder.encoders import UNKNOWN, Encoder, Window, windows_of
from pgencoder.types import Chunking, Span

# Tokens that a passage repeats of the one before it, so that a sentence cut in two is whole in one of them
OVERLAP = 32

# Characters that are split at once, for each token of a passage: enough for some passages, and not for many
STRETCH = 32

BLANK = " \t\n\r\f\v"  # the same in SQL: scan_rows.sql

Split = Callable[[Sequence[str]], list[list[Span]]]


def splitter(encoder: Encoder, chunking: Chunking) -> Split:
    """Return a function from contents to the spans of their passages; an empty content has none.

    "default" splits at the encoder's limit with an overlap of 32 tokens; "truncate" makes one passage of each row,
    which ends at the limit. Spans are in characters.
    """
    windows = windows_of(encoder)
    split: Split
    if not windows:
        split = _whole
    elif chunking == "truncate":
        split = partial(_truncated, windows=windows)
    else:
        capacity = min(window.capacity for window in windows)
        split = partial(_chunks, splitter=_text_splitter(windows), stretch=STRETCH * capacity)

    def skip_empty(texts: Sequence[str]) -> list[list[Span]]:
        filled = [text for text in texts if text.strip(BLANK)]
        found = iter(split(filled) if filled else [])
        return [(next(found) or [Span(0, len(text))]) if text.strip(BLANK) else [] for text in texts]

    return skip_empty


def mostly_unknown(encoder: Encoder) -> Callable[[Sequence[str]], list[bool]]:
    """Return a function that tells for each text if a model of the encoder knows less than half of its tokens.

    A text without any token counts as unknown. For an encoder without a tokenizer nothing is unknown.
    """
    windows = windows_of(encoder)
    tokenizers = [window.tokenizer for window in windows]
    names = [{tokenizer.token_to_id(name) for name in UNKNOWN} - {None} for tokenizer in tokenizers]

    def tell(texts: Sequence[str]) -> list[bool]:
        found = [False] * len(texts)
        for tokenizer, unknown in zip(tokenizers, names, strict=True):
            for i, encoding in enumerate(tokenizer.encode_batch(list(texts), add_special_tokens=False)):
                known = sum(token not in unknown for token in encoding.ids)
                found[i] |= known == 0 or 2 * known < len(encoding.ids)
        return found

    return tell


def longest(encoder: Encoder) -> Callable[[str], int]:
    """Return a function that gives an upper limit of a text's tokens without running the tokenizer."""
    most = max((window.capacity for window in windows_of(encoder)), default=None)
    return len if most is None else lambda text: min(len(text), most)


def _whole(texts: Sequence[str]) -> list[list[Span]]:
    return [[Span(0, len(text))] for text in texts]


def _chunks(texts: Sequence[str], splitter: TextSplitter, stretch: int) -> list[list[Span]]:
    """Split by stretches of that many characters, because the time for one can grow with the square of its length.

    The last chunk of a stretch is cut by the end of the stretch. The next stretch begins where this chunk began.
    """
    spans: list[list[Span]] = [[] for _ in texts]
    waiting = [(number, 0, stretch) for number in range(len(texts))]
    while waiting:
        pieces = [texts[number][start : start + length] for number, start, length in waiting]
        following = []
        for (number, start, length), found in zip(waiting, splitter.chunk_all_indices(pieces), strict=True):
            at_end = start + length >= len(texts[number])
            chunks = found if at_end else found[:-1]
            spans[number] += [Span(start + at, start + at + len(chunk)) for at, chunk in chunks]
            if not at_end:
                following.append((number, start + found[-1][0], stretch) if chunks else (number, start, 2 * length))
        waiting = following
    return spans


def _truncated(texts: Sequence[str], windows: Sequence[Window]) -> list[list[Span]]:
    ends = _ends(texts, windows)
    return [[Span(0, end, truncated=end < len(text))] for text, end in zip(texts, ends, strict=True)]


def _text_splitter(windows: Sequence[Window]) -> TextSplitter:
    capacity = min(window.capacity for window in windows)
    overlap = min(OVERLAP, capacity // 4)
    if len(windows) == 1:
        return TextSplitter.from_huggingface_tokenizer(windows[0].tokenizer, capacity, overlap=overlap)

    def length(text: str) -> int:
        # the fullest of the windows decides, in units of the smallest
        return max(-(-_count(window, text) * capacity // window.capacity) for window in windows)

    return TextSplitter.from_callback(length, capacity, overlap=overlap)


def _count(window: Window, text: str) -> int:
    return len(window.tokenizer.encode(text, add_special_tokens=False).ids)


def _ends(texts: Sequence[str], windows: Sequence[Window]) -> list[int]:
    """Return the ends of texts: the place where the model that reads the least of a text stops."""
    ends = [len(text) for text in texts]
    for window in windows:
        encodings = window.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        for i, encoding in enumerate(encodings):
            if len(encoding.ids) > window.capacity:
                ends[i] = min(ends[i], encoding.offsets[window.capacity - 1][1])
    return ends
