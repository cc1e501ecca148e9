"""`mfcc_autoencoder`: the bottleneck of an MFCC autoencoder.

The 512 numbers, 32 for each of 16 segments of 1.9 s, are the code from which a small convolutional
network reconstructs the standardised 20 x 1,293 MFCC matrix (`models.autoencoder`; its model card has
the held-out error).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.features import spectral
from soundalike.models import ModelStore, autoencoder

DIM = autoencoder.DIM

DESCRIPTION = (
    "How the timbre moves over seconds. Swells, entries and sections are kept; pulse, beat and anything "
    "else that changes faster than once a second is nearly all lost. The network was only trained to "
    "reconstruct the coefficients, not to judge what sounds alike, so it keeps what is large rather "
    "than what matters. Overall loudness and tone colour are normalised away first. A shifted copy gets "
    "a different code."
)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embed a 30 s clip: float32 [shape=(512,)]."""
    return models.autoencoder.embed(spectral.standardise(spectral.mfcc(clip)))
