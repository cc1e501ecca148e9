"""`mfcc_autoencoder`: the bottleneck of an autoencoder of cepstral coefficients.

The 512 numbers, 32 for each of 16 stretches of 1.9 s, from which a small convolutional network draws
the standardised 20 x 1,293 MFCC matrix again as well as it can (`models.autoencoder`; how well, held
out, is in its model card).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.decoding import Clip
from soundalike.features import spectral
from soundalike.models import ModelStore, autoencoder

DIM = autoencoder.DIM

HEARS = (
    "How the timbre moves over seconds. Swells, entries and sections are kept; pulse, beat and anything "
    "else that changes faster than once a second is nearly all lost. The network was only trained to "
    "reconstruct the coefficients, not to judge what sounds alike, so it keeps what is large rather "
    "than what matters. Overall loudness and tone colour are normalised away first. A shifted copy gets "
    "a different code."
)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embedding of a 30 s clip: float32 [shape=(512,)]."""
    return models.autoencoder.embed(spectral.standardise(spectral.mfcc(clip)))
