"""Tests of 3 s stretches: their weighted mean is the clip's embedding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike import representations
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip
from soundalike.models import musicnn_features, stretches, tagger, yamnet, yamnet_features

WITH_MOMENTS = ("musicnn", "musicnn_mid", "yamnet")


@pytest.fixture(scope="module")
def clip(library_clip) -> Clip:
    return analysis_window(decoding.decode(library_clip))


def test_which_representations_have_moments() -> None:
    having = [name for name, item in representations.REGISTRY.items() if item.moments is not None]
    assert tuple(having) == WITH_MOMENTS
    weighted = [name for name, item in representations.REGISTRY.items() if item.moment_weights]
    assert weighted == having
    assert set(representations.get("soundalike").parts) == set(having)


@pytest.mark.parametrize("name", WITH_MOMENTS)
def test_weights_sum_to_1_and_none_is_left_out(name) -> None:
    weights = representations.get(name).moment_weights()
    assert weights.shape == (10,)
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert weights.min() > 0.09
    assert weights.max() < 0.13


@pytest.mark.parametrize("name", WITH_MOMENTS)
def test_the_weighted_mean_of_the_moments_is_the_embedding(name, clip, models) -> None:
    item = representations.get(name)
    moments = item.moments(clip, models)
    assert moments.shape == (stretches.COUNT, item.dim)
    assert moments.dtype == np.float32
    embedding = item.embed(clip, models)
    mean = item.moment_weights() @ moments.astype(np.float64)
    np.testing.assert_allclose(mean, embedding, rtol=0, atol=1e-5)
    assert np.abs(moments - embedding).max() > 0.05


def test_a_stretch_is_a_patch_of_the_tagger(clip, models) -> None:
    output = musicnn_features.output(clip, models)
    assert pytest.approx(2.992) == stretches.SECONDS
    np.testing.assert_array_equal(
        representations.get("musicnn").moments(clip, models)[3], output.penultimate[3]
    )


def test_a_stretch_of_yamnet_is_the_mean_of_the_patches_in_it(clip, models) -> None:
    embeddings = yamnet_features.output(clip, models).embeddings
    moments = representations.get("yamnet").moments(clip, models)
    middles = 0.48 + 0.96 * np.arange(len(embeddings))
    for stretch in range(9):
        inside = (middles >= 2.992 * stretch) & (middles < 2.992 * (stretch + 1))
        expected = embeddings[inside].astype(np.float64).mean(axis=0)
        np.testing.assert_allclose(moments[stretch], expected, atol=1e-5)
    last = embeddings[middles >= 2.992 * 9].astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(moments[9], last, atol=1e-5)


def test_the_weights_are_those_of_as_many_patches_as_a_clip_has(clip, models) -> None:
    count = len(yamnet_features.output(clip, models).embeddings)
    of = yamnet_features.stretch_of_patches(count)
    np.testing.assert_array_equal(
        representations.get("yamnet").moment_weights(), np.bincount(of, minlength=10) / count
    )
    assert len(tagger.patches(tagger.spectrogram(clip))) == stretches.COUNT
    assert len(yamnet.patches(yamnet.spectrogram(clip), yamnet.PATCH_FRAMES)) == count


def test_a_sound_affects_only_its_own_stretch(models) -> None:
    """Noise from 12 to 15 s of quiet noise is in the fifth stretch of every part."""
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 1e-3, ANALYSIS_SAMPLES)
    burst = slice(round(12.2 * SAMPLE_RATE), round(14.7 * SAMPLE_RATE))
    samples[burst] += rng.normal(0, 0.3, burst.stop - burst.start)
    clip = Clip(samples.astype(np.float32))
    for name in WITH_MOMENTS:
        moments = representations.get(name).moments(clip, models)
        away = np.linalg.norm(moments - np.median(moments, axis=0), axis=1)
        assert away.argmax() == 4, name


@settings(max_examples=60)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(0, 999))
def test_weighted_means_are_the_mean_of_all_windows(of: list[int], seed: int) -> None:
    stretch_of = np.array(of, np.intp)
    windows = np.random.default_rng(seed).normal(size=(len(of), 3)).astype(np.float32)
    means, weights = stretches.means(windows, stretch_of), stretches.weights(stretch_of)
    np.testing.assert_allclose(weights @ means, windows.mean(axis=0), atol=1e-5)
    empty = np.setdiff1d(np.arange(10), stretch_of)
    assert not means[empty].any()
    assert not weights[empty].any()


def test_windows_belong_to_the_stretch_their_middle_is_in() -> None:
    found = stretches.of_middles(np.array([0.0, 2.99, 3.0, 5.99, 26.92, 26.94, 29.92, 40.0]))
    np.testing.assert_array_equal(found, [0, 0, 1, 2, 8, 9, 9, 9])
