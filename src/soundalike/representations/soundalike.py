"""`soundalike`: what a music tagger hears half way between sound and words.

MSD_musicnn's front end listens for timbre and pulse, three residual convolutions over time combine what
it hears, and only then come the layers from which tags are told. Taken here are the second and the third
of those convolutions, 64 filters each: the largest and the mean response in each 3 s, averaged over the
clip's ten patches (256 numbers), standardised and projected onto 64 principal components
(`models.projection`). The projection is fixed, `assets/models/soundalike.npz`, fitted without any label
on the bundled library by `scripts/fit_soundalike.py`. Compared by cosine similarity.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import Clip
from soundalike.models import ModelStore, tagger
from soundalike.representations import musicnn_features

DIM = 64
N_POOLED = 4 * tagger.MIDDLE_FILTERS

HEARS = (
    "Instruments, voices, playing and production, and the pulse they make together, as a network that "
    "learned to tag music hears them just before it looks for words. Songs with the same kind of voice "
    "over the same kind of band are near each other, and so are two string quartets. It averages over "
    "the clip and knows no order in time, so that a shifted copy sounds the same. Melody, key and form "
    "are lost, tempo mostly; level counts a little, since quiet music is quiet for a reason; and music "
    "unlike the rock, pop and electronic songs the network grew up on is told apart less finely."
)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embedding of a 30 s clip: float32 [shape=(64,)]."""
    return models.projection(pooled(clip, models))


def moments(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Each 3 s of a 30 s clip by itself: float32 [shape=(10, 64)].

    The projection is affine, so that the mean of the moments is the embedding of the clip.
    """
    filters = _filters(clip, models)
    return models.projection(filters.reshape(len(filters), N_POOLED))


def pooled(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """What is projected: float32 [shape=(256,)], largest and mean response of each filter in turn."""
    return np.asarray(_filters(clip, models).mean(axis=0).reshape(N_POOLED))


def _filters(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Largest and mean response of each filter in each 3 s [shape=(10, 128, 2)]."""
    return musicnn_features.heard(clip, models).pooled[:, -2 * tagger.MIDDLE_FILTERS :]
