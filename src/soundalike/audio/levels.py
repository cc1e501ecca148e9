"""Level normalisation.

Levels are root mean squares in dBFS; 0 dBFS is a full-scale square wave.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

REFERENCE_DBFS = -18.0
"""Level of a clip at a network's input; most music is near it already."""


def at_reference_level(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Remove the DC offset and scale to `REFERENCE_DBFS`.

    The result does not depend on the input's level or DC offset, up to float32's last digits. It is
    not bounded by 1: the clicks in near-silence become loud.

    Parameters
    ----------
    samples : finite numbers [shape=(n,)]

    Returns
    -------
    float32 [shape=(n,)]; zeros if all samples are equal
    """
    # The mean of equal numbers is subject to rounding, and the gain would amplify the remainder.
    if not len(samples) or samples.min() == samples.max():
        return np.zeros(len(samples), np.float32)
    centred = samples.astype(np.float64)
    centred -= centred.mean()
    gain = 10 ** (REFERENCE_DBFS / 20) / np.sqrt(np.square(centred).mean())
    levelled: NDArray[np.float32] = (gain * centred).astype(np.float32)
    return levelled
