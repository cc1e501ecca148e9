"""Tests of `soundalike`: what it is made of, what it forgives, and where its projection comes from."""

from __future__ import annotations

import re

import numpy as np
import pytest

from soundalike import audio, paths
from soundalike.audio import Clip
from soundalike.models import tagger
from soundalike.representations import soundalike

ASSET = paths.MODELS / "soundalike.npz"
OTHERS = ("0003", "0120", "0240", "0360")


def window(path) -> Clip:
    return audio.analysis_window(audio.decode(path))


@pytest.fixture(scope="module")
def clip(library_clip) -> Clip:
    return window(library_clip)


@pytest.fixture(scope="module")
def embedding(clip, models) -> np.ndarray:
    return soundalike.embed(clip, models)


@pytest.fixture(scope="module")
def others(models) -> list[np.ndarray]:
    clips = [paths.LIBRARY / "clips" / f"{track}.opus" for track in OTHERS]
    return [soundalike.embed(window(path), models) for path in clips]


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def shifted(clip: Clip, seconds: float) -> Clip:
    return Clip(np.roll(clip.samples, -int(seconds * audio.SAMPLE_RATE)))


def test_it_is_the_projection_of_the_pooled_filters(clip, embedding, models):
    assert embedding.shape == (soundalike.DIM,) == (64,)
    assert embedding.dtype == np.float32
    heard = models.tagger(tagger.patches(tagger.spectrogram(clip)))
    filters = heard.pooled[:, 625:753].astype(np.float64).mean(axis=0).ravel()
    with np.load(ASSET, allow_pickle=False) as arrays:
        expected = (filters - arrays["mean"]) / arrays["scale"] @ arrays["components"]
    np.testing.assert_allclose(embedding, expected, atol=1e-3)


def test_the_pooled_filters_are_the_second_and_third_convolution(clip, models):
    heard = models.tagger(tagger.patches(tagger.spectrogram(clip)))
    assert tagger.N_POOLED - 128 == 3 * 51 + 2 * 204 + 64
    pooled = soundalike.pooled(clip, models).reshape(128, 2)
    assert pooled.shape == (soundalike.N_POOLED // 2, 2)
    assert (pooled[:, 0] > pooled[:, 1]).all()
    np.testing.assert_allclose(pooled[-1], heard.pooled[:, -1].mean(axis=0), rtol=1e-4, atol=1e-4)


def test_the_same_samples_give_the_same_bytes(clip, embedding, models):
    np.testing.assert_array_equal(soundalike.embed(Clip(clip.samples.copy()), models), embedding)


@pytest.mark.parametrize("seconds", [1.0, 3.0])
def test_a_shifted_copy_sounds_the_same_and_nearer_than_others(clip, embedding, others, models, seconds):
    copy = soundalike.embed(shifted(clip, seconds), models)
    assert cosine(copy, embedding) > 0.95
    assert cosine(copy, embedding) > max(cosine(copy, other) for other in others)


def test_a_quieter_copy_is_still_nearest(clip, embedding, others, models):
    quieter = soundalike.embed(Clip(clip.samples / 2), models)
    assert cosine(quieter, embedding) > 0.85
    assert cosine(quieter, embedding) > max(cosine(quieter, other) for other in others)


def test_different_music_is_told_apart(embedding, others):
    assert max(cosine(embedding, other) for other in others) < 0.8


def test_the_file_is_the_one_its_card_describes():
    card = ASSET.with_suffix(".md").read_text(encoding="utf-8")
    (sha256,) = re.findall(r"`([0-9a-f]{64})`", card)
    assert paths.sha256_of(ASSET) == sha256


def test_it_was_fitted_on_the_library(embedding, others, models):
    """The mean of everything it was fitted on is the origin, and the library surrounds it."""
    fitted = models.projection
    np.testing.assert_array_equal(fitted(fitted.mean), 0)
    assert fitted.components.shape == (256, 64)
    np.testing.assert_allclose(fitted.components.T @ fitted.components, np.eye(64), atol=1e-5)
    assert np.linalg.norm(np.mean([embedding, *others], axis=0)) < np.linalg.norm(embedding)


def test_what_it_hears_is_said():
    assert len(soundalike.HEARS) > 200
    assert "\n" not in soundalike.HEARS
