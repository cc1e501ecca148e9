"""Activation maps: where in a track's spectrogram a dimension is active. Each needs a network pass.

The maps align with the track's thumbnail (`features.thumbnail`). For a dimension of `vgg_mel`, the map
is the activation of its channel at each of 15 x 20 positions. For a feature of the genre head, it is the
feature's decrease when one of the head's 7 x 10 input positions is set to zero (Zeiler and Fergus, 2014,
"Visualizing and understanding convolutional networks", who occlude one patch at a time).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.models import ModelStore, genre_head, vgg_features


def feature_map(path: Path, models: ModelStore) -> NDArray[np.float16]:
    """Compute VGG16's last feature map of a track [shape=(15, 20, 512)]; one pass of the network.

    Raises
    ------
    AudioError, ModelError
        If the file cannot be decoded, or the network is missing.
    """
    clip = analysis_window(decoding.decode(path))
    return vgg_features.feature_map(clip, models).astype(np.float16)


def channel_map(features: NDArray[np.float16], channel: int) -> NDArray[np.float32]:
    """One channel of a feature map [shape=(15, 20)], rows from the top, at least 0."""
    return features[:, :, channel].astype(np.float32)


def silencing_map(
    features: NDArray[np.float16], feature: int, models: ModelStore
) -> NDArray[np.float32]:
    """Decrease of a genre-head feature when each input position is set to zero (occlusion).

    Parameters
    ----------
    features : VGG16's feature map of a track
    feature : 0 to 31
    models : the networks

    Returns
    -------
    float32 [shape=(7, 10)], rows from the top, at least 0; covers the picture except its lowest 15th
    """
    whole = genre_head.head_input(features.astype(np.float32))
    rows, columns, _ = whole.shape
    batch = np.repeat(whole[np.newaxis], rows * columns + 1, axis=0)
    for place in range(rows * columns):
        batch[place, place // columns, place % columns] = 0.0
    found = models.genre_head(batch)[0][:, feature]
    fallen: NDArray[np.float32] = np.maximum(found[-1] - found[:-1], 0.0).reshape(rows, columns)
    return fallen
