"""`musicnn_mid`: activations of the music tagger's middle layers.

MSD_musicnn's mid-end, as its authors call it, has three convolutions over time. This representation uses
the second and the third, 64 filters each: the maximum and the mean activation in each 3 s, averaged
over the clip's ten patches. An index centres the vectors on its own tracks (`scaling`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.models import ModelStore, musicnn_features, tagger

DIM = 4 * tagger.MIDDLE_FILTERS

DESCRIPTION = (
    "Patterns of timbre over about a second, which the tagger uses for its tags: how notes begin and "
    "fade, how dense and how steady the sound is. Production and playing count for more than style. It "
    "averages over the clip, so order, melody, key and form are lost."
)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embed a 30 s clip: float32 [shape=(256,)], maximum and mean activation of each filter."""
    return np.asarray(moments(clip, models).mean(axis=0))


def moments(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embed each 3 s stretch of a 30 s clip: float32 [shape=(10, 256)]; equal weights."""
    pooled = musicnn_features.output(clip, models).pooled
    return pooled[:, -2 * tagger.MIDDLE_FILTERS :].reshape(len(pooled), DIM)
