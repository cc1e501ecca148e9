"""Which half minute of a clip is analysed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip, clock, level_dbfs


def analysis_window(clip: Clip) -> Clip:
    """The 30 s that stand for a clip.

    A shorter clip is repeated until it fills the window. Of a longer one the loudest half minute is
    taken: the window, on a grid of one second, with the highest mean level in dB (levels are taken
    over 50 ms and floored 60 dB below the loudest, so that one click decides nothing); the earliest
    where several are equal. It tends to find the chorus, and passes over intros and fade-outs.

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
    # A copy, so that the rest of a long file is given back.
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
