"""`cf_regression`: what listeners would have in common, guessed from the sound alone.

The 40 collaborative-filtering factors that a convolutional network over time predicts from a mel
spectrogram (`models.factor_cnn`), trained on a table of plays (`collaborative`). There is no bundled
network: it needs listening data, which a person brings.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import levels
from soundalike.audio.decoding import Clip
from soundalike.features import spectral
from soundalike.models import ModelStore, factor_cnn

DIM = factor_cnn.FACTORS

HEARS = (
    "Listening habits: two clips match if the network expects the same people to play them. It learns "
    "what the sound reveals about that, such as style, era of recording or mood. It cannot learn what "
    "the sound doesn't show, such as fame, language or scene. It is only as good as its listening data, "
    "and knows no music that those listeners never played."
)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embedding of a 30 s clip: float32 [shape=(40,)].

    Raises
    ------
    ModelError
        If the models have no network trained on listening data.
    """
    return models.factors(spectral.log_mel(at_one_level(clip)))


def at_one_level(clip: Clip) -> Clip:
    """The clip at -18 dBFS, as the network takes it: its spectrogram's levels are absolute."""
    return replace(clip, samples=levels.at_reference_level(clip.samples))
