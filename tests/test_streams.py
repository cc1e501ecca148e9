"""What is worked out block by block equals what the whole would give."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike.streams import MAX_SAMPLE, Levels, Resampler, Stream

RATE, WANTED = 48_000, 22_050


def blocks(samples: np.ndarray, cuts: list[int]) -> list[np.ndarray]:
    return np.split(samples, sorted(cut % (samples.shape[-1] + 1) for cut in cuts), axis=-1)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 50_000), max_size=6), st.integers(0, 2**32 - 1))
def test_blocks_are_resampled_as_the_whole(cuts, seed) -> None:
    samples = np.random.default_rng(seed).uniform(-1, 1, 20_000).astype(np.float32)
    resampler = Resampler(RATE, WANTED, 1)
    for block in blocks(samples, cuts):
        resampler.add(block)
    whole = soxr.resample(samples, RATE, WANTED, quality="HQ")
    np.testing.assert_allclose(resampler.finish(), whole, atol=1e-5)


def test_levels_add_up_over_blocks_and_tell_the_loudest() -> None:
    rng = np.random.default_rng(0)
    channels = rng.normal(size=(3, 9_000)).astype(np.float32) * np.array([[1], [3], [2]], np.float32)
    levels = Levels(3)
    for block in blocks(channels, [100, 5_000]):
        levels.add(block, block.mean(axis=0))
    assert levels.loudest == 1
    assert not levels.cancelled


@pytest.mark.parametrize(
    ("gain", "cancelled"), [(-1.0, True), (-0.9, True), (-0.5, False), (1.0, False)]
)
def test_inverted_channels_cancel(gain, cancelled) -> None:
    left = np.random.default_rng(1).normal(size=5_000).astype(np.float32)
    channels = np.stack([left, gain * left]).astype(np.float32)
    levels = Levels(2)
    levels.add(channels, channels.mean(axis=0))
    assert levels.cancelled is cancelled


def test_a_single_channel_cannot_cancel() -> None:
    levels = Levels(1)
    levels.add(np.zeros((1, 10), np.float32), np.zeros(10, np.float32))
    assert not levels.cancelled


@pytest.mark.parametrize(("channel", "sides"), [(None, True), (None, False), (0, False), (1, True)])
def test_a_stream_keeps_what_is_asked_for(channel, sides) -> None:
    channels = np.random.default_rng(2).uniform(-1, 1, (2, 12_000)).astype(np.float32)
    stream = Stream(2, RATE, WANTED, channel, sides)
    for block in blocks(channels, [7_000]):
        stream.add(block.T)
    samples, both = stream.finish()
    kept = channels.mean(axis=0) if channel is None else channels[channel]
    np.testing.assert_allclose(samples, soxr.resample(kept, RATE, WANTED, quality="HQ"), atol=1e-5)
    assert (both is None) == (not sides)
    if both is not None:
        expected = soxr.resample(np.ascontiguousarray(channels.T), RATE, WANTED, quality="HQ")
        np.testing.assert_allclose(both, expected, atol=1e-5)


def test_what_is_no_number_is_silent_and_what_is_too_loud_is_bounded() -> None:
    block = np.array([[np.nan], [np.inf], [-np.inf], [1e30], [0.5]] * 400, np.float64)
    stream = Stream(1, RATE, RATE, None, False)
    stream.add(block)
    samples, _ = stream.finish()
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 2 * MAX_SAMPLE
