"""The vectors of one stored representation: read from disk row by row, and compared with queries.

What is small is kept in memory in float32, the rest is read in blocks for each search. Rows of large
arrays are read with ordinary reads rather than through a memory map, whose pages would stay counted as
the program's own: a server's memory then does not grow with what it was asked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike import halves
from soundalike.first_pass import FirstPass

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

Rows = Sequence[int] | NDArray[np.integer[Any]]


class Vectors:
    """The vectors of all tracks by one stored representation.

    Parameters
    ----------
    path : the array's file, in C order
    matrix : the array, float16 [shape=(n, dim)], memory-mapped
    norms : their Euclidean norms, float32 [shape=(n,)]
    first_pass : of a heavy representation, what is compared with first
    """

    def __init__(
        self,
        path: Path,
        matrix: NDArray[Any],
        norms: NDArray[np.float32],
        first_pass: FirstPass | None = None,
    ) -> None:
        self.norms = norms
        self.first_pass = first_pass
        self._path = path
        self._matrix = matrix

    def rows(self, rows: Rows) -> NDArray[np.float32]:
        """The vectors of some tracks [shape=(m, dim)]."""
        wanted = np.asarray(rows, np.intp)
        if self._fits:
            return np.asarray(self._matrix[wanted], np.float32)
        found = np.empty((len(wanted), self._matrix.shape[1]), np.float32)
        stored = np.empty((1, self._matrix.shape[1]), np.float16)
        with self._path.open("rb", buffering=0) as file:
            for place, row in enumerate(wanted):
                self._read(file, int(row), stored)
                halves.to_float32(stored, found[place : place + 1])
        return found

    def products(self, queries: NDArray[np.float32]) -> NDArray[np.float64]:
        """Inner products of queries [shape=(dim,) or (m, dim)] with all tracks [shape=(..., n)]."""
        n = len(self._matrix)
        size = _BLOCK_IN_MEMORY if self._fits else _BLOCK
        products = np.empty((*queries.shape[:-1], n))

        def compare(first: int, last: int) -> None:
            with self._path.open("rb", buffering=0) as file:
                for start in range(first, last, size):
                    stop = min(start + size, last)
                    products[..., start:stop] = queries @ self._block(file, start, stop).T

        spread(compare, n)
        return products

    def estimates(self, queries: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        """As `products`, by the first pass where there is one, and exact otherwise."""
        first = self.first_pass
        if first is None:
            return self.products(queries)
        estimates = np.empty((*queries.shape[:-1], len(self._matrix)), np.float32)
        codes = first.encode(queries)

        def estimate(start: int, stop: int) -> None:
            np.matmul(codes, first.codes[start:stop].T, out=estimates[..., start:stop])

        spread(estimate, len(self._matrix))
        estimates *= self.norms
        return estimates

    def products_with(self, rows: NDArray[np.intp], query: NDArray[np.float32]) -> NDArray[np.float64]:
        """Inner products of one query [shape=(dim,)] with some tracks [shape=(m,)]."""
        products = np.empty(len(rows))

        if self._fits:
            products[:] = self.rows(rows) @ query
            return products

        def compare(first: int, last: int) -> None:
            dim = self._matrix.shape[1]
            stored = np.empty((_PIECE, dim), np.float16)
            converted = np.empty((_PIECE, dim), np.float32)
            with self._path.open("rb", buffering=0) as file:
                for start in range(first, last, _PIECE):
                    stop = min(start + _PIECE, last)
                    for place, row in enumerate(rows[start:stop]):
                        self._read(file, int(row), stored[place : place + 1])
                    products[start:stop] = halves.to_float32(stored, converted)[: stop - start] @ query

        _halve(compare, len(rows), _PIECE)
        return products

    @property
    def _fits(self) -> bool:
        return self._matrix.size <= IN_MEMORY or self._matrix.dtype != np.float16

    @cached_property
    def _copy(self) -> NDArray[np.float32]:
        return np.asarray(self._matrix, np.float32)

    def _block(self, file: Any, start: int, stop: int) -> NDArray[np.float32]:
        if self._fits:
            return self._copy[start:stop]
        stored = np.empty((stop - start, self._matrix.shape[1]), np.float16)
        self._read(file, start, stored)
        return halves.to_float32(stored)

    def _read(self, file: Any, row: int, into: NDArray[np.float16]) -> None:
        """Read rows from a row on, as many as there is room for."""
        file.seek(self._matrix.offset + row * into[0].nbytes)  # type: ignore[attr-defined]
        file.readinto(into)


def spread(work: Callable[[int, int], None], count: int) -> None:
    """Do work on a range of tracks, from the first to before the last, by threads if they are many."""
    if count < _SPREAD_FROM:
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
