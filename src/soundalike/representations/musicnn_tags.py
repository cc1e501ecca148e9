"""`musicnn_tags`: the likelihoods of 50 tags, summed over the clip.

MSD_musicnn's likelihoods for each 3 s patch without overlap, summed over the clip's ten patches, as in
the article. The tags' names are `models.tagger.TAGS`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.models import ModelStore, musicnn_features, tagger

DIM = len(tagger.TAGS)

DESCRIPTION = (
    "Which of 50 tags listeners would give the music: rock, jazz, female vocalists, chillout, 80s and "
    "so on. Two clips match if the same tags fit. Everything else is lost. Most tags describe rock, pop "
    "and electronic music, so a harpsichord and a string quartet share only one or two. Common tags "
    "outweigh rare ones: nearly everything is a little rock."
)


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Embed a 30 s clip: float32 [shape=(50,), range 0 to 10], in the order of `tagger.TAGS`."""
    return np.asarray(musicnn_features.output(clip, models).tags.sum(axis=0))
