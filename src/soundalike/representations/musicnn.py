"""`musicnn`: the last hidden layer of a network that was trained to tag music.

MSD_musicnn's penultimate layer (200 units after their batch normalisation: the very numbers from which
it tells its 50 tags), averaged over the clip's ten patches of 3 s. An index centres them on its own
tracks (`scaling`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.decoding import Clip
from soundalike.models import ModelStore, musicnn_features, stretches, tagger

DIM = tagger.DIM

HEARS = (
    "What a network needs to predict listeners' tags: instruments and voices, genre, era and mood, as "
    "far as three seconds reveal them. It captures production and playing well, and ignores what tags "
    "don't describe: melody, key, tempo and form. It averages over the clip and ignores order, so a "
    "shifted copy matches. It was trained on rock, pop and electronic music (the Million Song Dataset), "
    "and makes finer distinctions there than in classical or other music."
)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embedding of a 30 s clip: float32 [shape=(200,)]."""
    return np.asarray(musicnn_features.heard(clip, models).penultimate.mean(axis=0))


def moments(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """The embedding of each stretch of 3 s of a 30 s clip: float32 [shape=(10, 200)]; equal weights."""
    return musicnn_features.heard(clip, models).penultimate


def moment_weights() -> NDArray[np.float64]:
    """Weight of each stretch in the embedding of a clip [shape=(10,), sum 1]."""
    return stretches.equal_weights()
