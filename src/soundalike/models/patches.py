"""Input of networks that take patches of a 16 kHz spectrogram: level, sample rate, patches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import levels
from soundalike.audio.clip import Clip

SAMPLE_RATE = 16_000


def levelled_samples(clip: Clip) -> NDArray[np.float32]:
    """Normalise a clip to -18 dBFS (`levels.at_reference_level`) and resample it to 16 kHz with
    soxr's high quality.
    """
    import soxr

    samples = levels.at_reference_level(clip.samples)
    return np.asarray(soxr.resample(samples, clip.sample_rate, SAMPLE_RATE, quality="HQ"), np.float32)


def cut(frames: NDArray[np.float32], length: int, step: int) -> NDArray[np.float32]:
    """Cut a spectrogram into patches; an incomplete patch at the end is dropped.

    Parameters
    ----------
    frames : [shape=(t, bands)]
    length : number of frames per patch
    step : hop between the starts of patches, in frames

    Returns
    -------
    float32 [shape=(n, length, bands)]

    Raises
    ------
    ValueError
        If there are fewer frames than a patch has.
    """
    if len(frames) < length:
        raise ValueError(f"a patch has {length} frames, more than the {len(frames)} there are")
    starts = range(0, len(frames) - length + 1, step)
    return np.stack([frames[start : start + length] for start in starts])
