"""New clips for uploads, made from the bundled library.

Each is a mix of two of its tracks as an MP3 file. There are enough for any benchmark, each sounds like
music, and few are taken for one of the two tracks.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.clip import ANALYSIS_SAMPLES
from soundalike.evaluation.robustness_files import encode

BIT_RATE = 128_000
_STRIDE = 101
"""Offset in the library of the second track; a prime, to avoid repeated pairs."""


@lru_cache(maxsize=128)
def upload(number: int) -> tuple[str, bytes]:
    """File name and bytes, unique for every number up to some thousands."""
    return f"clip {number:04}.mp3", encode(_mixture(number), "mp3", "libmp3lame", BIT_RATE)


def recording(number: int) -> bytes:
    """The same clip as a WAV file, the format of a browser's recordings."""
    return encode(_mixture(number), "wav", "pcm_s16le")


def _mixture(number: int) -> NDArray[np.float32]:
    clips = _clips()
    first = clips[number % len(clips)]
    second = clips[(number * 7 + _STRIDE * (1 + number // len(clips))) % len(clips)]
    return np.asarray(0.5 * _samples(first) + 0.5 * _samples(second)[::-1], np.float32)


@lru_cache(maxsize=1)
def _clips() -> list[Path]:
    return sorted((paths.LIBRARY / "clips").iterdir())


def _samples(path: Path) -> NDArray[np.float32]:
    """30 s of a track at a common level, repeated where it is shorter."""
    samples = decoding.decode(path).samples
    tiled = np.resize(samples, ANALYSIS_SAMPLES)
    return tiled / max(float(np.abs(tiled).max()), 1e-6)
