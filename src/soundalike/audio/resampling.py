"""What is worked out of a file while it is decoded block by block: its resampled samples, its levels.

Nothing here keeps more of a file than its result, however long it is.
"""

from __future__ import annotations

from math import gcd
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

CANCELLATION_DB = -20.0
"""A mono mix this far below its channels has cancelled itself out (phase-inverted stereo)."""
EMPTY_DB = -60.0
"""A channel this far below the loudest one holds no sound, only noise."""

MAX_SAMPLE = 1e4
"""Float files may hold any number; beyond this its square would no longer fit."""


class Levels:
    """What each channel holds, and their mix: its constant part and its power, summed over a file.

    Powers are those of the samples without their constant part, which nobody hears.

    Parameters
    ----------
    weights : of the channels in the mix [shape=(channels,)]
    """

    def __init__(self, weights: NDArray[np.float32]) -> None:
        self._weights = weights
        self._count = 0
        self._sums = np.zeros(len(weights) + 1)
        self._squares = np.zeros(len(weights) + 1)

    def add(self, channels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Count a block [shape=(channels, n)]; returns its weighted sum [shape=(n,)]."""
        # Without linear algebra, which would round differently with more threads.
        mix = np.zeros(channels.shape[1], np.float32)
        for weight, channel in zip(self._weights, channels, strict=True):
            if weight:
                mix += weight * channel
        for place, samples in enumerate((*channels, mix)):
            self._sums[place] += samples.sum(dtype=np.float64)
            self._squares[place] += np.square(samples, dtype=np.float64).sum()
        self._count += channels.shape[1]
        return mix

    @property
    def constants(self) -> NDArray[np.float64]:
        """The constant part of each channel [shape=(channels,)]."""
        return self._means[:-1]

    @property
    def constant(self) -> float:
        """The constant part of the weighted sum."""
        return float(self._means[-1])

    @property
    def gain(self) -> float:
        """What makes a mix of the weighted sum: channels without sound do not make it quieter."""
        return 1 / (float(self._weights[self._mixed].sum()) or 1.0)

    @property
    def alone(self) -> int | None:
        """The channel that stands for all, where there is no sound in the mix."""
        if not self._powers.any() or (self._mixed.any() and not self.cancelled):
            return None
        among = self._powers[:-1] * self._mixed if self._mixed.any() else self._powers[:-1]
        return int(np.argmax(among))

    @property
    def cancelled(self) -> bool:
        """Whether the channels cancel each other out in the mix."""
        weights = self._weights * self._mixed
        if np.count_nonzero(weights) < 2:
            return False
        mean = float(np.average(self._powers[:-1], weights=weights))
        return float(self._powers[-1]) * self.gain**2 < mean * 10 ** (CANCELLATION_DB / 10)

    @property
    def _mixed(self) -> NDArray[np.bool_]:
        """The channels that hold sound, of those that go into the mix."""
        powers = self._powers[:-1]
        mixed: NDArray[np.bool_] = powers > powers.max() * 10 ** (EMPTY_DB / 10)
        return mixed & (self._weights > 0)

    @property
    def _means(self) -> NDArray[np.float64]:
        return self._sums / max(self._count, 1)

    @property
    def _powers(self) -> NDArray[np.float64]:
        """Of each channel, and of the weighted sum."""
        return np.maximum(self._squares / max(self._count, 1) - self._means**2, 0.0)


class Resampler:
    """Samples given in parts, brought to another rate by soxr's high quality."""

    def __init__(self, sample_rate: int, wanted: int, channels: int) -> None:
        import soxr

        self._rates = sample_rate, wanted
        self._nothing = np.zeros(0 if channels == 1 else (0, channels), np.float32)
        self._stream = soxr.ResampleStream(sample_rate, wanted, channels, dtype="float32", quality="HQ")
        self._parts: list[NDArray[np.float32]] = []
        self._count = 0

    def add(self, samples: NDArray[np.float32]) -> None:
        """Take the next part [shape=(n,) or (n, channels)]."""
        self._count += len(samples)
        self._parts.append(self._stream.resample_chunk(samples))

    def finish(self, constant: ArrayLike = 0.0) -> NDArray[np.float32]:
        """All that was given, less a constant of each channel, at the wanted rate.

        Nothing of it is kept here.
        """
        parts, self._parts = self._parts, []
        parts.append(self._stream.resample_chunk(self._nothing, last=True))
        samples = np.concatenate(parts)
        self._subtract(samples, np.asarray(constant, np.float32))
        return samples

    def _subtract(self, samples: NDArray[np.float32], constant: NDArray[np.float32]) -> None:
        """Subtract a constant as it has come through the filter, which blurs its beginning and end."""
        ends = self._ends()
        half = len(ends) // 2
        last = max(len(samples) - len(ends) + half, half)
        samples[:half] -= np.multiply.outer(ends[:half], constant)
        samples[half:last] -= constant
        samples[last:] -= np.multiply.outer(ends[len(ends) - len(samples) + last :], constant)

    def _ends(self) -> NDArray[np.float32]:
        """How a constant of 1 begins and ends, without most of what lies between [shape=(m,)]."""
        import soxr

        sample_rate, wanted = self._rates
        # Left out is what gives whole samples, so that the end lies as it does in all that was given.
        period = sample_rate // gcd(sample_rate, wanted)
        left_out = max(self._count - sample_rate, 0) // period * period
        ones = np.ones(self._count - left_out, np.float32)
        return np.asarray(soxr.resample(ones, *self._rates, quality="HQ"))


class Stream:
    """All that is kept of a file's blocks.

    Parameters
    ----------
    weights : of the channels in the mix [shape=(channels,)]
    sample_rate : of the file
    wanted : the sample rate that is wanted
    channel : the one that is kept, or None for the mix
    sides : whether all channels are kept beside it
    """

    def __init__(
        self,
        weights: NDArray[np.float32],
        sample_rate: int,
        wanted: int,
        channel: int | None,
        sides: bool,
    ) -> None:
        self.levels = Levels(weights)
        self._channel = channel
        self._one = Resampler(sample_rate, wanted, 1)
        self._sides = Resampler(sample_rate, wanted, len(weights)) if sides else None

    def add(self, block: NDArray[Any]) -> None:
        """Take the next block [shape=(n, channels)]; what is no number becomes 0."""
        finite = np.nan_to_num(block.astype(np.float32, copy=False), posinf=0.0, neginf=0.0)
        channels = np.ascontiguousarray(np.clip(finite, -MAX_SAMPLE, MAX_SAMPLE).T)
        mix = self.levels.add(channels)
        self._one.add(mix if self._channel is None else channels[self._channel])
        if self._sides is not None:
            self._sides.add(np.ascontiguousarray(channels.T))

    def finish(self) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """The samples [shape=(n,)], and those of all channels [shape=(n, channels)] if wanted.

        All of them are without their constant part.
        """
        levels = self.levels
        sides = None if self._sides is None else self._sides.finish(levels.constants)
        if self._channel is not None:
            return self._one.finish(levels.constants[self._channel]), sides
        mix = self._one.finish(levels.constant)
        mix *= np.float32(levels.gain)
        return mix, sides
