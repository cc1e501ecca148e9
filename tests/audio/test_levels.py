"""Tests of level normalisation."""

from __future__ import annotations

import numpy as np
import pytest
from audio_files import sine
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike.audio.levels import REFERENCE_DBFS, at_reference_level

RMS = 10 ** (REFERENCE_DBFS / 20)


def noise(seed: int, n: int = 5_000) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, n).astype(np.float32)


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def test_known_signals() -> None:
    assert pytest.approx(0.12589254, abs=1e-8) == RMS
    square = np.tile(np.array([0.5, -0.5], np.float32), 1_000)
    np.testing.assert_allclose(at_reference_level(square), square / 0.5 * RMS, rtol=1e-6)
    tone = sine(1, 22_050, 441, amplitude=0.01)
    assert np.abs(at_reference_level(tone)).max() == pytest.approx(RMS * np.sqrt(2), rel=5e-3)


@settings(derandomize=True)
@given(st.integers(0, 1_000), st.floats(-120, 60), st.floats(-1, 1))
def test_neither_level_nor_offset_matters(seed: int, gain_db: float, offset: float) -> None:
    samples = noise(seed)
    expected = at_reference_level(samples)
    gain = np.float32(10 ** (gain_db / 20))
    np.testing.assert_allclose(at_reference_level(gain * samples), expected, atol=1e-6)
    np.testing.assert_allclose(at_reference_level(samples + np.float32(offset)), expected, atol=2e-6)
    assert expected.dtype == np.float32
    assert rms(expected) == pytest.approx(RMS, rel=1e-6)
    assert abs(float(expected.mean(dtype=np.float64))) < 1e-7


def test_a_tenth_of_half_a_minute_gives_the_same() -> None:
    samples = noise(0, 661_504)
    expected = at_reference_level(samples)
    np.testing.assert_allclose(at_reference_level(np.float32(0.1) * samples), expected, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, -0.3, 1e-30])
def test_silence_is_zeros(value: float) -> None:
    levelled = at_reference_level(np.full(661_504, value, np.float32))
    np.testing.assert_array_equal(levelled, np.zeros(661_504, np.float32))
    assert levelled.dtype == np.float32
    assert len(at_reference_level(np.zeros(0, np.float32))) == 0


def test_the_input_is_not_modified() -> None:
    samples = noise(1)
    before = samples.copy()
    at_reference_level(samples)
    np.testing.assert_array_equal(samples, before)
