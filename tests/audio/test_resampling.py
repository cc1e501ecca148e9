"""Tests of block-wise resampling and levels against whole-file results."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike.audio.resampling import MAX_SAMPLE, Levels, Resampler, Stream

RATE, WANTED = 48_000, 22_050


def blocks(samples: np.ndarray, cuts: list[int]) -> list[np.ndarray]:
    return np.split(samples, sorted(cut % (samples.shape[-1] + 1) for cut in cuts), axis=-1)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 50_000), max_size=6), st.integers(0, 2**32 - 1))
def test_blocks_are_resampled_like_the_whole(cuts, seed) -> None:
    samples = np.random.default_rng(seed).uniform(-1, 1, 20_000).astype(np.float32)
    resampler = Resampler(RATE, WANTED, 1)
    for block in blocks(samples, cuts):
        resampler.add(block)
    whole = soxr.resample(samples, RATE, WANTED, quality="HQ")
    np.testing.assert_allclose(resampler.finish(), whole, atol=1e-5)


@settings(max_examples=25)
@given(st.integers(0, 150_000), st.floats(-1, 1, width=32), st.sampled_from((8_000, 44_100, 48_000)))
def test_dc_offset_is_removed_including_the_ends(count, constant, rate) -> None:
    samples = np.random.default_rng(count).uniform(-1, 1, count).astype(np.float32)
    without, shifted = Resampler(rate, WANTED, 1), Resampler(rate, WANTED, 1)
    for block in blocks(samples, [rate]):
        without.add(block)
        shifted.add(block + np.float32(constant))
    np.testing.assert_allclose(shifted.finish(constant), without.finish(), atol=2e-6)


def test_levels_add_up_over_blocks() -> None:
    rng = np.random.default_rng(0)
    constants = np.array([[0.5], [-2], [0]], np.float32)
    channels = rng.normal(size=(3, 9_000)).astype(np.float32) * np.array([[1], [3], [2]], np.float32)
    weights = np.array([1, 0.5, 0], np.float32)
    levels = Levels(weights)
    added = [levels.add(block) for block in blocks(channels + constants, [100, 5_000])]
    mix = weights @ (channels + constants)
    np.testing.assert_allclose(np.concatenate(added), mix, atol=1e-5)
    np.testing.assert_allclose(levels.constants, (channels + constants).mean(axis=1), atol=1e-6)
    assert levels.constant == pytest.approx(mix.mean(), abs=1e-6)
    assert levels.gain == pytest.approx(1 / 1.5)
    assert levels.alone is None


@pytest.mark.parametrize(
    ("loudness", "weights", "alone"),
    [
        ((1, 1), (1, 1), None),
        ((1, 0), (1, 1), None),
        ((0, 0), (1, 1), None),
        ((1e-5, 1), (1, 0), 1),
        ((0.1, 1), (1, 0), None),
        ((0, 1, 2), (1, 0, 0), 2),
    ],
)
def test_channel_used_when_the_mixed_channels_are_silent(loudness, weights, alone) -> None:
    sounds = np.random.default_rng(3).normal(size=(len(weights), 5_000))
    levels = Levels(np.array(weights, np.float32))
    levels.add((np.array(loudness)[:, None] * sounds).astype(np.float32))
    assert levels.alone == alone
    assert not levels.cancelled


@pytest.mark.parametrize(
    ("gain", "cancelled"), [(-1.0, True), (-0.9, True), (-0.5, False), (1.0, False)]
)
def test_inverted_channels_cancel(gain, cancelled) -> None:
    left = np.random.default_rng(1).normal(size=5_000).astype(np.float32)
    channels = np.stack([left, gain * left]).astype(np.float32)
    levels = Levels(np.ones(2, np.float32))
    levels.add(channels)
    assert levels.cancelled is cancelled
    assert levels.alone == (0 if cancelled else None)


def test_a_single_channel_cannot_cancel() -> None:
    levels = Levels(np.ones(1, np.float32))
    levels.add(np.zeros((1, 10), np.float32))
    assert not levels.cancelled


@pytest.mark.parametrize(("channel", "sides"), [(None, True), (None, False), (0, False), (1, True)])
def test_a_stream_keeps_the_requested_channels(channel, sides) -> None:
    channels = np.random.default_rng(2).uniform(-1, 1, (2, 12_000)).astype(np.float32)
    channels -= channels.mean(axis=1, keepdims=True)
    stream = Stream(np.ones(2, np.float32), RATE, WANTED, channel, sides)
    for block in blocks(channels, [7_000]):
        stream.add(block.T)
    samples, both = stream.finish()
    kept = channels.mean(axis=0) if channel is None else channels[channel]
    np.testing.assert_allclose(samples, soxr.resample(kept, RATE, WANTED, quality="HQ"), atol=1e-5)
    assert (both is None) == (not sides)
    if both is not None:
        expected = soxr.resample(np.ascontiguousarray(channels.T), RATE, WANTED, quality="HQ")
        np.testing.assert_allclose(both, expected, atol=1e-5)


def test_nan_becomes_silent_and_large_samples_are_clipped() -> None:
    block = np.array([[np.nan], [np.inf], [-np.inf], [1e30], [0.5]] * 400, np.float64)
    stream = Stream(np.ones(1, np.float32), RATE, RATE, None, False)
    stream.add(block)
    samples, _ = stream.finish()
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 2 * MAX_SAMPLE
