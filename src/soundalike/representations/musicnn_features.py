"""What the representations on the tagger share: one pass over a clip's ten patches."""

from __future__ import annotations

from soundalike.audio import Clip
from soundalike.models import ModelStore, tagger


def heard(clip: Clip, models: ModelStore) -> tagger.Heard:
    """What the tagger makes of each 3 s of the clip, computed once as long as the clip lives.

    A clip of 30 s has ten patches; the 60 ms that remain are left out.

    Raises
    ------
    ValueError
        If the clip is shorter than 3 s.
    """
    if clip not in models.heard:
        models.heard[clip] = models.tagger(tagger.patches(tagger.spectrogram(clip)))
    return models.heard[clip]
