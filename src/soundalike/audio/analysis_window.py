"""Choose the 30 seconds of a clip to analyse."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip, clock, level_dbfs


def analysis_window(clip: Clip) -> Clip:
    """Choose the 30 s window that represents a clip.

    A shorter clip is looped to fill the window. For a longer clip, the window starts on a whole second
    and has the highest mean level in dB; the earliest wins a tie. Levels are taken over 50 ms and
    floored 60 dB below the loudest, to limit the effect of a single click. The window tends to find
    the chorus and to avoid intros and fade-outs.

    Returns
    -------
    Clip with 661,504 samples at 22,050 Hz (1,293 frames of hop length 512)
    """
    n = len(clip.samples)
    if n == ANALYSIS_SAMPLES:
        return clip
    if n < ANALYSIS_SAMPLES:
        repeated = np.resize(clip.samples, ANALYSIS_SAMPLES)
        notes = clip.notes
        if clip.duration < 29.0:
            notes += (f"This clip is only {clip.duration:.1f} s long, so we looped it to 30 s.",)
        return Clip(repeated, clip.sample_rate, notes, clip.start, clip.source_duration)
    start = _loudest_window(clip.samples)
    notes = clip.notes
    if clip.duration > 31.0:
        notes += (
            f"We analysed the loudest 30 seconds, {clock(start / SAMPLE_RATE)} to "
            f"{clock((start + ANALYSIS_SAMPLES) / SAMPLE_RATE)} of {clock(clip.duration)}.",
        )
    # A copy, so that the rest of a long file can be freed.
    window = clip.samples[start : start + ANALYSIS_SAMPLES].copy()
    return Clip(window, clip.sample_rate, notes, start / SAMPLE_RATE, clip.source_duration)


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
