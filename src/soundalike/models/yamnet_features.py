"""What the representations on YAMNet share: one pass over a clip's patches.

Patches follow one another without overlap: half the work of YAMNet's own half-overlapping ones, and the
mean over a clip is all but the same (precision at 10 differs by 0.003 on the evaluation clips).
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.models import ModelStore, patches, stretches, yamnet

STEP = yamnet.PATCH_FRAMES
"""Frames from one patch's beginning to the next one's."""

_patches: WeakKeyDictionary[Clip, NDArray[np.float32]] = WeakKeyDictionary()


def prepare(clip: Clip) -> None:
    """Compute the network's input beforehand, beside something else."""
    _patches[clip] = yamnet.patches(yamnet.spectrogram(clip), STEP)


def output(clip: Clip, models: ModelStore) -> yamnet.Output:
    """The network's output for each patch of a clip, computed once as long as the clip lives.

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
    """The stretch of 3 s that each of a clip's patches lies in [shape=(count,)]."""
    hop = STEP * yamnet.HOP_LENGTH / patches.SAMPLE_RATE
    middle = yamnet.PATCH_FRAMES * yamnet.HOP_LENGTH / patches.SAMPLE_RATE / 2
    return stretches.of_middles(middle + hop * np.arange(count))
