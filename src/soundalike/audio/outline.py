"""The outline of a clip's waveform: few numbers, which a page can draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from soundalike.audio.analysis_window import LEAST_TO_CHOOSE, analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip

PEAKS = 300
LARGEST = 100
_TOLERANCE_S = 0.05


@dataclass(frozen=True)
class Outline:
    """A clip's peaks, its length, and its loudest half minute.

    Attributes
    ----------
    peaks : largest magnitude of each of `PEAKS` equal parts, from 0 to `LARGEST`, the largest of all
    duration : seconds
    loudest : where the loudest half minute starts, in whole seconds
    """

    peaks: tuple[int, ...]
    duration: float
    loudest: int

    @property
    def last(self) -> int:
        """The last whole second at which a half minute can start; 0 if there is no choice."""
        return last_start(self.duration)


def of(clip: Clip) -> Outline:
    """The outline of a whole clip. Samples that aren't finite count as 0."""
    magnitudes = np.abs(np.nan_to_num(clip.samples, posinf=0.0, neginf=0.0))
    starts = np.linspace(0, len(magnitudes), PEAKS, endpoint=False).astype(np.intp)
    peaks = np.maximum.reduceat(magnitudes, starts)
    scaled = np.round(LARGEST * peaks / max(float(peaks.max()), 1e-9)).astype(int)
    return Outline(tuple(scaled.tolist()), clip.duration, round(analysis_window(clip).start))


def last_start(duration: float) -> int:
    """The last whole second at which a half minute of a clip can start; 0 if there is no choice."""
    if duration <= LEAST_TO_CHOOSE:
        return 0
    return int(duration - ANALYSIS_SAMPLES / SAMPLE_RATE + _TOLERANCE_S)
