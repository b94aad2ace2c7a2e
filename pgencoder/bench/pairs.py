"""Measures the search for similar pairs: seconds, recall and memory of each method, each in a separate process."""

from __future__ import annotations

import multiprocessing
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from pgencoder.bench.ingest import peak_mib
from pgencoder.bench.scratch import scratch
from pgencoder.bench.write import NullEncoder
from pgencoder.database import Database
from pgencoder.errors import InvalidRequest
from pgencoder.opening import connect
from pgencoder.progress import Progress
from pgencoder.statements import identifier, query
from pgencoder.types import PairMethod
from pgencoder.vectors import Halfvec, normalize

NAME = "bench_pairs"
SENTENCES = 10_000
THRESHOLD = 0.8
DIMS = 384
EVERY = 20  # one of this many sentences has a twin
CLOSEST, FARTHEST = 1.0, 0.6  # cosines between twins
BATCH = 10_000


@dataclass(frozen=True)
class PairsResult:
    """The result of one method.

    `found` of its `pairs` are true pairs, and `recall` is their share of all true pairs. The first pair came after
    `first_seconds`. `peak_mib` is the most memory that the process used, `idle_mib` its memory before the search.
    """

    method: PairMethod
    seconds: float
    first_seconds: float
    pairs: int
    found: int
    recall: float
    peak_mib: float
    idle_mib: float


@dataclass(frozen=True)
class PairsReport:
    """The result of a benchmark on synthetic sentences with `true_pairs` planted pairs at or above the threshold."""

    sentences: int
    dims: int
    threshold: float
    true_pairs: int
    results: list[PairsResult]

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return asdict(self)


def pairs(
    db: Database,
    sentences: int = SENTENCES,
    threshold: float = THRESHOLD,
    methods: Sequence[PairMethod] = ("exact", "ann"),
    progress: Callable[[str], AbstractContextManager[Progress]] = lambda _: nullcontext(lambda *_: None),
) -> PairsReport:
    """Plant true pairs among synthetic sentences and let each method search for them.

    `progress` takes the label of a step and returns a context with the function that reports its progress.
    """
    if sentences < 2 * EVERY:
        raise InvalidRequest(f"sentences must be at least {2 * EVERY}, got {sentences}")
    results = []
    with scratch(db, NAME):
        with progress("planting") as tell:
            true = _plant(db, sentences, threshold, tell)
        for method in methods:
            with progress(method) as tell:
                results.append(_alone(db, threshold, method, true, tell))
    return PairsReport(sentences, DIMS, threshold, len(true), results)


def synthetic(sentences: int) -> Iterator[tuple[range, NDArray[np.float16]]]:
    """Yield batches of vectors with the spectrum of a sentence model; each twentieth vector has a twin after it."""
    random = np.random.default_rng(0)
    spread = (np.arange(DIMS) + 10) ** -0.5
    turned = np.linalg.qr(random.standard_normal((DIMS, DIMS)))[0]
    for start in range(0, sentences, BATCH):
        ids = range(start, min(start + BATCH, sentences))
        vectors = normalize(random.standard_normal((len(ids), DIMS), dtype=np.float32) * spread @ turned)
        first = np.arange(0, len(ids) - 1, EVERY)
        x, z = vectors[first], vectors[first + 1]
        across = normalize(z - np.sum(x * z, axis=1, keepdims=True) * x)
        cosine = random.uniform(FARTHEST, CLOSEST, (len(first), 1)).astype(np.float32)
        vectors[first + 1] = cosine * x + np.sqrt(1 - cosine**2) * across
        yield ids, vectors.astype(np.float16)


def _plant(db: Database, sentences: int, threshold: float, progress: Progress) -> set[int]:
    """Create a table of vectors and adopt them; return the ids of the first sentences of the true pairs."""
    true: set[int] = set()
    with db.connection() as connection:
        connection.execute(query("bench_sentences").format(vector=identifier(db.vector_schema), dims=sql.Literal(DIMS)))
        copy_in = f"COPY {NAME}.sentences FROM STDIN (FORMAT binary)"
        for ids, vectors in synthetic(sentences):
            with connection.cursor().copy(copy_in) as copy:
                for i, row in zip(ids, vectors, strict=True):
                    copy.write_row((np.int32(i), f"sentence {i}", Halfvec(row)))
            first = np.arange(0, len(ids) - 1, EVERY)
            x, y = vectors[first].astype(np.float64), vectors[first + 1].astype(np.float64)
            cosine = np.sum(x * y, axis=1) / np.sqrt(np.sum(x * x, axis=1) * np.sum(y * y, axis=1))
            true.update((ids.start + first[cosine >= threshold]).tolist())
    db.attach("sentences", ["body"], NullEncoder(), schema=NAME, name=NAME)
    db.adopt(NAME, "sentences", "dense", schema=NAME, progress=progress)
    return true


def _alone(db: Database, threshold: float, method: PairMethod, true: set[int], progress: Progress) -> PairsResult:
    """Search in a new process, so that its memory is the memory of this method."""
    context = multiprocessing.get_context("spawn")
    url = db.engine.url.render_as_string(hide_password=False)
    news = context.SimpleQueue()
    with ProcessPoolExecutor(1, context, _remember, (news,)) as executor:
        running = executor.submit(_search, url, threshold, method, true)
        running.add_done_callback(lambda _: news.put(None))
        while (step := news.get()) is not None:
            progress(*step)
        return running.result()


_news: Any = None  # a process can get a queue only at its start


def _remember(news: Any) -> None:
    global _news
    _news = news


def _search(url: str, threshold: float, method: PairMethod, true: set[int]) -> PairsResult:
    with connect(url) as db:
        db.collection(NAME)
        idle = _peak_mib()
        told = started = time.perf_counter()

        def tell(done: int, total: int) -> None:
            nonlocal told
            if time.perf_counter() - told > 0.1:
                _news.put((done, total))
                told = time.perf_counter()

        first, number, found = 0.0, 0, 0
        for pair in db.similar_pairs(NAME, threshold, method=method, progress=tell):
            first = first or time.perf_counter() - started
            number += 1
            found += pair.other == pair.key + 1 and pair.key in true
        seconds = time.perf_counter() - started
        recall = found / len(true) if true else 1.0
        return PairsResult(method, seconds, first, number, found, recall, _peak_mib(), idle)


def _peak_mib() -> float:
    # ru_maxrss includes memory of the parent on Linux, but VmHWM does not
    status = Path("/proc/self/status")
    if status.exists() and (peak := re.search(r"VmHWM:\s+(\d+) kB", status.read_text())):
        return int(peak[1]) / 1024
    return peak_mib()
