"""A clip: mono samples, facts about their source, and the length of the analysis window."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import AudioError

SAMPLE_RATE = 22_050
HOP_LENGTH = 512
N_FRAMES = 1_293
ANALYSIS_SAMPLES = (N_FRAMES - 1) * HOP_LENGTH
"""Samples that give exactly 1,293 centred frames: 30.0002 s."""
MIN_SECONDS = 3.0
SILENCE_DBFS = -60.0
"""A clip whose loudest 50 ms are below this level is rejected as silent."""


@dataclass(frozen=True, eq=False)
class Clip:
    """Mono audio, ready for analysis.

    Compared and hashed by identity, so that computed features can be cached for the clip's lifetime.

    Attributes
    ----------
    samples : float32 array [shape=(n,)]
    sample_rate : int, Hz
    notes : sentences that tell a listener how the audio was changed
    start : start of the samples within the source, in seconds
    source_duration : length of the whole source, in seconds
    """

    samples: NDArray[np.float32]
    sample_rate: int = SAMPLE_RATE
    notes: tuple[str, ...] = ()
    start: float = 0.0
    source_duration: float = 0.0

    @property
    def duration(self) -> float:
        """Length of the samples in seconds."""
        return len(self.samples) / self.sample_rate


def clock(seconds: float) -> str:
    """Format seconds as minutes and seconds, to the nearest second: `clock(61.4)` is "1:01".

    `ui/frontend/clock.js` does the same in the browser.
    """
    whole = math.floor(max(seconds, 0.0) + 0.5)
    return f"{whole // 60}:{whole % 60:02d}"


def level_dbfs(samples: NDArray[np.float32], frame: int = SAMPLE_RATE // 20) -> NDArray[np.float32]:
    """Level of consecutive frames (50 ms each by default) in dBFS, at least -200."""
    if len(samples) < frame:
        frame = max(len(samples), 1)
    whole = samples[: len(samples) // frame * frame].reshape(-1, frame)
    power = np.mean(np.square(whole, dtype=np.float32), axis=1)
    levels: NDArray[np.float32] = 10 * np.log10(np.maximum(power, 1e-20))
    return levels


def is_silent(samples: NDArray[np.float32]) -> bool:
    """Whether the loudest 50 ms are below `SILENCE_DBFS`."""
    return float(level_dbfs(samples).max()) < SILENCE_DBFS


def _check_audible(samples: NDArray[np.float32]) -> None:
    duration = len(samples) / SAMPLE_RATE
    if duration < MIN_SECONDS:
        raise AudioError(
            f"This clip is only {duration:.1f} s long. Choose one of at least {MIN_SECONDS:.0f} s."
        )
    if is_silent(samples):
        raise AudioError("This clip is silent. Choose another one.")
