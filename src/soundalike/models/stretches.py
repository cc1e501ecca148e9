"""Embeddings of 3 s segments ("stretches") of a clip, which "why this track" compares.

A clip of 30 s has ten stretches of 2.992 s, the length of one patch of the tagger. A representation that
is a mean over a clip is a weighted mean of its stretches. The weights depend only on the length of the
clip: w_s is the proportion of windows whose centre is in stretch s.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.models import patches, tagger

COUNT = 10
MOMENTS = "_moments"
"""Suffix to a representation's name for its embeddings of 3 s stretches."""
SECONDS = tagger.PATCH_FRAMES * tagger.HOP_LENGTH / patches.SAMPLE_RATE


def of_middles(middles: NDArray[np.floating]) -> NDArray[np.intp]:
    """The stretch of each window, from the time of its centre in seconds [shape=(windows,)]."""
    return np.minimum((np.asarray(middles) / SECONDS).astype(np.intp), COUNT - 1)


def weights(stretch_of: NDArray[np.intp]) -> NDArray[np.float64]:
    """Weight of each stretch [shape=(10,), sum 1], given the stretch of each window."""
    return np.bincount(stretch_of, minlength=COUNT) / len(stretch_of)


def means(windows: NDArray[np.float32], stretch_of: NDArray[np.intp]) -> NDArray[np.float32]:
    """Average the windows of each stretch [shape=(windows, dim)] -> [shape=(10, dim)]."""
    sums = np.zeros((COUNT, windows.shape[1]))
    np.add.at(sums, stretch_of, windows)
    counts = np.bincount(stretch_of, minlength=COUNT)
    return np.asarray(sums / np.maximum(counts, 1)[:, np.newaxis], np.float32)


def equal_weights() -> NDArray[np.float64]:
    """Weights of stretches with one window each [shape=(10,), sum 1]."""
    return np.full(COUNT, 1 / COUNT)
