"""YAMNet's output for a clip, computed once for all representations that use it.

Patches do not overlap. This halves the work compared with YAMNet's own half-overlapping patches, and
the mean over a clip is almost the same (precision at 10 differs by 0.003 on the evaluation clips).
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.models import ModelStore, patches, stretches, yamnet

STEP = yamnet.PATCH_FRAMES
"""Hop between patches, in frames."""

_patches: WeakKeyDictionary[Clip, NDArray[np.float32]] = WeakKeyDictionary()


def prepare(clip: Clip) -> None:
    """Compute the network's input in advance, in parallel with other work."""
    _patches[clip] = yamnet.patches(yamnet.spectrogram(clip), STEP)


def output(clip: Clip, models: ModelStore) -> yamnet.Output:
    """The network's output for each patch of a clip, cached for the clip's lifetime.

    Raises
    ------
    ValueError
        If the clip is shorter than 0.96 s.
    """
    if clip not in models.yamnet_outputs:
        if clip not in _patches:
            prepare(clip)
        models.yamnet_outputs[clip] = models.yamnet(_patches.pop(clip))
    return models.yamnet_outputs[clip]


def stretch_of_patches(count: int) -> NDArray[np.intp]:
    """The 3 s stretch of each of a clip's patches [shape=(count,)]."""
    hop = STEP * yamnet.HOP_LENGTH / patches.SAMPLE_RATE
    middle = yamnet.PATCH_FRAMES * yamnet.HOP_LENGTH / patches.SAMPLE_RATE / 2
    return stretches.of_middles(middle + hop * np.arange(count))
