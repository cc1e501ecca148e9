"""Key estimation from the mean chromagram with Krumhansl and Kessler's profiles (`descriptors.key`).

Conventions: a key is its tonic (0 is C) and its mode (0 major, 1 minor), or -1 and -1 if the best key
is hardly better than the second best.
"""

from __future__ import annotations

from soundalike.audio.clip import Clip
from soundalike.features import descriptors, spectral

MIN_MARGIN = 0.02
"""Minimum difference between the correlations of the best and second best key."""
NONE = (-1, -1)

Key = tuple[int, int]


def estimate(clip: Clip) -> Key:
    """Estimate the key of a clip; `NONE` if no key stands out."""
    found = descriptors.key(spectral.chroma(clip))
    if found is None or found.margin < MIN_MARGIN:
        return NONE
    tonic, mode = found.name.split()
    return descriptors.PITCH_CLASSES.index(tonic), int(mode == "minor")
