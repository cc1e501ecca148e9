"""`yamnet_classes`: how probable each of 521 kinds of sound is, averaged over the clip.

YAMNet's probabilities, which do not exclude each other: "Music", "Guitar" and "Plucked string
instrument" go together. The names are in `assets/models/yamnet_classes.csv`. An index centres them on
its own tracks (`scaling`), since nearly everything in it is "Music".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.decoding import Clip
from soundalike.models import ModelStore, yamnet, yamnet_features

DIM = yamnet.N_CLASSES

HEARS = (
    "Which of 521 classes describe the sound: piano, choir, drum machine, rapping, rain. Two clips "
    "match if the same classes fit. This is coarser than the network's embedding, and most classes have "
    "nothing to do with music."
)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embedding of a 30 s clip: float32 [shape=(521,), range 0 to 1]."""
    return np.asarray(yamnet_features.output(clip, models).probabilities.mean(axis=0))
