"""What is worked out of a file while it is decoded block by block: its resampled samples, its levels.

Nothing here keeps more of a file than its result, however long it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

CANCELLATION_DB = -20.0
"""A mono mix this far below its channels has cancelled itself out (phase-inverted stereo)."""

MAX_SAMPLE = 1e4
"""Float files may hold any number; beyond this its square would no longer fit."""


class Levels:
    """Energy of each channel and of their mix, summed over a file."""

    def __init__(self, channels: int) -> None:
        self._channels = np.zeros(channels)
        self._mix = 0.0

    def add(self, channels: NDArray[np.float32], mix: NDArray[np.float32]) -> None:
        """Count a block's channels [shape=(channels, n)] and their mean [shape=(n,)]."""
        self._channels += np.square(channels, dtype=np.float64).sum(axis=1)
        self._mix += float(np.square(mix, dtype=np.float64).sum())

    @property
    def cancelled(self) -> bool:
        """Whether the channels cancel each other out in the mix."""
        mean = float(self._channels.mean())
        return len(self._channels) > 1 and self._mix < mean * 10 ** (CANCELLATION_DB / 10)

    @property
    def loudest(self) -> int:
        """The channel with the most energy."""
        return int(np.argmax(self._channels))


class Resampler:
    """Samples given in parts, brought to another rate by soxr's high quality."""

    def __init__(self, sample_rate: int, wanted: int, channels: int) -> None:
        import soxr

        self._nothing = np.zeros(0 if channels == 1 else (0, channels), np.float32)
        self._stream = soxr.ResampleStream(sample_rate, wanted, channels, dtype="float32", quality="HQ")
        self._parts: list[NDArray[np.float32]] = []

    def add(self, samples: NDArray[np.float32]) -> None:
        """Take the next part [shape=(n,) or (n, channels)]."""
        self._parts.append(self._stream.resample_chunk(samples))

    def finish(self) -> NDArray[np.float32]:
        """All that was given, at the wanted rate; nothing of it is kept here."""
        parts, self._parts = self._parts, []
        parts.append(self._stream.resample_chunk(self._nothing, last=True))
        return np.concatenate(parts)


class Stream:
    """All that is kept of a file's blocks.

    Parameters
    ----------
    channels, sample_rate : of the file
    wanted : the sample rate that is wanted
    channel : the one that is kept, or None for the mix
    sides : whether all channels are kept beside it
    """

    def __init__(
        self, channels: int, sample_rate: int, wanted: int, channel: int | None, sides: bool
    ) -> None:
        self.levels = Levels(channels)
        self._channel = channel
        self._one = Resampler(sample_rate, wanted, 1)
        self._sides = Resampler(sample_rate, wanted, channels) if sides else None

    def add(self, block: NDArray[Any]) -> None:
        """Take the next block [shape=(n, channels)]; what is no number becomes 0."""
        finite = np.nan_to_num(block.astype(np.float32, copy=False), posinf=0.0, neginf=0.0)
        channels = np.ascontiguousarray(np.clip(finite, -MAX_SAMPLE, MAX_SAMPLE).T)
        mix = channels.mean(axis=0, dtype=np.float32)
        self.levels.add(channels, mix)
        self._one.add(mix if self._channel is None else channels[self._channel])
        if self._sides is not None:
            self._sides.add(np.ascontiguousarray(channels.T))

    def finish(self) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """The samples [shape=(n,)], and those of all channels [shape=(n, channels)] if wanted."""
        return self._one.finish(), None if self._sides is None else self._sides.finish()
