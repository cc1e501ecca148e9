"""The vectors of one stored representation, compared with queries.

What is small is kept in memory in float32; the rest is read from disk for each search, in blocks or the
rows that are wanted, over a few threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.index import row_reader
from soundalike.index.pca_prefilter import FirstPass
from soundalike.index.row_reader import RowReader, Rows

IN_MEMORY = 64_000_000
"""Arrays of up to so many numbers are kept in memory, 256 MB in float32."""
THREADS = 2
"""Over so many threads a search is spread; more do not read memory faster on small machines."""
_BLOCK = 1_024
_BLOCK_IN_MEMORY = 16 * _BLOCK
_SPREAD_FROM = 8 * _BLOCK
"""Of fewer tracks a search is not spread over threads."""
_PIECE = 8
"""So many rows are read and converted at a time where single rows are compared."""


class Vectors:
    """The vectors of all tracks by one stored representation.

    Parameters
    ----------
    reader : of the array [shape=(n, dim)]
    norms : their Euclidean norms, float32 [shape=(n,)]
    first_pass : of a heavy representation, what is compared with first
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

    def rows(self, rows: Rows) -> NDArray[np.float32]:
        """The vectors of some tracks [shape=(m, dim)]."""
        return self._reader.rows(rows)

    def subset(self, rows: NDArray[np.intp]) -> Vectors:
        """The vectors of some tracks alone."""
        first = None if self.first_pass is None else self.first_pass.subset(rows)
        return Vectors(self._reader.subset(rows), self.norms[rows], first)

    def column(self, dimension: int) -> NDArray[np.float32]:
        """One dimension of all tracks [shape=(n,)]."""
        return self._copy[:, dimension].copy() if self._fits else self._reader.column(dimension)

    def products(self, queries: NDArray[np.float32]) -> NDArray[np.float64]:
        """Inner products of queries [shape=(dim,) or (m, dim)] with all tracks [shape=(..., n)]."""
        n = self._reader.shape[0]
        products = np.empty((*queries.shape[:-1], n))

        def compare(first: int, last: int) -> None:
            for rows, block in self._blocks(first, last):
                products[..., rows] = queries @ block.T

        _spread(compare, n, queries)
        return products

    def encode(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """Queries as the first pass compares them; as they are where there is none."""
        return queries if self.first_pass is None else self.first_pass.encode(queries)

    def codes(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Some tracks' vectors as the first pass compares them, their lengths kept [shape=(m, ...)]."""
        if self.first_pass is None:
            return self.rows(rows)
        return self.first_pass.codes[rows] * self.norms[rows, np.newaxis]

    def estimates(self, queries: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        """As `products`, by the first pass where there is one, and exact otherwise."""
        first = self.first_pass
        if first is None:
            return self.products(queries)
        estimates = np.empty((*queries.shape[:-1], self._reader.shape[0]), np.float32)
        codes = first.encode(queries)

        def estimate(start: int, stop: int) -> None:
            np.matmul(codes, first.codes[start:stop].T, out=estimates[..., start:stop])

        _spread(estimate, self._reader.shape[0], queries)
        estimates *= self.norms
        return estimates

    def products_with(self, rows: NDArray[np.intp], query: NDArray[np.float32]) -> NDArray[np.float64]:
        """Inner products of one query [shape=(dim,)] with some tracks [shape=(m,)]."""
        if self._fits:
            return np.asarray(self._copy[rows] @ query, np.float64)
        products = np.empty(len(rows))
        reader = self._reader

        def compare(first: int, last: int) -> None:
            stored = np.empty((_PIECE, reader.shape[1]), reader.dtype)
            converted = np.empty(stored.shape, np.float32)
            with reader.open() as file:
                for start in range(first, last, _PIECE):
                    stop = min(start + _PIECE, last)
                    for place, row in enumerate(rows[start:stop]):
                        reader.read(file, int(row), stored[place])
                    block = row_reader.to_float32(stored, converted)[: stop - start]
                    products[start:stop] = block @ query

        _halve(compare, len(rows), _PIECE)
        return products

    @property
    def _fits(self) -> bool:
        n, dim = self._reader.shape
        return n * dim <= IN_MEMORY

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


def _spread(work: Callable[[int, int], None], count: int, queries: NDArray[np.float32]) -> None:
    """Do work on a range of tracks, by threads if they are many.

    Products with several queries are left to linear algebra's own threads, which others' would disturb.
    """
    if count < _SPREAD_FROM or queries.ndim > 1:
        work(0, count)
    else:
        _halve(work, count, _BLOCK)


def _halve(work: Callable[[int, int], None], count: int, unit: int) -> None:
    """Do work on parts of a range at once, each a multiple of a unit but the last."""
    share = max(-(-count // (THREADS * unit)), 1) * unit
    starts = range(0, count, share)
    list(_threads().map(lambda start: work(start, min(start + share, count)), starts))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1), "search")
