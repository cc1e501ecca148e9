"""Tests that level and DC offset don't affect the tagger's and YAMNet's representations."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike import paths, representations
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip

NAMES = ("musicnn", "musicnn_mid", "musicnn_tags", "yamnet", "yamnet_classes", "soundalike")
OTHERS = ("0003", "0120", "0240", "0360")


def window(path) -> Clip:
    return analysis_window(decoding.decode(path))


@pytest.fixture(scope="module")
def clip(library_clip) -> Clip:
    return window(library_clip)


@pytest.fixture(scope="module")
def others(models) -> dict[str, list[np.ndarray]]:
    clips = [window(paths.LIBRARY / "clips" / f"{track}.opus") for track in OTHERS]
    return {name: [representations.get(name).embed(one, models) for one in clips] for name in NAMES}


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one.astype(np.float64), other.astype(np.float64)
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_all_representations_of_the_two_networks_are_covered() -> None:
    resting = [
        name for name, item in representations.REGISTRY.items() if {"musicnn", "yamnet"} & {*item.models}
    ]
    assert set(resting) == set(NAMES)


@pytest.mark.parametrize(
    "decibels",
    [-20, pytest.param(-6, marks=pytest.mark.sweep), pytest.param(-30, marks=pytest.mark.sweep)],
)
def test_a_quieter_copy_is_the_same(decibels, clip, models) -> None:
    quieter = Clip(np.float32(10 ** (decibels / 20)) * clip.samples)
    for name in NAMES:
        embed = representations.get(name).embed
        assert cosine(embed(quieter, models), embed(clip, models)) > 0.9999, name


@pytest.mark.sweep
def test_a_copy_with_a_constant_part_is_the_same(clip, models) -> None:
    offset = Clip(clip.samples + np.float32(0.1))
    for name in NAMES:
        embed = representations.get(name).embed
        assert cosine(embed(offset, models), embed(clip, models)) > 0.9999, name


@pytest.mark.sweep
@pytest.mark.parametrize("seconds", [1.0, 3.0])
def test_a_shifted_copy_stays_close(seconds, clip, others, models) -> None:
    shifted = Clip(np.roll(clip.samples, round(seconds * SAMPLE_RATE)))
    for name in NAMES:
        embed = representations.get(name).embed
        moved, own = embed(shifted, models), embed(clip, models)
        assert cosine(moved, own) > 0.97, name
        assert cosine(moved, own) > max(cosine(moved, other) for other in others[name]), name


@pytest.mark.sweep
@pytest.mark.parametrize("name", NAMES)
def test_the_same_samples_give_the_same_bytes(name, clip, models) -> None:
    embed = representations.get(name).embed
    np.testing.assert_array_equal(embed(Clip(clip.samples.copy()), models), embed(clip, models))


@pytest.mark.parametrize("name", NAMES)
def test_silence_has_an_embedding_of_finite_numbers(name, models) -> None:
    silent = representations.get(name).embed(Clip(np.zeros(ANALYSIS_SAMPLES, np.float32)), models)
    assert np.isfinite(silent).all()
