"""PCA prefilter: a compressed first pass over long vectors, whose best results are compared exactly.

An exact search over n tracks of 25,600 numbers reads them all, which takes seconds for 100,000 tracks.
Here each vector, normalised to length 1, is projected onto its library's principal directions (PCA
without centring, as in latent semantic analysis: Deerwester et al. 1990; computed from a sample by
scikit-learn's randomised truncated SVD, Halko, Martinsson and Tropp 2011). The inner product of two such
codes estimates the cosine:

    <q, x> ~ |x| <V q, V x / |x|>.

    <name>_pca.npy      the directions V, float32 [shape=(dimensions, dim)]
    <name>_codes.npy    each track's code V x / |x|, float32 [shape=(n, dimensions)]; 0 if x is zero
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.index import storage
from soundalike.index.row_reader import RowReader

LONG = 200
"""Minimum vector length for two passes; shorter vectors are always compared exactly."""
MANY = 64_000_000
"""Maximum total number of values of long vectors to compare exactly, which takes a twentieth of a
second."""
MANY_TRACKS = 30_000
"""Maximum number of tracks to compare exactly; lower because a search may join several parts."""
DIMENSIONS = 128
LEAST_DIMENSIONS = 64
"""Minimum length of a code, for short vectors."""
SAMPLE = 4_096
"""Number of randomly sampled tracks from which the directions are computed."""
SEED = 0


class FirstPass:
    """Codes of all tracks in one representation.

    Parameters
    ----------
    directions : array of the file
    codes : reader of the other
    """

    def __init__(self, directions: NDArray[np.float32], codes: RowReader) -> None:
        self.codes = codes
        self._directions = np.asarray(directions)

    @property
    def dimensions(self) -> int:
        """Length of a code."""
        return self.codes.shape[1]

    def subset(self, rows: NDArray[np.intp]) -> FirstPass:
        """The codes of some tracks only."""
        return FirstPass(self._directions, self.codes.subset(rows))

    def encode(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """Encode queries [shape=(dim,) or (m, dim)] without normalising [shape=(..., dimensions)]."""
        return np.asarray(queries @ self._directions.T, np.float32)


def worthwhile(n: int, dim: int) -> bool:
    """Whether n vectors of length dim are better searched in two passes."""
    return dim >= LONG and (n > MANY_TRACKS or n * dim > MANY)


def write(folder: Path, name: str, seed: int = SEED) -> None:
    """Write the two arrays; memory is bounded by twice the sample (420 MB for vectors of 25,600).

    Parameters
    ----------
    folder : an unfinished index with `<name>.npy` and `<name>_norms.npy`
    name : a stored representation
    seed : seed of the sample and the decomposition
    """
    reader = RowReader(folder / f"{name}.npy")
    norms = np.asarray(storage.open_array(folder / f"{name}_norms.npy"))
    directions = _directions(reader, norms, seed)
    storage.save(folder, f"{name}_pca", directions)
    shape = (reader.shape[0], len(directions))
    codes = storage.create(folder, f"{name}_codes", shape, np.float32)
    for rows, block in reader.blocks():
        codes[rows] = _normalise(block, norms[rows]) @ directions.T
    codes.flush()


def _directions(reader: RowReader, norms: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    from sklearn.decomposition import TruncatedSVD

    n, dim = reader.shape
    rows = np.sort(np.random.default_rng(seed).choice(n, min(SAMPLE, n), replace=False))
    sample = _normalise(reader.rows(rows), norms[rows])
    wanted = min(max(dim // 8, LEAST_DIMENSIONS), DIMENSIONS)
    reducer = TruncatedSVD(min(wanted, dim, len(rows)), random_state=seed)
    return np.asarray(reducer.fit(sample).components_, np.float32)


def _normalise(rows: NDArray[np.float32], norms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Normalise rows in place to length 1, except zero vectors."""
    rows /= np.where(norms > 0, norms, 1)[:, np.newaxis]
    return rows
