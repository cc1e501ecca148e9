"""`yamnet_classes`: the probabilities of 521 kinds of sound, averaged over the clip.

YAMNet's classes are not mutually exclusive: "Music", "Guitar" and "Plucked string instrument" occur
together. The names are in `assets/models/yamnet_classes.csv`. An index centres the vectors on its own
tracks (`scaling`), because nearly all of them are "Music".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.models import ModelStore, yamnet, yamnet_features

DIM = yamnet.N_CLASSES

DESCRIPTION = (
    "Which of 521 classes describe the sound: piano, choir, drum machine, rapping, rain. Two clips "
    "match if the same classes fit. This is coarser than the network's embedding, and most classes have "
    "nothing to do with music."
)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embed a 30 s clip: float32 [shape=(521,), range 0 to 1]."""
    return np.asarray(yamnet_features.output(clip, models).probabilities.mean(axis=0))
