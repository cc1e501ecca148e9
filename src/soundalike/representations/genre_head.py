"""`genre_head`: the 32 numbers from which the genre head tells genres.

It hears what separates the genres it was trained on and forgets the rest, so that two clips of one
genre tend to agree whatever else they do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.decoding import Clip
from soundalike.models import ModelStore, genre_head, vgg_features

DIM = genre_head.DIM

HEARS = (
    "Captures what separates the genres it was trained on and ignores the rest. Two clips of the same "
    "genre therefore tend to match, even if they differ in other ways."
)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embedding of a 30 s clip: float32 [shape=(32,)]."""
    return _features_and_genres(clip, models)[0]


def genre_probabilities(clip: Clip, models: ModelStore) -> dict[str, float]:
    """Predicted genres of a 30 s clip, likeliest first; they sum to 1."""
    probabilities = _features_and_genres(clip, models)[1]
    pairs = zip(models.genre_head.genres, map(float, probabilities), strict=True)
    return dict(sorted(pairs, key=lambda pair: -pair[1]))


def _features_and_genres(
    clip: Clip, models: ModelStore
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    inputs = genre_head.head_input(vgg_features.feature_map(clip, models))
    features, probabilities = models.genre_head(inputs[np.newaxis])
    return features[0], probabilities[0]
