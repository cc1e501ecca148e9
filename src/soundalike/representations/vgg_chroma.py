"""`vgg_chroma`: VGG16's features of the chromagram as a picture.

The energy of the 12 pitch classes over 1,293 frames is drawn like the mel spectrogram of `vgg_mel` (480
x 640 pixels, magma, C at the bottom). VGG16's feature map (15 x 20 cells) is max-pooled by (3, 2) and
flattened to 25,600 numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.features import spectral, spectrogram_image
from soundalike.models import ModelStore, vgg16, vgg_features
from soundalike.representations import vgg_mel

DIM = vgg_mel.DIM

DESCRIPTION = (
    "Harmony: which of the twelve notes sound, how clearly, and how often they change. It distinguishes "
    "a drone from a chord progression and a tune from noise, but not a flute from a guitar, nor one "
    "octave from another. Every value belongs to a fixed note and time. The same song in another key, "
    "or shifted by a few seconds, counts as a different sound."
)


def picture(clip: Clip) -> NDArray[np.uint8]:
    """Draw the chromagram as VGG16's input [shape=(480, 640, 3), BGR]."""
    return spectrogram_image.canvas(spectral.chroma(clip))


PICTURE = vgg_features.Picture("chroma-canvas", picture)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embed a 30 s clip: float32 [shape=(25600,)], at least 0."""
    feature_map = vgg_features.feature_map(clip, models, PICTURE)
    return vgg16.max_pool(feature_map, (3, 2)).reshape(DIM)
