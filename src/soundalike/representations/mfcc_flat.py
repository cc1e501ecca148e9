"""`mfcc_flat`: the MFCC themselves, frame by frame.

The 20 x 1,293 mel-frequency cepstral coefficients, each row standardised over the clip (mean 0,
standard deviation 1), flattened row by row: 25,860 numbers. The standardisation fixes each row's norm,
so every embedding has the same norm, and the cosine of two clips is the mean over coefficients of their
correlation in time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import N_FRAMES, Clip
from soundalike.features import spectral
from soundalike.models import ModelStore

DIM = spectral.N_MFCC * N_FRAMES

DESCRIPTION = (
    "Timbre over time: 20 coefficients every 23 ms, compared frame by frame. Two clips match only if "
    "the same changes happen at the same moments, within a frame or two. In practice this means a "
    "shared pulse or fade, or the same recording. Overall loudness and tone colour are normalised away. "
    "A copy shifted by half a second no longer matches."
)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embed a 30 s clip without a network: float32 [shape=(25860,)], in standard deviations."""
    return spectral.standardise(spectral.mfcc(clip)).reshape(DIM)
