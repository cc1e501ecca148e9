"""The tagger's output for a clip, computed once for all representations that use it."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.models import ModelStore, tagger

_patches: WeakKeyDictionary[Clip, NDArray[np.float32]] = WeakKeyDictionary()


def prepare(clip: Clip) -> None:
    """Compute the tagger's input in advance, in parallel with other work."""
    _patches[clip] = tagger.patches(tagger.spectrogram(clip))


def output(clip: Clip, models: ModelStore) -> tagger.TaggerOutput:
    """The tagger's output for each 3 s of the clip, cached for the clip's lifetime.

    A clip of 30 s has ten patches; the remaining 60 ms are dropped.

    Raises
    ------
    ValueError
        If the clip is shorter than 3 s.
    """
    if clip not in models.tagger_outputs:
        if clip not in _patches:
            prepare(clip)
        models.tagger_outputs[clip] = models.tagger(_patches.pop(clip))
    return models.tagger_outputs[clip]
