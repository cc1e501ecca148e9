"""A linear projection, fitted without labels: standardise, then keep the directions that vary most.

Each number is brought to mean 0 and standard deviation 1 over the tracks it was fitted on, and the
result is turned onto their leading principal components (Pearson, 1901; Jolliffe, "Principal component
analysis", 2002), which are not whitened: a direction counts by how much tracks differ along it. What is
left out is mostly noise, in which two excerpts of one track differ.

Stored as an `.npz` of three plain arrays: `mean`, `scale` and `components`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from soundalike.models import weights

_CONSTANT = 1e-6
"""A number that varies less than this is the same for all tracks, and is not scaled."""


@dataclass(frozen=True)
class Projection:
    """A fitted projection.

    Attributes
    ----------
    mean, scale : of each number, over the tracks it was fitted on [shape=(n_in,)]
    components : orthonormal columns, the one along which tracks vary most first [shape=(n_in, n_out)]
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    components: NDArray[np.float32]

    def __call__(self, vectors: ArrayLike) -> NDArray[np.float32]:
        """Project one vector or several [shape=(..., n_in)] -> float32 [shape=(..., n_out)]."""
        standardised = (np.asarray(vectors, np.float32) - self.mean) / self.scale
        return np.asarray(standardised @ self.components, np.float32)

    def save(self, path: Path) -> None:
        """Write to an `.npz`; the same projection gives the same bytes."""
        with path.open("wb") as file:
            np.savez(file, mean=self.mean, scale=self.scale, components=self.components)

    @classmethod
    def load(cls, path: Path) -> Projection:
        """Read a projection that `save` wrote.

        Raises
        ------
        ModelError
            If the file is missing or damaged.
        """
        with weights.opened(path, "model file") as arrays:
            mean, scale, components = (
                arrays[name].astype(np.float32) for name in ("mean", "scale", "components")
            )
            if mean.shape != scale.shape or mean.shape != components.shape[:1]:
                raise ValueError("the arrays' shapes disagree")
        return cls(mean, scale, components)


def fit(vectors: ArrayLike, n_out: int) -> Projection:
    """Fit a projection to unlabelled tracks.

    Parameters
    ----------
    vectors : [shape=(tracks, n_in)]
    n_out : components to keep; each is given the sign that makes its largest entry positive

    Raises
    ------
    ValueError
        If there are fewer than two tracks, a number is not finite, or more components are asked for
        than there are.
    """
    matrix = np.asarray(vectors, np.float64)
    if matrix.ndim != 2 or len(matrix) < 2:
        raise ValueError(
            f"a projection needs at least two vectors, not an array of shape {matrix.shape}"
        )
    if not np.isfinite(matrix).all():
        raise ValueError("vectors must be finite")
    if not 1 <= n_out <= matrix.shape[1]:
        raise ValueError(f"n_out must lie between 1 and {matrix.shape[1]}, not {n_out}")
    mean, scale = matrix.mean(axis=0), matrix.std(axis=0)
    scale[scale < _CONSTANT] = 1.0
    standardised = (matrix - mean) / scale
    _, directions = np.linalg.eigh(standardised.T @ standardised)
    components = directions[:, ::-1][:, :n_out]
    largest = np.abs(components).argmax(axis=0)
    components = components * np.sign(components[largest, np.arange(n_out)])
    return Projection(*(array.astype(np.float32) for array in (mean, scale, components)))
