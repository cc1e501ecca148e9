"""What the representations on the tagger share: one pass over a clip's ten patches."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.models import ModelStore, tagger

_patches: WeakKeyDictionary[Clip, NDArray[np.float32]] = WeakKeyDictionary()


def prepare(clip: Clip) -> None:
    """Draw what the tagger hears of a clip beforehand, beside something else."""
    _patches[clip] = tagger.patches(tagger.spectrogram(clip))


def output(clip: Clip, models: ModelStore) -> tagger.TaggerOutput:
    """What the tagger makes of each 3 s of the clip, computed once as long as the clip lives.

    A clip of 30 s has ten patches; the 60 ms that remain are left out.

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
