"""Exact and approximate comparison of queries with the vectors of a stored representation.

Small arrays are kept in memory in float32. Others are read from disk for each search, in blocks or by
row, with a few threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.index.pca_prefilter import FirstPass
from soundalike.index.row_reader import RowReader, Rows

IN_MEMORY = 64_000_000
"""Maximum number of values of an array kept in memory, 256 MB in float32."""
THREADS = 2
"""Number of threads per search; more don't read memory faster on small machines."""
_BLOCK = 1_024
_BLOCK_IN_MEMORY = 16 * _BLOCK
_SPREAD_FROM = 8 * _BLOCK
"""Minimum number of tracks for a multithreaded search."""
_ALONE = 1 << 20
"""Number of values of single rows from which more than one thread compares them."""


class Vectors:
    """The vectors of all tracks in one stored representation.

    Parameters
    ----------
    reader : reader of the array [shape=(n, dim)]
    norms : Euclidean norms, float32 [shape=(n,)]
    first_pass : codes for a compressed first pass, for a heavy representation
    """

    def __init__(
        self,
        reader: RowReader,
        norms: NDArray[np.float32],
        first_pass: FirstPass | None = None,
    ) -> None:
        self.norms = norms
        self.first_pass = first_pass
        self._reader = reader

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._reader.shape[1]

    def rows(self, rows: Rows) -> NDArray[np.float32]:
        """The vectors of some tracks [shape=(m, dim)]."""
        return self._reader.rows(rows)

    def subset(self, rows: NDArray[np.intp]) -> Vectors:
        """The vectors of some tracks only."""
        first = None if self.first_pass is None else self.first_pass.subset(rows)
        return Vectors(self._reader.subset(rows), self.norms[rows], first)

    def column(self, dimension: int) -> NDArray[np.float32]:
        """One dimension of all tracks [shape=(n,)]."""
        if self._fits:
            return self._copy[:, dimension].copy()
        return self._reader.column(dimension)

    def products(self, queries: NDArray[np.float32]) -> NDArray[np.float64]:
        """Inner products of queries [shape=(dim,) or (m, dim)] with all tracks [shape=(..., n)]."""
        n = self._reader.shape[0]
        products = np.empty((*queries.shape[:-1], n))

        def compare(first: int, last: int) -> None:
            for rows, block in self._blocks(first, last):
                products[..., rows] = queries @ block.T

        spread(compare, n, queries)
        return products

    def encode(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """Encode queries for the first pass; unchanged if there is none."""
        return queries if self.first_pass is None else self.first_pass.encode(queries)

    def codes(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Codes of some tracks' vectors for the first pass, scaled to their norms [shape=(m, ...)]."""
        if self.first_pass is None:
            return self.rows(rows)
        return self.first_pass.codes.rows(rows) * self.norms[rows, np.newaxis]

    def estimates(self, queries: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        """As `products`, estimated by the first pass if there is one, exact otherwise."""
        first = self.first_pass
        if first is None:
            return self.products(queries)
        estimates = np.empty((*queries.shape[:-1], self._reader.shape[0]), np.float32)
        codes = first.encode(queries)

        def estimate(start: int, stop: int) -> None:
            for rows, block in first.codes.blocks(None, start, stop):
                np.matmul(codes, block.T, out=estimates[..., rows])

        spread(estimate, self._reader.shape[0], queries)
        estimates *= self.norms
        return estimates

    def products_with(self, rows: NDArray[np.intp], query: NDArray[np.float32]) -> NDArray[np.float64]:
        """Inner products of one query [shape=(dim,)] with some tracks [shape=(m,)]."""
        if self._fits:
            return np.asarray(self._copy[rows] @ query, np.float64)
        products = np.empty(len(rows))

        def compare(first: int, last: int) -> None:
            for places, block in self._reader.pieces(rows[first:last]):
                products[first + places.start : first + places.stop] = block @ query

        if len(rows) * self._reader.shape[1] < _ALONE:
            compare(0, len(rows))
        else:
            _parallel(compare, len(rows), 1)
        return products

    @property
    def _fits(self) -> bool:
        """Whether all vectors are kept in memory; with a first pass, few of them are ever compared."""
        n, dim = self._reader.shape
        return self.first_pass is None and n * dim <= IN_MEMORY

    @cached_property
    def _copy(self) -> NDArray[np.float32]:
        copy = np.empty(self._reader.shape, np.float32)
        for rows, block in self._reader.blocks():
            copy[rows] = block
        return copy

    def _blocks(self, first: int, last: int) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        if not self._fits:
            yield from self._reader.blocks(_BLOCK, first, last)
            return
        for start in range(first, last, _BLOCK_IN_MEMORY):
            rows = slice(start, min(start + _BLOCK_IN_MEMORY, last))
            yield rows, self._copy[rows]


def spread(work: Callable[[int, int], None], count: int, queries: NDArray[np.float32]) -> None:
    """Process a range of tracks, with threads if there are many tracks.

    Products with several queries use the threads of the linear algebra library instead; combining both
    would slow them down.
    """
    if count < _SPREAD_FROM or queries.ndim > 1:
        work(0, count)
    else:
        _parallel(work, count, _BLOCK)


def _parallel(work: Callable[[int, int], None], count: int, unit: int) -> None:
    """Process parts of a range in parallel; each size but the last is a multiple of a unit."""
    share = max(-(-count // (THREADS * unit)), 1) * unit
    starts = range(0, count, share)
    list(_threads().map(lambda start: work(start, min(start + share, count)), starts))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1), "search")
