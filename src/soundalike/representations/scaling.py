"""Scaling of vectors relative to the tracks of an index.

- `STANDARDISED`: every dimension is scaled to mean 0 and deviation 1 over the tracks of the index, for
  representations whose dimensions have different units.
- `CENTRED`: the mean of the index is subtracted, and the result is normalised to length 1. Activations
  of a network are never negative, so all clips point in roughly the same direction and differ mainly in
  their deviation from the mean. Centring also lowers hubness (Suzuki, Hara, Shimbo, Saerens and
  Fukumizu, "Centering similarity measures to reduce hubs", EMNLP 2013).

The mean of a few tracks is unreliable, and subtracting the mean of a single track would leave zeros. The
mean of n tracks is therefore shrunk by n / (n + 10): a small index compares nearly raw vectors, a large
one centred vectors.

The scaling uses no labels and no other library, and applies equally to tracks and new clips.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scaling = Literal["standardised", "centred"]
STANDARDISED: Scaling = "standardised"
CENTRED: Scaling = "centred"

PRIOR = 10.0
"""Strength of the shrinkage: number of all-zero tracks added to the mean."""
_CONSTANT = 1e-6
"""Maximum deviation of a dimension considered constant, which becomes 0 when standardised."""


def fit(
    kind: Scaling, n: int, mean: NDArray[np.float64], deviation: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Compute the offset and divisor for `apply` [shape=(2, dim)] from the moments of n tracks.

    Parameters
    ----------
    kind : kind of scaling
    n : number of tracks, at least 1
    mean, deviation : mean and deviation of each dimension over the tracks [shape=(dim,)]
    """
    if kind == CENTRED:
        return np.stack([n / (n + PRIOR) * mean, np.ones_like(mean)]).astype(np.float32)
    return np.stack([mean, np.where(deviation > _CONSTANT, deviation, np.inf)]).astype(np.float32)


def apply(kind: Scaling, vectors: ArrayLike, scale: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale vectors for comparison [shape=(..., dim)].

    Parameters
    ----------
    kind : kind of scaling
    vectors : unscaled embeddings [shape=(..., dim)]
    scale : from `fit`
    """
    scaled: NDArray[np.float32] = (np.asarray(vectors, np.float32) - scale[0]) / scale[1]
    if kind == STANDARDISED:
        return scaled
    lengths = np.linalg.norm(scaled, axis=-1, keepdims=True)
    return np.asarray(np.divide(scaled, lengths, out=np.zeros_like(scaled), where=lengths > 0))


def scaled_by_themselves(kind: Scaling, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale vectors [shape=(n, dim)] like an index of just these tracks."""
    wide = vectors.astype(np.float64)
    return apply(kind, vectors, fit(kind, len(wide), wide.mean(axis=0), wide.std(axis=0)))
