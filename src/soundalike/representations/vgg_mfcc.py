"""`vgg_mfcc`: the cepstral coefficients, looked at as a picture.

The 20 x 1,293 MFCC matrix is drawn as `vgg_mel` draws its mel spectrogram (480 x 640 pixels, magma,
coefficient 0 at the bottom) after each row is standardised: drawn as they are, coefficient 0 takes
nearly all of the colours and the others are one grey band. VGG16's feature map (15 x 20 cells) is
max-pooled by (3, 2) and flattened to 25,600 numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.decoding import Clip
from soundalike.features import spectral, spectrogram_image
from soundalike.models import ModelStore, vgg16, vgg_features
from soundalike.representations import vgg_mel

DIM = vgg_mel.DIM

HEARS = (
    "How the timbre changes over the clip: busy or still, abrupt or gradual, regular or not. The timbre "
    "itself is largely lost because every coefficient is standardised. Pitch is lost too, since the "
    "coefficients are designed to ignore it. Every value belongs to a fixed time, so a shifted copy "
    "counts as a different sound."
)


def picture(clip: Clip) -> NDArray[np.uint8]:
    """The standardised MFCC as VGG16 sees it [shape=(480, 640, 3), BGR]."""
    return spectrogram_image.canvas(spectral.standardise(spectral.mfcc(clip)))


PICTURE = vgg_features.Picture("mfcc-standardised-canvas", picture)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embedding of a 30 s clip: float32 [shape=(25600,)], at least 0."""
    feature_map = vgg_features.feature_map(clip, models, PICTURE)
    return vgg16.max_pool(feature_map, (3, 2)).reshape(DIM)
