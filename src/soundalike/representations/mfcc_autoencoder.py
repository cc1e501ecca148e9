"""`mfcc_autoencoder`: the bottleneck of an autoencoder of cepstral coefficients.

The 512 numbers, 32 for each of 16 stretches of 1.9 s, from which a small convolutional network draws
the standardised 20 x 1,293 MFCC matrix again as well as it can (`models.autoencoder`; how well, held
out, is in its model card).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.features import spectral
from soundalike.models import ModelStore, autoencoder

DIM = autoencoder.DIM

DESCRIPTION = (
    "How the timbre moves over seconds: swells, entries and sections are kept, while pulse and beat, "
    "and whatever else changes faster than once a second, are nearly all lost. Nobody told the network "
    "what sounds alike, only to draw the coefficients again, so that it keeps what is large, not what "
    "matters. Loudness and overall colour are divided out before it starts, and a shifted copy has "
    "another code."
)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embedding of a 30 s clip: float32 [shape=(512,)]."""
    return models.autoencoder.embed(spectral.standardise(spectral.mfcc(clip)))
