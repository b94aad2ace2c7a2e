"""Finds all pairs of vectors above a cosine, by matrix products, in bounded memory.

**Exact.** Each passage is compared with every other passage, in tiles of a matrix product in single precision. The
vectors are shortened first, but no pair is lost. A unit vector is rotated to the principal axes of a sample. It keeps
its first k coordinates and the length of the rest as one more coordinate. The product of two rests is at most the
product of their lengths, so the product of two shortened vectors is never less than the cosine (Cauchy and Schwarz).
The sample shows which k is fastest: 96 of MiniLM's 384 coordinates leave 1 pair in 10,000 too many at 0.8. Vectors
without structure keep all coordinates.

**Approximate.** Spherical k-means makes centres. Passages are compared, in the same tiles, only if they share one of
their nearest centres: some n^1.5 pairs of n passages. The number of centres for a passage is tested on similar pairs of
a sample, or on pairs that are made at the threshold if the sample has few. The HNSW index is slower: its fastest search
takes 0.6 ms, and tiles compare 200,000 pairs in that time.

**Then** the cosine of the few pairs that are left is computed from the stored halves in double precision. Products of
halves of length 1, and their sums, have at most 50 bits. The sum is therefore the same in any order, and the cosine of
a vector with itself is 1.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from pgencoder.pairs.spool import Floats, Indices, Spool
from pgencoder.types import PairMethod

logger = logging.getLogger(__name__)

Singles = NDArray[np.float32]
Tile = tuple[Indices, Indices]
T = TypeVar("T", bound=np.floating[Any])

BLOCK = 16_384  # passages that stay in memory while all others are compared with them
TILE = (1024, 4096)  # passages in a tile: 16 MiB of products
CHUNK = 4096  # pairs whose cosines are computed at once: 25 MiB for 384 dimensions
PIECE = 16 * CHUNK  # pairs that are processed at once
SAMPLE = (128, 4096)  # passages in the two samples; pairs across them test a number of axes, the second gives the axes
PARTS = (12, 8, 6, 4, 3, 2)  # a twelfth of the axes, an eighth, ...
SLACK = 1e-3  # more than the error of single precision in a product of 4,000 dimensions

# Seconds, measured on two cores (Zen 4): to look at a pair, to multiply one dimension of it, to compute its cosine
LOOK, MULTIPLY, COSINE = 0.8e-9, 2.5e-11, 4e-6
GATHER = 4e-5  # seconds to read a passage of a list
PATIENCE = 30.0  # "auto" is exact if all pairs take at most this many seconds

RECALL = 0.98  # wanted for the similar pairs in a sample
RECALL_MADE = 0.9  # wanted for pairs made at the threshold: they are the hardest, so the recall of all pairs is higher
ENOUGH = 100  # similar pairs that a sample needs
PROBES = (1, 2, 3, 4, 6, 8, 12, 16, 24)
MOST_CENTRES = 65_535  # 2 bytes can number them
TRIALS = (1000, 8192)  # passages that get a made pair, and passages that give its direction
PER_CENTRE = 16  # passages in the sample for k-means
TOGETHER = 256  # lists that are built at once
ROUNDS = 6


@dataclass(frozen=True)
class Similar:
    """Similar pairs of rows, by row number, with `row` < `other`; `looked` of `of` pairs of passages are compared."""

    row: Indices
    other: Indices
    cosine: Floats
    looked: int
    of: int


def similar_rows(spool: Spool, threshold: float, method: PairMethod) -> Iterator[Similar]:
    """Yield the pairs of rows whose best passages have at least the cosine `threshold`.

    Each pair comes once. The pairs come in pieces, which may be empty.
    """
    if len(spool) < 2:
        return
    comparison = _Comparison(spool, threshold)
    lists = _choose(comparison, method)
    looked = 0
    for number, members in enumerate(lists):
        for p, q, tile, pairs in comparison.candidates(members):
            looked += pairs
            for piece in comparison.pieces(q):
                here = lists.first_here(number, p[piece], q[piece])
                yield Similar(*comparison.rows(*here, tile if lists.once else None), looked, lists.comparisons)


class _Everything:
    """A single list of all passages, so that every pair is compared."""

    once = True

    def __init__(self, passages: int) -> None:
        self.passages = passages
        self.comparisons = passages * (passages - 1) // 2

    def __iter__(self) -> Iterator[Indices]:
        yield np.arange(self.passages, dtype=np.int32)

    def first_here(self, _number: int, p: Indices, q: Indices) -> tuple[Indices, Indices]:
        return p, q


def _choose(comparison: _Comparison, method: PairMethod) -> _Everything | _Near:
    passages = len(comparison.spool)
    everything = _Everything(passages)
    seconds = passages**2 / 2 * comparison.seconds
    if method == "exact" or (method == "auto" and seconds <= PATIENCE):
        logger.info("comparing all pairs of %s passages", f"{passages:,}")
        return everything
    near = _Near(comparison)
    if method == "auto" and near.recall < near.wanted:
        logger.info("comparing all pairs of %s passages: lists would not find enough pairs", f"{passages:,}")
        return everything
    if method == "auto" and near.comparisons * comparison.seconds + near.nearest.size * GATHER >= seconds:
        logger.info("comparing all pairs of %s passages: lists would take longer", f"{passages:,}")
        return everything
    logger.info(
        "comparing %s passages in %s lists, each in %s; this finds %.1f %% of the trial pairs",
        *(f"{passages:,}", f"{near.centres.shape[0]:,}", near.nearest.shape[1], near.recall * 100),
    )
    return near


class _Comparison:
    """Compares the vectors of a spool."""

    def __init__(self, spool: Spool, threshold: float) -> None:
        self.spool, self.threshold = spool, threshold
        self.random = np.random.default_rng(0)
        self.axes, self.seconds = self._shorten()

    def bounds(self, passages: Indices) -> Singles:
        """Return vectors of length 1 whose products are at least the cosines: shape (n, k + 1), or (n, dims)."""
        made = np.empty((len(passages), self.spool.dims if self.axes is None else self.axes.shape[1] + 1), np.float32)
        for start in range(0, len(passages), CHUNK):
            part = slice(start, start + CHUNK)
            units = _units(self.spool.take(passages[part]))
            made[part] = units if self.axes is None else _shortened(units @ self.axes)
        return made

    def candidates(self, members: Indices) -> Iterator[tuple[Indices, Indices, Tile, int]]:
        """Yield pairs of `members`, which ascend, that may be similar: (first, second, tile, number of compared pairs).

        The first passage of a pair is before the second, and the pairs are sorted by the second. `tile` has the
        passages of both sides that were compared.
        """
        height, width = TILE
        room = np.empty(height * width, np.float32)
        for start in range(0, len(members), BLOCK):
            held = members[start : start + BLOCK]
            waiting = self.bounds(held)
            for top in range(start, len(members), height):
                others = members[top : top + height]
                apart = top - start
                meeting = self.bounds(others) if apart >= len(held) else waiting[apart : apart + len(others)]
                for left in range(0, min(len(held), apart + len(others)), width):
                    columns = waiting[left : left + width]
                    tile = room[: len(meeting) * len(columns)].reshape(len(meeting), len(columns))
                    np.matmul(meeting, columns.T, out=tile)
                    q, p = np.divmod(np.flatnonzero(tile >= self.threshold - SLACK), tile.shape[1])
                    p, q = held[left + p], others[q]
                    before = p < q
                    looked = np.clip(np.arange(len(others)) + apart - left, 0, tile.shape[1]).sum()
                    yield p[before], q[before], (held[left : left + width], others), int(looked)

    def pieces(self, q: Indices) -> Iterator[slice]:
        """Yield the parts of pairs, sorted by second passage, to process at once; pairs of one row stay together."""
        starts = np.flatnonzero(np.diff(self.spool.row_of[q], prepend=-1))
        cuts = starts[1:][np.diff(starts // PIECE) > 0]
        return (slice(start, end) for start, end in pairwise([0, *cuts.tolist(), len(q)]))

    def rows(self, p: Indices, q: Indices, tile: Tile | None) -> tuple[Indices, Indices, Floats]:
        """Return the similar pairs of rows among pairs of passages, with their cosines.

        Only the best pair of passages of two rows counts, so that a pair of rows comes once. `tile` has the passages
        that were compared; if it contains all passages of two rows, it contains all their similar pairs.
        """
        cosine = self._cosines(p, q)
        row, other = self.spool.row_of[p], self.spool.row_of[q]
        similar = (cosine >= self.threshold) & (row != other)
        p, q, row, other, cosine = (each[similar] for each in (p, q, row, other, cosine))
        several = (self.spool.sizes[row] > 1) | (self.spool.sizes[other] > 1)
        if not several.any():
            return row, other, cosine
        pair = row.astype(np.int64) * self.spool.rows + other
        keep = ~several
        if tile is not None:
            whole = several & self._within(row, tile[0]) & self._within(other, tile[1])
            keep[_first_best(pair, cosine, whole)] = True
            several &= ~whole
        if several.any():
            pairs, number = np.unique(pair[several], return_inverse=True)
            best_p, best_q = self._best(*np.divmod(pairs, self.spool.rows))
            keep[several] = (p[several] == best_p[number]) & (q[several] == best_q[number])
        return row[keep], other[keep], cosine[keep]

    def _within(self, rows: Indices, passages: Indices) -> NDArray[np.bool_]:
        """Return True for each row with all its passages between the first and the last of `passages`."""
        first = self.spool.first[rows]
        return (passages[0] <= first) & (first + self.spool.sizes[rows] <= passages[-1] + 1)  # type: ignore[no-any-return]

    def _best(self, row: Indices, other: Indices) -> tuple[Indices, Indices]:
        """Return the best pair of passages of each pair of rows, the first if several are equal.

        It compares `PIECE` pairs at once, so that memory stays bounded.
        """
        of, sizes = self.spool.first, self.spool.sizes
        ends = np.cumsum(sizes[row] * sizes[other])
        starts = np.append(0, ends[:-1])
        best = np.full(len(row), -np.inf)
        p, q = np.empty((2, len(row)), np.int64)
        for start in range(0, ends[-1], PIECE):
            numbers = np.arange(start, min(start + PIECE, ends[-1]))
            pair = np.searchsorted(ends, numbers, "right")
            a, b = np.divmod(numbers - starts[pair], sizes[other[pair]])
            a, b = of[row[pair]] + a, of[other[pair]] + b
            cosine = self._cosines(a, b)
            found = _first_best(pair, cosine)
            found = found[cosine[found] > best[pair[found]]]
            best[pair[found]], p[pair[found]], q[pair[found]] = cosine[found], a[found], b[found]
        return p, q

    def _cosines(self, p: Indices, q: Indices) -> Floats:
        cosines = np.empty(len(p))
        for start in range(0, len(p), CHUNK):
            part = slice(start, start + CHUNK)
            # a passage is in many pairs where much is similar
            (a, i), (b, j) = (np.unique(each[part], return_inverse=True) for each in (p, q))
            x, y = self.spool.take(a), self.spool.take(b)
            cosines[part] = _cosine(np.einsum("ij,ij->i", x[i], y[j]), _squares(x)[i] * _squares(y)[j])
        return cosines

    def _shorten(self) -> tuple[Floats | None, float]:
        """Return the axes to keep, or None to keep whole vectors; and the seconds that a pair then takes."""
        dims = self.spool.dims
        whole = LOOK + dims * MULTIPLY
        if len(self.spool) < 16 * dims:  # the axes would take longer than the pairs
            return None, whole
        some, many = (self.sample(number) for number in SAMPLE)
        units = _units(self.spool.take(many))
        axes = np.linalg.eigh(units.T @ units)[1][:, ::-1]
        x, y = _units(self.spool.take(some)) @ axes, units @ axes
        others = some[:, None] != many
        choices = {whole: dims}
        for kept in (max(1, dims // part) for part in PARTS):
            products = _shortened(x[:, :kept]) @ _shortened(y[:, :kept]).T
            left = (products >= self.threshold - SLACK)[others].mean()
            choices.setdefault(LOOK + (kept + 1) * MULTIPLY + float(left) * COSINE, kept)
        best = min(choices)
        return (None if choices[best] == dims else np.ascontiguousarray(axes[:, : choices[best]])), best

    def sample(self, number: int) -> Indices:
        """Return up to `number` random passages in ascending order."""
        passages = len(self.spool)
        return np.sort(self.random.choice(passages, min(number, passages), replace=False))


class _Near:
    """Lists of passages that share a near centre; `recall` is measured on trial pairs, and `wanted` is its aim."""

    once = False  # two passages may be in several lists, and no list may have all passages of two rows

    def __init__(self, comparison: _Comparison) -> None:
        passages = len(comparison.spool)
        number = max(1, min(passages // 4, round(4 * passages**0.5), MOST_CENTRES))
        vectors = comparison.bounds(comparison.sample(number * PER_CENTRE))
        self.centres = _centres(vectors, number, comparison.random)
        probes = self._probes(vectors, comparison)
        self.nearest = np.empty((passages, probes), np.uint16)
        self.sizes = np.zeros(number, np.int64)
        for start in range(0, passages, CHUNK):
            part = np.arange(start, min(start + CHUNK, passages))
            nearest = self._nearest(comparison.bounds(part), probes)
            self.nearest[part] = nearest
            self.sizes += np.bincount(nearest.ravel(), minlength=number)
        self.comparisons = int((self.sizes * (self.sizes - 1) // 2).sum())

    def __iter__(self) -> Iterator[Indices]:
        for start in range(0, len(self.centres), TOGETHER):
            of = slice(start, start + TOGETHER)
            members, places = np.nonzero((self.nearest >= of.start) & (self.nearest < of.stop))
            order = np.argsort(self.nearest[members, places], kind="stable")
            yield from np.split(members[order].astype(np.int32), np.cumsum(self.sizes[of])[:-1])

    def first_here(self, number: int, p: Indices, q: Indices) -> tuple[Indices, Indices]:
        """Return the pairs that share no list before this one."""
        common = self.nearest[p][:, :, None] == self.nearest[q][:, None, :]
        first = np.where(common.any(2), self.nearest[p], MOST_CENTRES).min(1)
        here = first == number
        return p[here], q[here]

    def _nearest(self, vectors: Singles, probes: int) -> Indices:
        """Return the numbers of the nearest centres, the nearest first: shape (n, probes)."""
        found = np.empty((len(vectors), probes), np.int32)
        for start in range(0, len(vectors), TILE[0]):
            part = slice(start, start + TILE[0])
            distances = -vectors[part] @ self.centres.T
            nearest = np.argpartition(distances, probes - 1, axis=1)[:, :probes]
            order = np.argsort(np.take_along_axis(distances, nearest, 1), axis=1)
            found[part] = np.take_along_axis(nearest, order, 1)
        return found

    def _probes(self, vectors: Singles, comparison: _Comparison) -> int:
        """Return the number of nearest centres whose lists a passage must be in."""
        (x, y), self.wanted = self._trials(vectors, comparison)
        most = min(PROBES[-1], len(self.centres))
        near, far = self._nearest(x, most), self._nearest(y, most)
        for probes in [each for each in PROBES if each < most] + [most]:
            self.recall = float((near[:, :probes, None] == far[:, None, :probes]).any((1, 2)).mean())
            if self.recall >= self.wanted:
                break
        return probes

    def _trials(self, vectors: Singles, comparison: _Comparison) -> tuple[tuple[Singles, Singles], float]:
        """Return similar pairs of the sample, or pairs made at the threshold if it has few; and the wanted recall."""
        t = comparison.threshold
        x, others = (vectors[comparison.random.integers(len(vectors), size=size)] for size in TRIALS)
        products = x @ others.T
        products[products > 1 - SLACK] = -1  # itself
        first, second = np.nonzero(products >= t)
        if len(first) >= ENOUGH:
            some = comparison.random.integers(len(first), size=len(x))
            return (x[first[some]], others[second[some]]), RECALL
        z = others[products.argmax(1)]
        across = _units(z - np.einsum("ij,ij->i", x, z)[:, None] * x)
        return (x, t * x + (1 - t * t) ** 0.5 * across), RECALL_MADE


def _centres(vectors: Singles, number: int, random: np.random.Generator) -> Singles:
    """Spherical k-means: unit vectors of shape (number, k)."""
    centres = vectors[random.choice(len(vectors), number, replace=False)]
    for _ in range(ROUNDS):
        nearest = np.concatenate(
            [(vectors[i : i + CHUNK] @ centres.T).argmax(1) for i in range(0, len(vectors), CHUNK)]
        )
        order = np.argsort(nearest, kind="stable")
        there, starts = np.unique(nearest[order], return_index=True)
        centres[there] = _units(np.add.reduceat(vectors[order], starts, axis=0))
    return centres


def _units(vectors: NDArray[T]) -> NDArray[T]:
    norms = np.sqrt(_squares(vectors))
    return cast(NDArray[T], vectors / np.where(norms == 0, 1, norms)[:, None])


def _squares(vectors: NDArray[T]) -> NDArray[T]:
    return cast(NDArray[T], np.einsum("ij,ij->i", vectors, vectors))


def _shortened(coordinates: Floats) -> Singles:
    """Return shortened unit vectors: the given coordinates and the length of the rest."""
    rest = np.sqrt(np.maximum(0, 1 - _squares(coordinates)))
    return np.concatenate([coordinates, rest[:, None]], axis=1).astype(np.float32)


def _first_best(group: Indices, cosine: Floats, among: NDArray[np.bool_] | None = None) -> Indices:
    """Return the place of the best cosine in each group, the first if several are equal."""
    places = np.arange(len(group)) if among is None else np.flatnonzero(among)
    places = places[np.lexsort((-cosine[places], group[places]))]
    return places[np.diff(group[places], prepend=-1) > 0]


def _cosine(products: Floats, squares: Floats) -> Floats:
    """Return cosines from inner products and products of squared lengths; -1 for a vector of zeros."""
    cosine = np.full(products.shape, -1.0)
    np.divide(products, np.sqrt(squares), out=cosine, where=squares > 0)
    return np.asarray(np.minimum(cosine, 1))
