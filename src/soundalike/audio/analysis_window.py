"""Choose the 30 seconds of a clip to analyse."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip, clock, level_dbfs

CHOSEN = "We analysed the half minute that you chose"
LEAST_TO_CHOOSE = 31.0
"""Seconds; a clip up to this length has one half minute only, give or take a fraction of a second."""


def analysis_window(clip: Clip, start: float | None = None) -> Clip:
    """Choose the 30 s window that represents a clip.

    A shorter clip is looped to fill the window. For a longer clip, the window starts on a whole second
    and has the highest mean level in dB; the earliest wins a tie. Levels are taken over 50 ms and
    floored 60 dB below the loudest, to limit the effect of a single click. The window tends to find
    the chorus and to avoid intros and fade-outs.

    Parameters
    ----------
    clip : the whole clip
    start : where the window of a longer clip starts instead, in seconds; at most where the last whole
        window starts

    Returns
    -------
    Clip with 661,504 samples at 22,050 Hz (1,293 frames of hop length 512)

    Raises
    ------
    ValueError
        If `start` is negative or not finite.
    """
    if start is not None:
        check_start(start)
    n = len(clip.samples)
    if n == ANALYSIS_SAMPLES:
        return clip
    if n < ANALYSIS_SAMPLES:
        repeated = np.resize(clip.samples, ANALYSIS_SAMPLES)
        notes = clip.notes
        if clip.duration < 29.0:
            notes += (f"This clip is only {clip.duration:.1f} s long, so we looped it to 30 s.",)
        return Clip(repeated, clip.sample_rate, notes, clip.start, clip.source_duration)
    if start is None:
        first = _loudest_window(clip.samples)
        which = "We analysed the loudest 30 seconds"
    else:
        first = min(round(start * SAMPLE_RATE), n - ANALYSIS_SAMPLES)
        which = CHOSEN
    notes = clip.notes
    if clip.duration > LEAST_TO_CHOOSE:
        notes += (f"{which}, {span(first / SAMPLE_RATE)} of {clock(clip.duration)}.",)
    # A copy, so that the rest of a long file can be freed.
    window = clip.samples[first : first + ANALYSIS_SAMPLES].copy()
    return Clip(window, clip.sample_rate, notes, first / SAMPLE_RATE, clip.source_duration)


def check_start(start: float) -> None:
    """Raise a `ValueError` if a window can't start there: negative, infinite or not a number."""
    if not (math.isfinite(start) and start >= 0):
        raise ValueError(f"A window can't start at {start} s.")


def span(start: float) -> str:
    """A window's times: `span(42)` is "0:42 to 1:12"."""
    return f"{clock(start)} to {clock(start + ANALYSIS_SAMPLES / SAMPLE_RATE)}"


def _loudest_window(samples: NDArray[np.float32]) -> int:
    frame = SAMPLE_RATE // 20
    levels = level_dbfs(samples, frame)
    levels = np.maximum(levels, levels.max() - 60.0).astype(np.float64)
    last = len(samples) - ANALYSIS_SAMPLES
    starts = np.arange(0, last + 1, SAMPLE_RATE)
    total = np.concatenate([[0.0], np.cumsum(levels)])
    first = starts // frame
    width = ANALYSIS_SAMPLES // frame
    return int(starts[np.argmax(np.round(total[first + width] - total[first], 6))])
