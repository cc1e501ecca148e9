"""A clip's key, from its mean chromagram with Krumhansl and Kessler's profiles (`descriptors.key`).

Conventions: a key is its tonic (0 is C) and its mode (0 major, 1 minor). It is -1 and -1 where the best
key is hardly better than the next one.
"""

from __future__ import annotations

from soundalike.audio.clip import Clip
from soundalike.features import descriptors, spectral

MIN_MARGIN = 0.02
"""By how much the best key's correlation must exceed the next best's."""
NONE = (-1, -1)

Key = tuple[int, int]


def estimate(clip: Clip) -> Key:
    """The key of a clip, or `NONE` where none stands out."""
    found = descriptors.key(spectral.chroma(clip))
    if found is None or found.margin < MIN_MARGIN:
        return NONE
    tonic, mode = found.name.split()
    return descriptors.PITCH_CLASSES.index(tonic), int(mode == "minor")
