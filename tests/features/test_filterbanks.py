"""Tests of front ends: published centre frequencies, a reference filter, and known signals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from soundalike.audio.clip import SAMPLE_RATE, Clip
from soundalike.features import filterbanks

ZWICKER_CENTRES = (
    *(50, 150, 250, 350, 450, 570, 700, 840, 1_000, 1_170, 1_370, 1_600),
    *(1_850, 2_150, 2_500, 2_900, 3_400, 4_000, 4_800, 5_800, 7_000, 8_500),
)
"""Zwicker (1961), table 1; the 23rd band, centred on 10,500 Hz, is cut off at 11,025 Hz here."""
ALL = (filterbanks.bark_bands, filterbanks.gammatone_bands, filterbanks.scalogram)


def sine(hertz: float) -> Clip:
    time = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    return Clip((0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32))


def strongest(matrix: np.ndarray) -> int:
    rows = matrix[:, 60:-60].argmax(axis=0)
    assert (rows == rows[0]).all()
    return int(rows[0])


def test_bark_bands_contain_zwickers_centres() -> None:
    limits = filterbanks.bark_limits()
    assert len(limits) == 23
    for (low, high), centre in zip(limits, ZWICKER_CENTRES, strict=False):
        assert low < centre < high
        # Zwicker rounds: his centres are within 2 % of the middle of the limits.
        assert centre == pytest.approx((low + high) / 2, rel=0.02)
    assert limits[-1] == (9_500.0, SAMPLE_RATE / 2)


def test_every_bin_is_in_one_bark_band() -> None:
    weights = filterbanks._bark_weights()
    np.testing.assert_array_equal(weights.sum(axis=0), 1)
    assert (weights.sum(axis=1) >= 8).all()


@pytest.mark.parametrize(("hertz", "band"), [(50, 0), (440, 4), (1_000, 8), (4_000, 17), (10_000, 22)])
def test_a_sine_peaks_in_its_critical_band(hertz: float, band: int) -> None:
    assert strongest(filterbanks.bark_bands(sine(hertz))) == band


@pytest.mark.parametrize(("hertz", "width"), [(100, 35.5), (1_000, 132.6), (4_000, 456.5)])
def test_erb_is_that_of_glasberg_and_moore(hertz: float, width: float) -> None:
    assert filterbanks.erb(np.array([hertz]))[0] == pytest.approx(width, abs=0.1)


def test_erb_number_at_1_khz_and_its_slope() -> None:
    assert filterbanks.erb_number(np.array([1_000.0]))[0] == pytest.approx(15.6, abs=0.05)
    step = np.diff(filterbanks.erb_number(np.array([1_000.0, 1_001.0])))[0]
    assert 1 / step == pytest.approx(filterbanks.erb(np.array([1_000.5]))[0], rel=0.01)


def test_gammatone_centres_are_evenly_spaced_on_the_erb_scale() -> None:
    centres = filterbanks.gammatone_centres()
    assert len(centres) == filterbanks.N_GAMMATONE
    assert centres[[0, -1]] == pytest.approx([50.0, 10_000.0])
    np.testing.assert_allclose(np.diff(filterbanks.erb_number(centres), 2), 0, atol=1e-9)


@pytest.mark.parametrize("hertz", [250.0, 1_000.0, 4_000.0])
def test_gammatone_responses_equal_scipy(hertz: float) -> None:
    """scipy's filter is Slaney's (1993); within two bandwidths the two are alike to 1 dB."""
    weights = filterbanks._gammatone_weights(np.array([hertz]))[0]
    bins = filterbanks._bins()
    numerator, denominator = signal.gammatone(hertz, "iir", fs=SAMPLE_RATE)
    _, response = signal.freqz(numerator, denominator, bins, fs=SAMPLE_RATE)
    near = np.abs(bins - hertz) < 2 * filterbanks.erb(np.array([hertz]))[0]
    reference = 20 * np.log10(np.abs(response[near]))
    np.testing.assert_allclose(10 * np.log10(weights[near]), reference, atol=1.0)


@pytest.mark.parametrize("hertz", [100.0, 440.0, 3_000.0])
def test_a_sine_peaks_at_its_gammatone_filter(hertz: float) -> None:
    centres = filterbanks.gammatone_centres()
    expected = int(np.abs(filterbanks.erb_number(centres) - filterbanks.erb_number(hertz)).argmin())
    assert abs(strongest(filterbanks.gammatone_bands(sine(hertz))) - expected) <= 1


@pytest.mark.parametrize(("hertz", "row"), [(55.0, 9), (261.63, 36), (440.0, 45), (3_520.0, 81)])
def test_a_note_peaks_at_its_row_of_the_scalogram(hertz: float, row: int) -> None:
    assert filterbanks.scalogram_centres()[row] == pytest.approx(hertz, rel=1e-4)
    assert strongest(filterbanks.scalogram(sine(hertz))) == row


@pytest.mark.parametrize("hertz", [110.0, 880.0, 7_040.0])
def test_wavelets_match_the_definition_of_morlet(hertz: float) -> None:
    """A convolution with the sampled wavelet: a Gaussian of deviation omega / (2 pi f) on a turn."""
    samples = np.random.default_rng(0).normal(0, 0.1, 2 * SAMPLE_RATE).astype(np.float32)
    deviation = filterbanks.MORLET_OMEGA / (2 * np.pi * hertz)
    reach = int(5 * deviation * SAMPLE_RATE)
    time = np.arange(-reach, reach + 1) / SAMPLE_RATE
    bell = np.exp(-0.5 * (time / deviation) ** 2)
    wave = signal.fftconvolve(samples, 2 * bell / bell.sum() * np.exp(2j * np.pi * hertz * time), "same")
    squares = np.pad(np.abs(wave) ** 2, (256, 256))
    reference = squares[: len(squares) // 512 * 512].reshape(-1, 512).mean(axis=1)
    power = filterbanks._morlet_power(samples, np.array([hertz]))[0]
    np.testing.assert_allclose(power[1:80], reference[1:80], rtol=0.01, atol=reference.max() * 1e-3)


@pytest.mark.parametrize("row", [0, 12, 48, 95])
def test_a_sinusoid_s_power_is_its_amplitude_squared(row: int) -> None:
    centre = filterbanks.scalogram_centres()[row]
    power = filterbanks._morlet_power(sine(centre).samples, np.array([centre]))[0]
    np.testing.assert_allclose(power[60:-60], 0.25, rtol=0.02)


def test_every_wavelet_responds_to_a_click_and_the_lowest_longest() -> None:
    for place in (3 * SAMPLE_RATE, 3 * SAMPLE_RATE + 200):
        samples = np.zeros(6 * SAMPLE_RATE, np.float32)
        samples[place] = 1.0
        power = filterbanks._morlet_power(samples, filterbanks.scalogram_centres())
        assert (np.abs(power.argmax(axis=1) - place / 512) <= 1).all()
        lengths = [(power[row] > power[row].max() / 100).sum() for row in (0, 24, 48)]
        # A wavelet's deviation in time is omega / (2 pi f); a hundredth of the power lies at 2.15.
        reach = 2 * 2.146 * filterbanks.MORLET_OMEGA / (2 * np.pi * filterbanks.scalogram_centres())
        assert lengths == pytest.approx(reach[[0, 24, 48]] * SAMPLE_RATE / 512, abs=2.5)


@pytest.mark.parametrize("compute", ALL)
def test_levels_range_from_minus_80_to_0_db(compute) -> None:
    rng = np.random.default_rng(0)
    matrix = compute(Clip(rng.normal(0, 0.1, 6 * SAMPLE_RATE).astype(np.float32)))
    assert matrix.dtype == np.float32
    assert matrix.shape[1] == 6 * SAMPLE_RATE // 512 + 1
    assert matrix.max() == 0.0
    assert matrix.min() >= -80.0
