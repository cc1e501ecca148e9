"""`vgg_mfcc`: VGG16's features of the MFCC as a picture.

The 20 x 1,293 MFCC matrix is standardised by row, then drawn like the mel spectrogram of `vgg_mel` (480
x 640 pixels, magma, coefficient 0 at the bottom). Without standardisation, coefficient 0 would use
nearly the whole colour range and the others would be a uniform grey band. VGG16's feature map (15 x 20
cells) is max-pooled by (3, 2) and flattened to 25,600 numbers.
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
    "How the timbre changes over the clip: busy or still, abrupt or gradual, regular or not. The timbre "
    "itself is largely lost because every coefficient is standardised. Pitch is lost too, since the "
    "coefficients are designed to ignore it. Every value belongs to a fixed time, so a shifted copy "
    "counts as a different sound."
)


def picture(clip: Clip) -> NDArray[np.uint8]:
    """Draw the standardised MFCC as VGG16's input [shape=(480, 640, 3), BGR]."""
    return spectrogram_image.canvas(spectral.standardise(spectral.mfcc(clip)))


PICTURE = vgg_features.Picture("mfcc-standardised-canvas", picture)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embed a 30 s clip: float32 [shape=(25600,)], at least 0."""
    feature_map = vgg_features.feature_map(clip, models, PICTURE)
    return vgg16.max_pool(feature_map, (3, 2)).reshape(DIM)
