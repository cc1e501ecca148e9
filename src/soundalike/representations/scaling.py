"""How an index scales a representation whose numbers mean something only beside those of its tracks.

- `STANDARDISED`: every dimension is brought to mean 0 and deviation 1 over the tracks of the index,
  since its dimensions have different units.
- `CENTRED`: the mean of the index is subtracted, and what is left is scaled to length 1. Activations of
  a network are never negative, so all clips point roughly the same way; what sets a clip apart is its
  difference from the mean. Centring also lowers hubness (Suzuki, Hara, Shimbo, Saerens and Fukumizu,
  "Centering similarity measures to reduce hubs", EMNLP 2013).

The mean of few tracks says little, and of one track it would leave nothing. The mean of n tracks is
therefore shrunk by n / (n + 10): a small index compares nearly raw vectors, a large one centred ones.

Nothing here is fitted on labels or on another library than the one that is searched, and a clip from
outside is scaled as the tracks are.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scaling = Literal["standardised", "centred"]
STANDARDISED: Scaling = "standardised"
CENTRED: Scaling = "centred"

PRIOR = 10.0
"""The mean is shrunk as if so many tracks of zeros were in the index."""
_CONSTANT = 1e-6
"""A dimension whose deviation is not above this says nothing, and is 0 once standardised."""


def fit(
    kind: Scaling, n: int, mean: NDArray[np.float64], deviation: NDArray[np.float64]
) -> NDArray[np.float32]:
    """What `apply` subtracts and divides by [shape=(2, dim)], from the moments of n tracks.

    Parameters
    ----------
    kind : of scaling
    n : tracks, at least 1
    mean, deviation : of each dimension over the tracks [shape=(dim,)]
    """
    if kind == CENTRED:
        return np.stack([n / (n + PRIOR) * mean, np.ones_like(mean)]).astype(np.float32)
    return np.stack([mean, np.where(deviation > _CONSTANT, deviation, np.inf)]).astype(np.float32)


def apply(kind: Scaling, vectors: ArrayLike, scale: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors as an index compares them [shape=(..., dim)].

    Parameters
    ----------
    kind : of scaling
    vectors : as the network gives them [shape=(..., dim)]
    scale : from `fit`
    """
    scaled: NDArray[np.float32] = (np.asarray(vectors, np.float32) - scale[0]) / scale[1]
    if kind == STANDARDISED:
        return scaled
    lengths = np.linalg.norm(scaled, axis=-1, keepdims=True)
    return np.asarray(np.divide(scaled, lengths, out=np.zeros_like(scaled), where=lengths > 0))
