"""Embeddings of a clip that came through a microphone, estimated as if it had not.

A loudspeaker, a room and other people's voices change what the networks give more than the difference
between two songs does. `models.recording_correction` estimates the embeddings of the clean source from
those of the recording, stretch by stretch; the library stays as it is. It is for clips that are known to
be recordings. Clean clips are left alone.
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
MODEL = "recording_correction"


def is_held_out(artist: str) -> bool:
    """Whether the correction was fitted without an artist: a quarter of all, by a hash of the name."""
    return int(hashlib.sha256(artist.encode()).hexdigest(), 16) % 4 == 0


def moments(clip: Clip, models: ModelStore) -> dict[str, NDArray[np.float32]]:
    """Corrected embeddings of each stretch of 3 s of a 30 s clip [shape=(10, dim)], by `PARTS`.

    Raises
    ------
    ModelError
        If a network is missing.
    """
    return models.recording_correction({name: of(clip, models) for name, of in _MOMENTS.items()})
