"""Tests of `soundalike`: its parts, its similarities, and small indexes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_library import IDS, OTHER_CLIP, copy_library

from soundalike import representations
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import SAMPLE_RATE, Clip
from soundalike.datasets import library
from soundalike.index import index
from soundalike.index.index import Index
from soundalike.indexing import builder
from soundalike.indexing.builder import BuildPlan
from soundalike.playlist import playlist, query
from soundalike.playlist.blend import Seed
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.playlist import Recipe

pytest_plugins = ["library_fixtures"]

NAME = "soundalike"
WEIGHTS = {"musicnn": 1.0, "musicnn_mid": 0.7, "yamnet": 1.0}
SIZES = {"musicnn": 200, "musicnn_mid": 256, "yamnet": 1_024}


@pytest.fixture(scope="module")
def clip(library_clip) -> Clip:
    return analysis_window(decoding.decode(library_clip))


def asked(one: Index, clip: Clip, models) -> np.ndarray:
    """Cosines of a clip to all tracks."""
    return one.cosines(NAME, ClipEmbeddings(clip, one, models))


def slow(one: Index, rows: dict[str, np.ndarray]) -> np.ndarray:
    """Cosines of raw vectors to all tracks, each part centred by hand, one pair after the other."""
    n = len(one)
    tracks, question = [np.zeros(0)] * n, np.zeros(0)
    for part, weight in WEIGHTS.items():
        raw = one.array(f"{part}_raw").astype(np.float64)
        mean = raw.mean(axis=0) * n / (n + 10)
        for row in range(n):
            unit = (raw[row] - mean) / np.linalg.norm(raw[row] - mean)
            tracks[row] = np.concatenate([tracks[row], weight * unit])
        unit = (rows[part] - mean) / np.linalg.norm(rows[part] - mean)
        question = np.concatenate([question, weight * unit])
    norm = np.linalg.norm(question)
    return np.array([track @ question / np.linalg.norm(track) / norm for track in tracks])


def test_parts_and_weights() -> None:
    item = representations.get(NAME)
    assert representations.DEFAULT == NAME
    assert item.parts == WEIGHTS
    assert item.dim == sum(SIZES.values()) == 1_480
    assert {part: representations.get(part).dim for part in WEIGHTS} == SIZES
    assert {representations.get(part).scaling for part in WEIGHTS} == {"centred"}
    assert item.models == ("musicnn", "yamnet")
    assert item.hubness_corrected


def test_the_embedding_concatenates_the_parts(clip, models) -> None:
    parts = [weight * representations.get(part).embed(clip, models) for part, weight in WEIGHTS.items()]
    joined = representations.get(NAME).embed(clip, models)
    np.testing.assert_allclose(joined, np.concatenate(parts), rtol=1e-6)
    assert joined.shape == (1_480,)


def test_an_index_stores_each_part_centred_at_length_1(default_index) -> None:
    assert default_index.stored == list(WEIGHTS)
    n = len(default_index)
    for part, size in SIZES.items():
        raw, scaled = (np.asarray(default_index.array(f"{part}{end}"), float) for end in ("_raw", ""))
        assert raw.shape == scaled.shape == (n, size)
        mean, ones = default_index.array(f"{part}_scale")
        np.testing.assert_allclose(mean, raw.mean(axis=0) * n / (n + 10), rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(ones, 1)
        np.testing.assert_allclose(np.linalg.norm(scaled, axis=1), 1, atol=1e-3)
        left = raw - mean
        np.testing.assert_allclose(scaled, left / np.linalg.norm(left, axis=1, keepdims=True), atol=5e-4)


def test_similarities_equal_a_direct_computation(default_index, models) -> None:
    for row in (0, 3):
        raw = {part: default_index.array(f"{part}_raw")[row].astype(float) for part in WEIGHTS}
        found = default_index.similarities(NAME, default_index.embeddings(row))
        expected = slow(default_index, raw) + default_index.bias(NAME)
        np.testing.assert_allclose(found, expected, atol=1e-3)
    clip = analysis_window(decoding.decode(OTHER_CLIP))
    raw = {part: representations.get(part).embed(clip, models).astype(float) for part in WEIGHTS}
    np.testing.assert_allclose(asked(default_index, clip, models), slow(default_index, raw), atol=1e-3)


@pytest.mark.sweep
def test_a_copy_at_another_level_or_start_matches_its_track(default_index, clip, models) -> None:
    """The clip is the first of the library."""
    seconds = SAMPLE_RATE
    for copy, least in (
        (clip.samples / 10, 0.998),
        (clip.samples + np.float32(0.1), 0.998),
        (np.roll(clip.samples, -seconds), 0.95),
        (np.roll(clip.samples, 3 * seconds), 0.9),
    ):
        cosines = asked(default_index, Clip(np.asarray(copy, np.float32)), models)
        assert cosines[0] > least
        assert cosines[0] > cosines[1:].max() + 0.2


def test_different_music_is_distinguished(default_index) -> None:
    n = len(default_index)
    cosines = [default_index.cosines(NAME, default_index.embeddings(row)) for row in range(n)]
    others = np.array(cosines)[~np.eye(n, dtype=bool)]
    assert others.max() < 0.8
    assert others.min() < 0.2


@pytest.mark.sweep
@pytest.mark.parametrize("n", [1, 2, 3])
def test_search_in_a_small_index(n, tmp_path: Path, models) -> None:
    source = library.load(copy_library(tmp_path / "library", IDS[:n]))
    built = builder.build(source, tmp_path / "index", models, BuildPlan((NAME,), measured=True))
    one = index.load(built.index.folder, checksums=True)
    assert len(one) == n
    for row in range(n):
        similarities = one.similarities(NAME, one.embeddings(row))
        assert np.isfinite(similarities).all()
        assert one.cosines(NAME, one.embeddings(row))[row] == pytest.approx(1, abs=1e-3)
        near, values = one.neighbours(NAME, row)
        assert sorted(near) == [other for other in range(n) if other != row]
        np.testing.assert_allclose(values, similarities[near], atol=1e-6)
    own = query.from_audio(one.path(0), one, models)
    assert own.row == 0
    stranger = query.from_audio(OTHER_CLIP, one, models)
    assert stranger.row is None
    cosines = one.cosines(NAME, stranger.embeddings)
    assert cosines.shape == (n,)
    assert ((cosines > -1) & (cosines < 0.99)).all()
    for question, count in ((own, n - 1), (query.from_library(one, one.ids[0]), n - 1), (stranger, n)):
        assert len(playlist.make_playlist(one, [Seed(question)], Recipe(NAME)).entries) == count
