"""Downmix weights: the share of each channel in a file's mono mix.

The coefficients are those of ITU-R BS.775. Its stereo downmix puts each surround channel on its own
side and the centre on both, all at -3 dB, and omits the low-frequency channel. The mono mix is the mean
of the two sides, so the centre counts twice.
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
"""Shares by FFmpeg's channel names; all other names are surround channels."""
_UNNAMED = "NONE"


def weights(layout: Sequence[str]) -> NDArray[np.float32]:
    """The weight of each channel in the mix; the largest is 1, as are all weights of mono and stereo.

    Parameters
    ----------
    layout : FFmpeg's names of up to eight channels, for example FL, FR and FC; unnamed channels get
        FFmpeg's default layout for their number
    """
    named = _default_layout(len(layout)) if _UNNAMED in layout else layout
    shares = np.array([_SHARES.get(name, _MINUS_3_DB) for name in named])
    return (shares / shares.max() if shares.any() else shares).astype(np.float32)


def _default_layout(count: int) -> list[str]:
    import av

    return [channel.name for channel in av.AudioLayout(f"{count}c").channels]
