"""`vgg_mfcc_grey`: VGG16's features of the MFCC matrix as a small grey picture.

The 20 x 1,293 MFCC matrix is zero-padded to 32 rows (the minimum for VGG16's five poolings) and repeated
in all three channels. The values are the unscaled coefficients in dB, from about -400 to 250. The
network was trained on values between about -128 and 151, so they need no scaling. VGG16's output of
1 x 40 cells is flattened without pooling: 20,480 numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import N_FRAMES, Clip
from soundalike.features import spectral
from soundalike.models import ModelStore, vgg16, vgg_features

HEIGHT = 32
GRID = (1, 40)
DIM = GRID[0] * GRID[1] * vgg16.CHANNELS

DESCRIPTION = (
    "Loudness and overall brightness over time, in 40 steps of three quarters of a second. The first "
    "two coefficients are far larger than the rest and provide most of the picture's contrast. All 20 "
    "coefficients fall into a single row of cells, which blurs finer timbre. A network trained on "
    "photographs gets little out of 20 rows. A shifted copy counts as a different sound."
)


def picture(clip: Clip) -> NDArray[np.float32]:
    """The zero-padded MFCC in three equal channels [shape=(32, 1293, 3), dB]."""
    padded = np.zeros((HEIGHT, N_FRAMES), np.float32)
    padded[: spectral.N_MFCC] = spectral.mfcc(clip)
    return np.repeat(padded[:, :, np.newaxis], 3, axis=2)


PICTURE = vgg_features.Picture("mfcc-grey", picture, GRID)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embed a 30 s clip: float32 [shape=(20480,)], at least 0."""
    return vgg_features.feature_map(clip, models, PICTURE).reshape(DIM)
