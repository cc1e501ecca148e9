"""A first pass over a whole representation: one product with the joined codes of all tracks.

A part's codes (`pca_prefilter`) are in the order of its principal directions, so the first half of them
tells nearly as much as all. Those of all parts, with the weights and divided by the length of the joined
vector, are one row per track, and the inner product with a query's row estimates the cosine. A search
for one query reads them only, a quarter of a kilobyte or two per track, instead of every part's codes
and norms. A part without codes is short, and takes part with its vectors.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from soundalike.index.vectors import Vectors, spread

SHARE = 2
"""Reciprocal of the share of a part's codes that is used."""
_BLOCK = 4_096


class JoinedCodes:
    """Joined codes of all tracks in a representation, in memory.

    Parameters
    ----------
    parts : the tracks' vectors, by stored representation
    weights : the parts' weights, by the same names
    lengths : lengths of the tracks' joined vectors [shape=(n,)]
    """

    def __init__(
        self, parts: Mapping[str, Vectors], weights: Mapping[str, float], lengths: NDArray[np.float64]
    ) -> None:
        self._parts = {name: parts[name] for name in weights}
        self._sizes = {name: _used(part) for name, part in self._parts.items()}
        n = len(lengths)
        # By column: the product with a vector is then up to twice as fast.
        self._codes = np.empty((n, sum(self._sizes.values())), np.float32, order="F")
        inverse = np.divide(1, lengths, out=np.zeros(n), where=lengths > 0)
        for start in range(0, n, _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, n))
            codes = [
                weights[name] ** 2 * part.codes(rows)[:, : self._sizes[name]]
                for name, part in self._parts.items()
            ]
            self._codes[rows] = np.concatenate(codes, axis=1) * inverse[rows, np.newaxis]

    @property
    def dimensions(self) -> int:
        """Length of a track's joined codes."""
        return int(self._codes.shape[1])

    def products(self, query: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Estimated cosines with one query, times its length [shape=(n,)].

        Parameters
        ----------
        query : vectors by stored representation [shape=(dim,) each]
        """
        encoded = [part.encode(query[name])[: self._sizes[name]] for name, part in self._parts.items()]
        joined = np.concatenate(encoded, dtype=np.float32)
        products = np.empty(len(self._codes), np.float32)

        def multiply(start: int, stop: int) -> None:
            np.matmul(self._codes[start:stop], joined, out=products[start:stop])

        spread(multiply, len(products), joined)
        return products


def _used(part: Vectors) -> int:
    """How many numbers of a part's codes are used."""
    return part.dimensions if part.first_pass is None else -(-part.first_pass.dimensions // SHARE)
