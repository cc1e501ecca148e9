"""The compressed first pass of a search among heavy vectors, whose best are then compared exactly.

A search over n tracks of 25,600 numbers reads them all, which takes seconds at 100,000 tracks. Here each
vector, scaled to length 1, is projected on its library's principal directions (PCA without centring, as
latent semantic analysis does it: Deerwester et al. 1990; by scikit-learn's randomised truncated SVD,
Halko, Martinsson and Tropp 2011, of a sample). The inner product of two such codes estimates the cosine:

    <q, x> ~ |x| <V q, V x / |x|>.

    <name>_pca.npy      the directions V, float32 [shape=(dimensions, dim)]
    <name>_codes.npy    each track's code V x / |x|, float32 [shape=(n, dimensions)]; 0 of a zero vector
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.index import storage
from soundalike.index.row_reader import RowReader

LONG = 200
"""Vectors of fewer numbers are compared exactly, however many there are."""
MANY = 64_000_000
"""Long vectors of more numbers than this altogether are compared in two passes: comparing so
many takes a twentieth of a second."""
MANY_TRACKS = 30_000
"""So are those of more tracks than this, since several parts may be joined in one search."""
DIMENSIONS = 128
LEAST_DIMENSIONS = 64
"""Short vectors have codes of this length."""
SAMPLE = 4_096
"""The directions are those of so many tracks, drawn at random."""
SEED = 0


class FirstPass:
    """Codes of all tracks by one representation.

    Parameters
    ----------
    directions, codes : as in the files
    """

    def __init__(self, directions: NDArray[np.float32], codes: NDArray[np.float32]) -> None:
        self.codes = codes
        self._directions = np.asarray(directions)

    def subset(self, rows: NDArray[np.intp]) -> FirstPass:
        """The codes of some tracks alone."""
        return FirstPass(self._directions, self.codes[rows])

    def encode(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """Codes of queries [shape=(dim,) or (m, dim)], their lengths kept [shape=(..., dimensions)]."""
        return np.asarray(queries @ self._directions.T, np.float32)


def worthwhile(n: int, dim: int) -> bool:
    """Whether n vectors of so many numbers are better searched in two passes."""
    return dim >= LONG and (n > MANY_TRACKS or n * dim > MANY)


def write(folder: Path, name: str, seed: int = SEED) -> None:
    """Write the two arrays; memory is bounded by the sample, 420 MB of 25,600 numbers each, twice.

    Parameters
    ----------
    folder : an unfinished index with `<name>.npy` and `<name>_norms.npy`
    name : a stored representation
    seed : of the sample and of the decomposition
    """
    reader = RowReader(folder / f"{name}.npy")
    norms = np.asarray(storage.open_array(folder / f"{name}_norms.npy"))
    directions = _directions(reader, norms, seed)
    storage.save(folder, f"{name}_pca", directions)
    shape = (reader.shape[0], len(directions))
    codes = storage.create(folder, f"{name}_codes", shape, np.float32)
    for rows, block in reader.blocks():
        codes[rows] = _of_length_1(block, norms[rows]) @ directions.T
    codes.flush()


def _directions(reader: RowReader, norms: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    from sklearn.decomposition import TruncatedSVD

    n, dim = reader.shape
    rows = np.sort(np.random.default_rng(seed).choice(n, min(SAMPLE, n), replace=False))
    sample = _of_length_1(reader.rows(rows), norms[rows])
    wanted = min(max(dim // 8, LEAST_DIMENSIONS), DIMENSIONS)
    reducer = TruncatedSVD(min(wanted, dim, len(rows)), random_state=seed)
    return np.asarray(reducer.fit(sample).components_, np.float32)


def _of_length_1(rows: NDArray[np.float32], norms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows scaled in place to length 1, but zero vectors."""
    rows /= np.where(norms > 0, norms, 1)[:, np.newaxis]
    return rows
