"""Tests of spectral features: known signals, librosa's values, and standardisation."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip
from soundalike.features import spectral

FEW = settings(max_examples=50, deadline=None, derandomize=True)
MATRICES = arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(2, 40)),
    elements=st.integers(-100, 100).map(float),
)


def sine(hertz: float) -> Clip:
    time = np.arange(ANALYSIS_SAMPLES) / SAMPLE_RATE
    return Clip((0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32))


@pytest.fixture(scope="module")
def tone() -> Clip:
    return sine(440.0)


@pytest.fixture(scope="module")
def noise() -> Clip:
    rng = np.random.default_rng(0)
    fading = np.geomspace(1, 1e-3, ANALYSIS_SAMPLES)
    return Clip((fading * rng.normal(0, 0.1, ANALYSIS_SAMPLES)).astype(np.float32))


def test_shapes(noise):
    for compute, rows in ((spectral.mel_spectrogram, 216), (spectral.mfcc, 20), (spectral.chroma, 12)):
        matrix = compute(noise)
        assert matrix.shape == (rows, 1_293)
        assert matrix.dtype == np.float32
        assert np.isfinite(matrix).all()


@pytest.mark.parametrize("missing", [0, 4, 1_000, 200_000])
def test_power_taken_from_a_longer_clip_is_that_of_the_clip_alone(noise, missing):
    samples = noise.samples[: ANALYSIS_SAMPLES - missing]
    beginning, alone = Clip(samples), Clip(samples)
    spectral.begins(beginning, noise)
    np.testing.assert_array_equal(spectral.power(beginning), spectral.power(alone))


def test_the_loudest_cell_is_0_db_and_the_range_80(tone, noise):
    for clip in (tone, noise):
        mel = spectral.mel_spectrogram(clip)
        assert mel.max() == 0.0
        assert mel.min() >= -80.0
    assert spectral.mel_spectrogram(tone).min() == -80.0


@pytest.mark.parametrize("hertz", [100.0, 440.0, 1_000.0, 3_520.0, 9_000.0])
def test_a_sine_peaks_in_its_mel_band(hertz):
    centres = librosa.mel_frequencies(n_mels=218, fmin=0, fmax=SAMPLE_RATE / 2)[1:-1]
    mel = spectral.mel_spectrogram(sine(hertz))[:, 5:-5]
    assert (mel.argmax(axis=0) == np.abs(centres - hertz).argmin()).all()


@pytest.mark.parametrize(
    ("hertz", "row"), [(261.63, 0), (440.0, 9), (880.0, 9), (739.99, 6), (987.77, 11)]
)
def test_a_sine_peaks_in_its_pitch_class(hertz, row):
    chroma = spectral.chroma(sine(hertz))[:, 5:-5]
    assert (chroma.argmax(axis=0) == row).all()
    np.testing.assert_allclose(chroma[row], 1.0)
    others = np.delete(chroma, [(row - 1) % 12, row, (row + 1) % 12], axis=0)
    assert others.max() < 0.2


def test_values_are_those_of_librosa(noise):
    y, sr = noise.samples, 22_050
    power = librosa.feature.melspectrogram(y=y, sr=sr, n_fft=2_048, hop_length=512, n_mels=216)
    mel = librosa.power_to_db(power, ref=np.max)
    np.testing.assert_array_equal(spectral.mel_spectrogram(noise), mel)
    mfcc = librosa.feature.mfcc(y=y, sr=sr, n_mfcc=20, n_fft=2_048, hop_length=512)
    np.testing.assert_array_equal(spectral.mfcc(noise), mfcc)
    chroma = librosa.feature.chroma_stft(y=y, sr=sr, n_fft=2_048, hop_length=512)
    np.testing.assert_array_equal(spectral.chroma(noise), chroma)


def test_a_frame_of_mel_by_hand(noise):
    frame = 700
    padded = np.pad(noise.samples.astype(np.float64), 1_024)
    window = np.hanning(2_049)[:-1]
    power = np.abs(np.fft.rfft(window * padded[frame * 512 : frame * 512 + 2_048])) ** 2
    level = 10 * np.log10(librosa.filters.mel(sr=22_050, n_fft=2_048, n_mels=216) @ power)
    mel = spectral.mel_spectrogram(noise)[:, frame]
    assert mel.min() > -80.0
    difference = mel - level
    np.testing.assert_allclose(difference, difference.mean(), atol=1e-3)


def test_mfcc_by_hand(noise):
    from scipy.fft import dct

    power = librosa.feature.melspectrogram(y=noise.samples, sr=22_050, n_mels=128)
    by_hand = dct(librosa.power_to_db(power), axis=0, norm="ortho")[:20]
    np.testing.assert_allclose(spectral.mfcc(noise), by_hand, atol=0.01)


def test_a_louder_copy_has_the_same_mel(noise):
    louder = Clip(4 * noise.samples)
    np.testing.assert_allclose(
        spectral.mel_spectrogram(louder), spectral.mel_spectrogram(noise), atol=1e-3
    )


@FEW
@given(MATRICES)
def test_standardised_rows_have_mean_0_and_deviation_1(matrix):
    standardised = spectral.standardise(matrix)
    varied = np.ptp(matrix, axis=1) > 0
    assert standardised.shape == matrix.shape
    assert standardised.dtype == np.float32
    np.testing.assert_allclose(standardised.mean(axis=1), 0.0, atol=1e-4)
    np.testing.assert_allclose(standardised[varied].std(axis=1), 1.0, atol=1e-4)
    assert not standardised[~varied].any()


@FEW
@given(MATRICES, st.integers(-50, 50), st.sampled_from([0.25, 0.5, 2.0, 8.0]))
def test_standardising_removes_level_and_scale(matrix, shift, scale):
    np.testing.assert_allclose(
        spectral.standardise((scale * matrix + shift).astype(np.float32)),
        spectral.standardise(matrix),
        atol=1e-3,
    )


@FEW
@given(MATRICES)
def test_standardising_twice_changes_nothing(matrix):
    once = spectral.standardise(matrix)
    np.testing.assert_allclose(spectral.standardise(once), once, atol=1e-4)


@pytest.mark.parametrize("value", [0.0, 1.0, -400.123, -1_131.3708, 123_456.79])
def test_a_constant_row_becomes_0(value):
    matrix = np.full((2, 1_293), value, np.float32)
    matrix[1] = np.sin(np.arange(1_293))
    standardised = spectral.standardise(matrix)
    assert not standardised[0].any()
    assert standardised[1].std() == pytest.approx(1.0, abs=1e-4)


def test_standardising_does_not_modify_its_argument():
    matrix = np.arange(12, dtype=np.float32).reshape(3, 4)
    spectral.standardise(matrix)
    np.testing.assert_array_equal(matrix, np.arange(12).reshape(3, 4))


def test_only_the_latest_power_spectrograms_are_kept() -> None:
    clips = [Clip(np.full(4_096, 0.1, np.float32)) for _ in range(spectral.KEPT_POWERS + 1)]
    first, *others = [spectral.power(clip) for clip in clips]
    assert all(spectral.power(clip) is kept for clip, kept in zip(clips[1:], others, strict=True))
    again = spectral.power(clips[0])
    assert again is not first
    np.testing.assert_array_equal(again, first)
