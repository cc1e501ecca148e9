"""Tests of `mfcc_flat` against librosa."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip
from soundalike.models import ModelStore
from soundalike.representations import mfcc_flat

MODELS = ModelStore()


def noise(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    swell = 1 + 0.5 * np.sin(np.arange(ANALYSIS_SAMPLES) / 3_000)
    return (0.1 * swell * rng.normal(size=ANALYSIS_SAMPLES)).astype(np.float32)


@pytest.fixture(scope="module")
def clip(library_clip) -> Clip:
    return analysis_window(decoding.decode(library_clip))


def test_it_is_the_standardised_mfcc_row_by_row(clip):
    embedding = mfcc_flat.embed(clip, MODELS)
    assert embedding.shape == (mfcc_flat.DIM,) == (25_860,)
    assert embedding.dtype == np.float32
    matrix = librosa.feature.mfcc(y=clip.samples.astype(np.float64), sr=22_050, n_mfcc=20)
    expected = (matrix - matrix.mean(axis=1)[:, None]) / matrix.std(axis=1)[:, None]
    np.testing.assert_allclose(embedding.reshape(20, 1_293), expected, atol=2e-3)


def test_every_clip_has_the_same_norm(clip):
    for sound in (clip, Clip(noise(0))):
        norm = np.linalg.norm(mfcc_flat.embed(sound, MODELS).astype(np.float64))
        assert norm == pytest.approx(np.sqrt(mfcc_flat.DIM), rel=1e-5)


def test_cosine_is_the_mean_correlation_of_the_rows(clip):
    one, other = (mfcc_flat.embed(sound, MODELS) for sound in (clip, Clip(noise(1))))
    rows = zip(one.reshape(20, -1), other.reshape(20, -1), strict=True)
    correlation = np.mean([np.corrcoef(*pair)[0, 1] for pair in rows])
    assert one @ other / mfcc_flat.DIM == pytest.approx(correlation, abs=1e-5)


def test_loudness_does_not_matter(clip):
    quieter = mfcc_flat.embed(Clip(clip.samples / 2), MODELS)
    cosine = quieter @ mfcc_flat.embed(clip, MODELS) / mfcc_flat.DIM
    assert cosine > 0.99


def test_a_shifted_copy_does_not_match(clip):
    shifted = mfcc_flat.embed(Clip(np.roll(clip.samples, 3 * SAMPLE_RATE)), MODELS)
    assert shifted @ mfcc_flat.embed(clip, MODELS) / mfcc_flat.DIM < 0.5


def test_a_constant_sound_has_a_zero_embedding():
    silence = np.zeros(ANALYSIS_SAMPLES, np.float32)
    np.testing.assert_array_equal(mfcc_flat.embed(Clip(silence), MODELS), 0)


def test_it_is_deterministic(clip):
    again = mfcc_flat.embed(Clip(clip.samples.copy()), MODELS)
    np.testing.assert_array_equal(again, mfcc_flat.embed(clip, MODELS))
