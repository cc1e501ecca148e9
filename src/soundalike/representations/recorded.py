"""Corrected embeddings of microphone recordings.

A loudspeaker, a room and background voices change the networks' embeddings more than the difference
between two songs does. `models.recording_correction` estimates the embeddings of the clean source from
those of the recording, for each stretch of 3 s. It is only for clips known to be recordings; clean clips
and the library's embeddings stay unchanged.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.models import ModelStore
from soundalike.representations import musicnn, musicnn_mid, yamnet

_MOMENTS = {"musicnn": musicnn.moments, "musicnn_mid": musicnn_mid.moments, "yamnet": yamnet.moments}
PARTS = tuple(_MOMENTS)
"""The representations that are corrected."""


def is_held_out(artist: str) -> bool:
    """Whether an artist was held out when fitting the correction (a quarter, by hash of the name)."""
    return int(hashlib.sha256(artist.encode()).hexdigest(), 16) % 4 == 0


def moments(clip: Clip, models: ModelStore) -> dict[str, NDArray[np.float32]]:
    """Compute corrected embeddings of each 3 s stretch of a 30 s clip [shape=(10, dim)], by `PARTS`.

    Raises
    ------
    ModelError
        If a network is missing.
    """
    return models.recording_correction({name: of(clip, models) for name, of in _MOMENTS.items()})
