"""`cf_regression`: collaborative-filtering factors predicted from audio.

A convolutional network over time predicts the 40 factors from a mel spectrogram
(`models.factor_cnn`). It is trained on a table of plays (`matrix_factorization`). No network is
bundled, because it needs the user's listening data.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import levels
from soundalike.audio.clip import Clip
from soundalike.features import spectral
from soundalike.models import ModelStore, factor_cnn

DIM = factor_cnn.FACTORS

DESCRIPTION = (
    "Listening habits: two clips match if the network expects the same people to play them. It learns "
    "what the sound reveals about that, such as style, era of recording or mood. It cannot learn what "
    "the sound doesn't show, such as fame, language or scene. It is only as good as its listening data, "
    "and knows no music that those listeners never played."
)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embed a 30 s clip: float32 [shape=(40,)].

    Raises
    ------
    ModelError
        If the models have no network trained on listening data.
    """
    return models.factors(spectral.log_mel(at_one_level(clip)))


def at_one_level(clip: Clip) -> Clip:
    """Normalise a clip to -18 dBFS, because the levels of the network's input are absolute."""
    return replace(clip, samples=levels.at_reference_level(clip.samples))
