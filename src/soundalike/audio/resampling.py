"""Streaming resampling and level measurement of a file that is decoded block by block.

Only the results are kept in memory, however long the file is.
"""

from __future__ import annotations

from math import gcd
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

CANCELLATION_DB = -20.0
"""Level of the mono mix, relative to its channels, that indicates phase cancellation."""
EMPTY_DB = -60.0
"""Level relative to the loudest channel below which a channel is considered silent."""

MAX_SAMPLE = 1e4
"""Limit for samples of float files; larger numbers would overflow when squared."""


class Levels:
    """DC offset and power of each channel and of their mix, accumulated over a file.

    Powers exclude the DC offset, which is inaudible.

    Parameters
    ----------
    weights : weight of each channel in the mix [shape=(channels,)]
    """

    def __init__(self, weights: NDArray[np.float32]) -> None:
        self._weights = weights
        self._count = 0
        self._sums = np.zeros(len(weights) + 1)
        self._squares = np.zeros(len(weights) + 1)

    def add(self, channels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Add a block [shape=(channels, n)] and return its weighted sum [shape=(n,)]."""
        # No linear algebra, because its rounding depends on the number of threads.
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
        """DC offset of each channel [shape=(channels,)]."""
        return self._means[:-1]

    @property
    def constant(self) -> float:
        """DC offset of the weighted sum."""
        return float(self._means[-1])

    @property
    def gain(self) -> float:
        """Factor from the weighted sum to the mix, which keeps silent channels from lowering it."""
        return 1 / (float(self._weights[self._mixed].sum()) or 1.0)

    @property
    def alone(self) -> int | None:
        """The channel to use instead of the mix, or None if the mix is usable."""
        if not self._powers.any() or (self._mixed.any() and not self.cancelled):
            return None
        candidates = self._powers[:-1] * self._mixed if self._mixed.any() else self._powers[:-1]
        return int(np.argmax(candidates))

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
        """The audible channels of the mix."""
        powers = self._powers[:-1]
        mixed: NDArray[np.bool_] = powers > powers.max() * 10 ** (EMPTY_DB / 10)
        return mixed & (self._weights > 0)

    @property
    def _means(self) -> NDArray[np.float64]:
        return self._sums / max(self._count, 1)

    @property
    def _powers(self) -> NDArray[np.float64]:
        """Power of each channel, then of the weighted sum."""
        return np.maximum(self._squares / max(self._count, 1) - self._means**2, 0.0)


class Resampler:
    """Streaming resampler with soxr's high quality."""

    def __init__(self, sample_rate: int, wanted: int, channels: int) -> None:
        import soxr

        self._rates = sample_rate, wanted
        self._empty = np.zeros(0 if channels == 1 else (0, channels), np.float32)
        self._stream = soxr.ResampleStream(sample_rate, wanted, channels, dtype="float32", quality="HQ")
        self._parts: list[NDArray[np.float32]] = []
        self._count = 0

    def add(self, samples: NDArray[np.float32]) -> None:
        """Resample the next part [shape=(n,) or (n, channels)]."""
        self._count += len(samples)
        self._parts.append(self._stream.resample_chunk(samples))

    def finish(self, constant: ArrayLike = 0.0) -> NDArray[np.float32]:
        """Return all samples at the target rate, with a constant subtracted from each channel.

        The samples are not kept here afterwards.
        """
        parts, self._parts = self._parts, []
        parts.append(self._stream.resample_chunk(self._empty, last=True))
        samples = np.concatenate(parts)
        self._subtract(samples, np.asarray(constant, np.float32))
        return samples

    def _subtract(self, samples: NDArray[np.float32], constant: NDArray[np.float32]) -> None:
        """Subtract a constant as filtered by the resampler, which smooths its beginning and end."""
        ends = self._filtered_ones()
        half = len(ends) // 2
        last = max(len(samples) - len(ends) + half, half)
        samples[:half] -= np.multiply.outer(ends[:half], constant)
        samples[half:last] -= constant
        samples[last:] -= np.multiply.outer(ends[len(ends) - len(samples) + last :], constant)

    def _filtered_ones(self) -> NDArray[np.float32]:
        """The beginning and end of a resampled constant of 1, with its middle shortened [shape=(m,)]."""
        import soxr

        sample_rate, wanted = self._rates
        # Skip a whole number of output samples, so that the end keeps its phase.
        period = sample_rate // gcd(sample_rate, wanted)
        skipped = max(self._count - sample_rate, 0) // period * period
        ones = np.ones(self._count - skipped, np.float32)
        return np.asarray(soxr.resample(ones, *self._rates, quality="HQ"))


class Stream:
    """Resampled samples and levels of a file's blocks.

    Parameters
    ----------
    weights : weight of each channel in the mix [shape=(channels,)]
    sample_rate : the file's sample rate
    wanted : target sample rate
    channel : the channel to keep, or None for the mix
    sides : whether to keep all channels as well
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
        self._mono = Resampler(sample_rate, wanted, 1)
        self._sides = Resampler(sample_rate, wanted, len(weights)) if sides else None

    def add(self, block: NDArray[Any]) -> None:
        """Process the next block [shape=(n, channels)]; NaN and infinity become 0."""
        channels = np.ascontiguousarray(block.T, np.float32)
        # False for NaN as well.
        if not np.abs(channels).max(initial=0.0) <= MAX_SAMPLE:
            finite = np.nan_to_num(channels, posinf=0.0, neginf=0.0)
            channels = np.clip(finite, -MAX_SAMPLE, MAX_SAMPLE)
        mix = self.levels.add(channels)
        self._mono.add(mix if self._channel is None else channels[self._channel])
        if self._sides is not None:
            self._sides.add(np.ascontiguousarray(channels.T))

    def finish(self) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Return the samples [shape=(n,)], and all channels [shape=(n, channels)] if kept.

        The DC offset is removed from both.
        """
        levels = self.levels
        sides = None if self._sides is None else self._sides.finish(levels.constants)
        if self._channel is not None:
            return self._mono.finish(levels.constants[self._channel]), sides
        mix = self._mono.finish(levels.constant)
        mix *= np.float32(levels.gain)
        return mix, sides
