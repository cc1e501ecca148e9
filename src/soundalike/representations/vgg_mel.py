"""`vgg_mel`: VGG16's features of the mel spectrogram as a picture.

VGG16's last feature map (15 x 20 cells) max-pooled by (3, 2) to five frequency bands of ten 3-second
cells, 512 channels each, flattened: 25,600 numbers. It captures texture, register, and how both change
over the clip. Cells have a fixed place in time, so a shifted copy counts as a different sound.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.features.spectrogram_image import BANDS, TIMES
from soundalike.models import ModelStore, vgg16, vgg_features

GRID = (BANDS, TIMES)
DIM = GRID[0] * GRID[1] * vgg16.CHANNELS

DESCRIPTION = (
    "Captures texture, register, and how both change over the clip. Every value belongs to a fixed "
    "time, so a shifted copy counts as a different sound. VGG16 was trained on photographs and has no "
    "knowledge of music."
)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embed a 30 s clip: float32 [shape=(25600,)], at least 0."""
    return vgg16.max_pool(vgg_features.feature_map(clip, models), (3, 2)).reshape(DIM)
