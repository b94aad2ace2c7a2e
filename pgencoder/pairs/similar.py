"""Which of many vectors are similar: all pairs above a cosine, by matrix products, in bounded memory.

**Exact.** Every passage meets every other one in tiles of a matrix product in single precision, on vectors made shorter
without losing a pair: a unit vector is turned to the principal axes of a sample, its first k coordinates are kept, and
one more, the length of the rest. As the product of two rests is at most the product of their lengths, the product of
two such vectors is never less than the cosine (Cauchy and Schwarz). The sample says which k is fastest: of MiniLM's 384
coordinates 96 leave 1 pair in 10,000 too many at 0.8. Vectors without structure keep all of theirs.

**Approximate.** Spherical k-means, and only passages that have one of their nearest centres in common meet, in the
same tiles: some n^1.5 pairs of n passages. To how many centres a passage goes is tried on similar pairs of a sample,
or on pairs made at the threshold where it has few. The HNSW index is no rival: in the 0.6 ms that its fastest search
takes, tiles compare 200,000 pairs.

**Then**, for the few that are left, the cosine is computed from the stored halves in double precision. Products of
halves of length 1 and their sums have at most 50 bits, so the sum is the same in whatever order, and a vector's cosine
with itself is 1.
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

BLOCK = 16_384  # passages that are held for all others to meet
TILE = (1024, 4096)  # how many meet at once: 16 MiB of products
CHUNK = 4096  # pairs whose cosines are computed at once: 25 MiB for 384 dimensions
PIECE = 16 * CHUNK  # pairs that are taken on at once
SAMPLE = (128, 4096)  # passages whose pairs show what a number of axes leaves; the second ones have the axes
PARTS = (12, 8, 6, 4, 3, 2)  # a twelfth of the axes, an eighth, ...
SLACK = 1e-3  # more than single precision errs in a product of 4,000 dimensions

# Seconds a pair, measured on two cores (Zen 4): to look at one, for each dimension, and for a cosine
LOOK, MULTIPLY, COSINE = 0.8e-9, 2.5e-11, 4e-6
GATHER = 4e-5  # to read a passage of a list
PATIENCE = 30.0  # seconds that all pairs are worth: "auto" is exact up to there

RECALL = 0.98  # of similar pairs in a sample
RECALL_MADE = 0.9  # of pairs made at the very threshold where a sample has few: the hardest, so of all it is more
ENOUGH = 100  # pairs to go by
PROBES = (1, 2, 3, 4, 6, 8, 12, 16, 24)
MOST_CENTRES = 65_535  # which 2 bytes can number
TRIALS = (1000, 8192)  # passages that get a pair made, and those among which its direction is looked for
PER_CENTRE = 16  # passages in the sample for k-means
TOGETHER = 256  # lists that are made at once
ROUNDS = 6


@dataclass(frozen=True)
class Similar:
    """Pairs of rows, by number, `row` before `other`; and how many pairs of passages were looked at, of how many."""

    row: Indices
    other: Indices
    cosine: Floats
    looked: int
    of: int


def similar_rows(spool: Spool, threshold: float, method: PairMethod) -> Iterator[Similar]:
    """The pairs of rows whose best passages have at least this cosine, each once, in pieces that may be empty."""
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
    """One list of all passages, so that everything meets."""

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
        logger.info("comparing all pairs of %s passages: no lists would find enough of them", f"{passages:,}")
        return everything
    if method == "auto" and near.comparisons * comparison.seconds + near.nearest.size * GATHER >= seconds:
        logger.info("comparing all pairs of %s passages: lists would take longer", f"{passages:,}")
        return everything
    logger.info(
        "comparing %s passages in %s lists, each in %s; of the trial pairs that finds %.1f %%",
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
        """Vectors of length 1 whose products are at least the cosines: shape (n, k + 1), or (n, dims)."""
        made = np.empty((len(passages), self.spool.dims if self.axes is None else self.axes.shape[1] + 1), np.float32)
        for start in range(0, len(passages), CHUNK):
            part = slice(start, start + CHUNK)
            units = _units(self.spool.take(passages[part]))
            made[part] = units if self.axes is None else _shortened(units @ self.axes)
        return made

    def candidates(self, members: Indices) -> Iterator[tuple[Indices, Indices, Tile, int]]:
        """Pairs of `members`, ascending, that may be similar, the first before the second; of so many looked at.

        They come by the second, and with the passages of either side that met.
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
        """Of pairs by their second passage, the parts to take on at once; what is of one row stays together."""
        starts = np.flatnonzero(np.diff(self.spool.row_of[q], prepend=-1))
        cuts = starts[1:][np.diff(starts // PIECE) > 0]
        return (slice(start, end) for start, end in pairwise([0, *cuts.tolist(), len(q)]))

    def rows(self, p: Indices, q: Indices, tile: Tile | None) -> tuple[Indices, Indices, Floats]:
        """The pairs of rows that are similar, out of pairs of passages.

        A pair of rows comes with its best pair of passages and with no other, so that each comes once. With `tile`,
        the passages that met, there are all similar pairs of the rows that are whole in it.
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
        """Which rows have all their passages among those from the first to the last of `passages`."""
        first = self.spool.first[rows]
        return (passages[0] <= first) & (first + self.spool.sizes[rows] <= passages[-1] + 1)  # type: ignore[no-any-return]

    def _best(self, row: Indices, other: Indices) -> tuple[Indices, Indices]:
        """The first of the best pairs of passages of each pair of rows; compares so many at once, however many are."""
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
        """The axes to keep, None for the vectors as they are; and the seconds that a pair then takes."""
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
        """So many passages, if there are, ascending."""
        passages = len(self.spool)
        return np.sort(self.random.choice(passages, min(number, passages), replace=False))


class _Near:
    """Lists of passages that have a near centre in common; `recall` of trial pairs, and what is `wanted`."""

    once = False  # passages may meet in several lists, and not all of two rows in any

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
        """The pairs that have no list in common before this one."""
        common = self.nearest[p][:, :, None] == self.nearest[q][:, None, :]
        first = np.where(common.any(2), self.nearest[p], MOST_CENTRES).min(1)
        here = first == number
        return p[here], q[here]

    def _nearest(self, vectors: Singles, probes: int) -> Indices:
        """The numbers of the nearest centres, the nearest first: shape (n, probes)."""
        found = np.empty((len(vectors), probes), np.int32)
        for start in range(0, len(vectors), TILE[0]):
            part = slice(start, start + TILE[0])
            distances = -vectors[part] @ self.centres.T
            nearest = np.argpartition(distances, probes - 1, axis=1)[:, :probes]
            order = np.argsort(np.take_along_axis(distances, nearest, 1), axis=1)
            found[part] = np.take_along_axis(nearest, order, 1)
        return found

    def _probes(self, vectors: Singles, comparison: _Comparison) -> int:
        """To how many centres a passage must go."""
        (x, y), self.wanted = self._trials(vectors, comparison)
        most = min(PROBES[-1], len(self.centres))
        near, far = self._nearest(x, most), self._nearest(y, most)
        for probes in [each for each in PROBES if each < most] + [most]:
            self.recall = float((near[:, :probes, None] == far[:, None, :probes]).any((1, 2)).mean())
            if self.recall >= self.wanted:
                break
        return probes

    def _trials(self, vectors: Singles, comparison: _Comparison) -> tuple[tuple[Singles, Singles], float]:
        """Pairs of the sample, if it has enough, else pairs made at the threshold; and the recall wanted of them."""
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
    """The first coordinates of unit vectors and the length of the rest."""
    rest = np.sqrt(np.maximum(0, 1 - _squares(coordinates)))
    return np.concatenate([coordinates, rest[:, None]], axis=1).astype(np.float32)


def _first_best(group: Indices, cosine: Floats, among: NDArray[np.bool_] | None = None) -> Indices:
    """Where the best of each group is, the first of equals."""
    places = np.arange(len(group)) if among is None else np.flatnonzero(among)
    places = places[np.lexsort((-cosine[places], group[places]))]
    return places[np.diff(group[places], prepend=-1) > 0]


def _cosine(products: Floats, squares: Floats) -> Floats:
    """Of inner products and the products of the squared lengths; a vector of zeros is like nothing: -1."""
    cosine = np.full(products.shape, -1.0)
    np.divide(products, np.sqrt(squares), out=cosine, where=squares > 0)
    return np.asarray(np.minimum(cosine, 1))
