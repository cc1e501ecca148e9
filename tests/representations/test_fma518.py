"""Tests of `fma518` against librosa and SciPy, called as in FMA's script."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip
from soundalike.models import ModelStore
from soundalike.representations import fma518

MODELS = ModelStore()


@pytest.fixture(scope="module")
def clip(library_clip) -> Clip:
    return analysis_window(decoding.decode(library_clip))


@pytest.fixture(scope="module")
def embedding(clip) -> dict[tuple[str, str, str], float]:
    return dict(zip(fma518.COLUMNS, map(float, fma518.embed(clip, MODELS)), strict=True))


@pytest.fixture(scope="module")
def expected(clip) -> dict[str, np.ndarray]:
    """FMA's features frame by frame, with librosa's current names and FMA's defaults of their time."""
    x, sr = clip.samples, 22_050
    cqt = np.abs(librosa.cqt(x, sr=sr, hop_length=512, bins_per_octave=12, n_bins=7 * 12, tuning=None))
    stft = np.abs(librosa.stft(x, n_fft=2048, hop_length=512))
    cens = librosa.feature.chroma_cens(C=cqt, n_chroma=12, n_octaves=7, bins_per_octave=12)
    mel = librosa.feature.melspectrogram(sr=sr, S=stft**2)
    return {
        "zcr": librosa.feature.zero_crossing_rate(x, frame_length=2048, hop_length=512),
        "chroma_cqt": librosa.feature.chroma_cqt(C=cqt, n_chroma=12, n_octaves=7, bins_per_octave=12),
        "chroma_cens": cens,
        "tonnetz": librosa.feature.tonnetz(chroma=cens),
        "chroma_stft": librosa.feature.chroma_stft(S=stft**2, n_chroma=12),
        "rmse": librosa.feature.rms(S=stft),
        "spectral_centroid": librosa.feature.spectral_centroid(S=stft),
        "spectral_bandwidth": librosa.feature.spectral_bandwidth(S=stft),
        "spectral_contrast": librosa.feature.spectral_contrast(S=stft, n_bands=6),
        "spectral_rolloff": librosa.feature.spectral_rolloff(S=stft),
        "mfcc": librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=20),
    }


def test_columns_are_in_the_order_of_features_csv():
    assert len(fma518.COLUMNS) == len(set(fma518.COLUMNS)) == fma518.DIM == 518
    assert list(fma518.COLUMNS) == sorted(fma518.COLUMNS)
    assert fma518.COLUMNS[0] == ("chroma_cens", "kurtosis", "01")
    assert fma518.COLUMNS[12] == ("chroma_cens", "max", "01")
    assert fma518.COLUMNS[-1] == ("zcr", "std", "01")
    assert sum(fma518.SIZES.values()) == 74


def test_values_are_those_of_librosa_and_scipy(embedding, expected):
    functions = {
        "kurtosis": stats.kurtosis,
        "skew": stats.skew,
        "max": np.max,
        "mean": np.mean,
        "median": np.median,
        "min": np.min,
        "std": np.std,
    }
    assert set(expected) == set(fma518.SIZES)
    for feature, values in expected.items():
        for statistic, function in functions.items():
            for number, value in enumerate(function(values, axis=1), start=1):
                found = embedding[feature, statistic, f"{number:02d}"]
                assert found == pytest.approx(value, rel=2e-3, abs=2e-3), (feature, statistic, number)


def test_a_tone_by_hand():
    seconds = np.arange(ANALYSIS_SAMPLES) / SAMPLE_RATE
    tone = Clip((0.5 * np.sin(2 * np.pi * 1_000 * seconds)).astype(np.float32))
    found = dict(zip(fma518.COLUMNS, fma518.embed(tone, MODELS), strict=True))
    assert found["spectral_centroid", "median", "01"] == pytest.approx(1_000, abs=5)
    assert found["zcr", "median", "01"] == pytest.approx(2 * 1_000 / 22_050, rel=0.02)
    # librosa takes the level of a windowed frame: a Hann window has a mean square of 3/8.
    assert found["rmse", "median", "01"] == pytest.approx(0.5 / 2**0.5 * (3 / 8) ** 0.5, rel=0.01)
    # 1,000 Hz lies between B5 (988 Hz) and C6 (1,047 Hz), nearest to B.
    for feature in ("chroma_cqt", "chroma_cens", "chroma_stft"):
        chroma = [found[feature, "mean", f"{number:02d}"] for number in range(1, 13)]
        assert int(np.argmax(chroma)) == 11


def test_shape_and_determinism(clip):
    one, again = fma518.embed(clip, MODELS), fma518.embed(Clip(clip.samples.copy()), MODELS)
    assert one.shape == (518,)
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one, again)


def test_order_in_time_does_not_matter(clip):
    turned = fma518.embed(Clip(np.roll(clip.samples, 7 * SAMPLE_RATE)), MODELS)
    means = [i for i, column in enumerate(fma518.COLUMNS) if column[1] == "mean"]
    np.testing.assert_allclose(turned[means], fma518.embed(clip, MODELS)[means], rtol=0.1, atol=0.05)


def test_a_sound_that_never_changes_is_finite():
    silence = fma518.embed(Clip(np.zeros(ANALYSIS_SAMPLES, np.float32)), MODELS)
    assert np.isfinite(silence).all()
    kurtoses = [i for i, column in enumerate(fma518.COLUMNS) if column[:2] == ("rmse", "kurtosis")]
    np.testing.assert_array_equal(silence[kurtoses], 0)


@settings(max_examples=40)
@given(arrays(np.float64, (3, 20), elements=st.floats(-100, 100, width=16)))
def test_statistics_keep_their_bounds(values):
    table = dict(zip(fma518.STATISTICS, fma518.statistics(values), strict=True))
    assert np.isfinite(np.stack(list(table.values()))).all()
    assert (table["min"] <= table["median"]).all()
    assert (table["median"] <= table["max"]).all()
    assert (table["mean"] >= table["min"] - 1e-9).all()
    assert (table["mean"] <= table["max"] + 1e-9).all()
    assert (table["std"] >= 0).all()
    # Pearson's inequality between the two: kurtosis is at least skewness squared plus 1.
    assert (table["kurtosis"] + 3 >= table["skew"] ** 2 + 1 - 1e-6)[table["std"] > 1e-3].all()
