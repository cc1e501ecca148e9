"""Downmix: how much of each channel goes into the mono mix of a file.

The coefficients are those of ITU-R BS.775. Its stereo downmix has each surround channel on its own side
and the centre on both, all of them at -3 dB, and leaves the low-frequency channel out. The mono mix is
the mean of the two sides, so that the centre counts twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_MINUS_3_DB = 0.5**0.5
_SHARES = {
    **dict.fromkeys(("FL", "FR", "FLC", "FRC", "DL", "DR"), 1.0),
    "FC": 2 * _MINUS_3_DB,
    **dict.fromkeys(("LFE", "LFE2", "UNSD"), 0.0),
}
"""By FFmpeg's names of channels; all others are surround channels."""
_NAMELESS = "NONE"


def weights(layout: Sequence[str]) -> NDArray[np.float32]:
    """The weight of each channel in the mix; the largest is 1, so that mono and stereo have no other.

    Parameters
    ----------
    layout : FFmpeg's names of up to eight channels, for example FL, FR and FC; where they have none, the
        usual layout of so many is assumed
    """
    named = _usual(len(layout)) if _NAMELESS in layout else layout
    shares = np.array([_SHARES.get(name, _MINUS_3_DB) for name in named])
    return (shares / shares.max() if shares.any() else shares).astype(np.float32)


def _usual(count: int) -> list[str]:
    import av

    return [channel.name for channel in av.AudioLayout(f"{count}c").channels]
