"""A clip: mono samples, what is known of their source, and the half minute that is analysed."""

from __future__ import annotations

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
"""A clip whose loudest 50 ms stay below this level is refused as silent."""


@dataclass(frozen=True, eq=False)
class Clip:
    """Mono audio, ready for analysis.

    Compared and hashed by identity, so that what is computed from a clip can be kept for exactly as
    long as the clip itself.

    Attributes
    ----------
    samples : float32 array [shape=(n,)]
    sample_rate : int, Hz
    notes : sentences about what was done to the audio that a listener may want to know
    start : where in the source the samples begin, in seconds
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


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds: `clock(61.4)` is "1:01"."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def level_dbfs(samples: NDArray[np.float32], frame: int = SAMPLE_RATE // 20) -> NDArray[np.float32]:
    """Level over consecutive frames (50 ms each by default), dBFS, at least -200."""
    if len(samples) < frame:
        frame = max(len(samples), 1)
    whole = samples[: len(samples) // frame * frame].reshape(-1, frame)
    power = np.mean(np.square(whole, dtype=np.float32), axis=1)
    levels: NDArray[np.float32] = 10 * np.log10(np.maximum(power, 1e-20))
    return levels


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


def _check_audible(samples: NDArray[np.float32]) -> None:
    duration = len(samples) / SAMPLE_RATE
    if duration < MIN_SECONDS:
        raise AudioError(
            f"This clip is only {duration:.1f} s long. Choose one of at least {MIN_SECONDS:.0f} s."
        )
    if float(level_dbfs(samples).max()) < SILENCE_DBFS:
        raise AudioError("This clip is silent. Choose another one.")
