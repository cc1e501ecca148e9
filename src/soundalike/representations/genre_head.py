"""`genre_head`: the 32 numbers of the genre head's last hidden layer.

The layer captures differences between the genres in its training data and ignores the rest, so clips of
the same genre tend to match even if they differ in other ways.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.models import ModelStore, genre_head, vgg_features

DIM = genre_head.DIM

DESCRIPTION = (
    "Captures what separates the genres it was trained on and ignores the rest. Two clips of the same "
    "genre therefore tend to match, even if they differ in other ways."
)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embed a 30 s clip: float32 [shape=(32,)]."""
    return _features_and_genres(clip, models)[0]


def genre_probabilities(clip: Clip, models: ModelStore) -> dict[str, float]:
    """Predict the genres of a 30 s clip: probabilities, most likely first, which sum to 1."""
    probabilities = _features_and_genres(clip, models)[1]
    pairs = zip(models.genre_head.genres, map(float, probabilities), strict=True)
    return dict(sorted(pairs, key=lambda pair: -pair[1]))


def _features_and_genres(
    clip: Clip, models: ModelStore
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    inputs = genre_head.head_input(vgg_features.feature_map(clip, models))
    features, probabilities = models.genre_head(inputs[np.newaxis])
    return features[0], probabilities[0]
