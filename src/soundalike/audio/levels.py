"""Levels: how loud samples are, and samples brought to one level.

Levels are root mean squares in dBFS; 0 dBFS is a full-scale square wave.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

REFERENCE_DBFS = -18.0
"""The level of a clip before a network hears it; most music lies near it already."""


def at_reference_level(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Samples without their constant part, at `REFERENCE_DBFS`.

    The same samples at another level, or with another constant part, give the same to float32's last
    digits. The result is not bounded by 1: what is silence with a few clicks gets loud clicks.

    Parameters
    ----------
    samples : finite numbers [shape=(n,)]

    Returns
    -------
    float32 [shape=(n,)]; zeros where all samples are equal
    """
    # The mean of equal numbers need not be that number to the last digit, and the rest would be raised.
    if not len(samples) or samples.min() == samples.max():
        return np.zeros(len(samples), np.float32)
    centred = samples.astype(np.float64)
    centred -= centred.mean()
    gain = 10 ** (REFERENCE_DBFS / 20) / np.sqrt(np.square(centred).mean())
    levelled: NDArray[np.float32] = (gain * centred).astype(np.float32)
    return levelled
