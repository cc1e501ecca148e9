"""`musicnn`: the last hidden layer of the music tagger.

MSD_musicnn's penultimate layer (200 units after batch normalisation, the input of its 50 tag outputs),
averaged over the clip's ten patches of 3 s. An index centres the vectors on its own tracks
(`scaling`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.models import ModelStore, musicnn_features, tagger

DIM = tagger.DIM

DESCRIPTION = (
    "What a network needs to predict listeners' tags: instruments and voices, genre, era and mood, as "
    "far as three seconds reveal them. It captures production and playing well, and ignores what tags "
    "don't describe: melody, key, tempo and form. It averages over the clip and ignores order, so a "
    "shifted copy matches. It was trained on rock, pop and electronic music (the Million Song Dataset), "
    "and makes finer distinctions there than in classical or other music."
)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embed a 30 s clip: float32 [shape=(200,)]."""
    return np.asarray(musicnn_features.output(clip, models).penultimate.mean(axis=0))


def moments(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embed each 3 s stretch of a 30 s clip: float32 [shape=(10, 200)]; equal weights."""
    return musicnn_features.output(clip, models).penultimate
