"""Names of a map's regions: planted words are found, and chance gets none."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from soundalike.projection import layout, region_names
from soundalike.projection.region_names import TrackWords
from soundalike.words import library, vocabulary

BLOBS, ARTISTS, EACH, WORDS = 6, 30, 4, 40
N = BLOBS * ARTISTS * EACH


def place(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Positions in six round blobs, and each track's blob."""
    blobs = np.repeat(np.arange(BLOBS), ARTISTS * EACH)
    centres = 10 * np.array([[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1]])
    return centres[blobs] + np.random.default_rng(seed).normal(size=(N, 2)), blobs


def noise(seed: int = 0) -> TrackWords:
    """Words that artists differ in, but blobs don't."""
    rng = np.random.default_rng(seed)
    artists = np.arange(N) // EACH
    scores = rng.normal(size=(N // EACH, WORDS))[artists] + rng.normal(size=(N, WORDS))
    words = tuple(f"word {number}" for number in range(WORDS))
    return TrackWords(np.arange(N), words, scores.astype(np.float32), np.ones((N, WORDS), bool), artists)


def planted(blobs: np.ndarray, effect: float) -> TrackWords:
    """The same, but each blob has more of the word of its number."""
    given = noise()
    scores = given.scores.copy()
    scores[np.arange(N), blobs] += effect * scores.std()
    return replace(given, scores=scores)


def test_planted_words_name_their_regions() -> None:
    positions, blobs = place()
    found = region_names.find(positions, planted(blobs, 2.0))
    large = [region for region in found if region.level == 0]
    assert sorted(region.name for region in large) == [f"word {blob}" for blob in range(BLOBS)]
    for region in large:
        own = positions[blobs == int(region.name.split()[1])]
        np.testing.assert_allclose(region.at, np.median(own, axis=0), atol=0.3)
        assert region.tracks == pytest.approx(len(own), abs=3)
    strengths = [region.strength for region in large]
    assert strengths == sorted(strengths, reverse=True)


def test_a_region_does_not_repeat_the_name_around_it() -> None:
    positions, blobs = place()
    given = planted(blobs, 2.0)
    levels = region_names.divide(positions)
    for region in region_names.find(positions, given):
        labels = levels[region.level]
        rows = np.flatnonzero(labels == labels[np.square(positions - region.at).sum(axis=1).argmin()])
        if region.level:
            assert region.name != f"word {blobs[rows[0]]}"


def test_random_groups_are_almost_never_named() -> None:
    given = noise()
    best = given.best_of_random(200, seed=1)
    assert (best > given.limits).mean() < 0.03


@pytest.mark.parametrize("together", [0.0, 1.0])
def test_random_positions_are_almost_never_named(together: float) -> None:
    """Whether or not an artist's tracks lie together."""
    named = regions = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        positions = together * rng.normal(size=(N, 2))[np.arange(N) // EACH] + rng.normal(size=(N, 2))
        named += len(region_names.find(positions, noise(seed)))
        regions += sum(labels.max() + 1 for labels in region_names.divide(positions))
    assert regions > 200
    assert named <= 0.02 * regions


def test_a_small_effect_is_no_name() -> None:
    positions, blobs = place()
    found = region_names.find(positions, planted(blobs, 0.3))
    assert [region for region in found if region.level == 0] == []


def test_a_word_that_tracks_do_not_clearly_have_is_no_name() -> None:
    positions, blobs = place()
    given = planted(blobs, 2.0)
    given.clear[blobs == 0] = False
    names = {region.name for region in region_names.find(positions, given) if region.level == 0}
    assert names == {f"word {blob}" for blob in range(1, BLOBS)}


def test_two_artists_are_no_region() -> None:
    positions, blobs = place()
    given = planted(blobs, 2.0)
    artists = np.where(blobs == 0, np.arange(N) % 2, given.artists + 2)
    found = region_names.find(positions, replace(given, artists=artists))
    assert {region.name for region in found if region.level == 0} == {
        f"word {blob}" for blob in range(1, BLOBS)
    }


def test_tracks_of_one_artist_count_less() -> None:
    """A group of 40 tracks is stronger evidence from 40 artists than from ten."""
    given = noise()
    labels = (np.arange(N) >= 40).astype(np.intp)
    scores = given.scores.copy()
    scores[:40] += 3
    given = replace(given, scores=scores)
    alone = replace(given, artists=np.arange(N))
    assert (given.correlations > 0.3).all()
    assert (alone.strengths(labels)[0] > 1.3 * given.strengths(labels)[0]).all()


def test_names_are_the_same_each_time() -> None:
    positions, blobs = place()
    first, again = (region_names.find(positions, planted(blobs, 1.5)) for _ in range(2))
    assert first == again


def test_regions_of_a_finer_level_lie_within_coarser_ones() -> None:
    levels = region_names.divide(np.random.default_rng(0).normal(size=(3_000, 2)))
    assert [labels.max() + 1 for labels in levels] == list(region_names.LEVELS)
    for coarse, fine in pairwise(levels):
        assert all(len(set(coarse[fine == label])) == 1 for label in range(fine.max() + 1))
        assert np.bincount(fine).min() >= region_names.LEAST_TRACKS


def test_a_small_map_has_fewer_regions() -> None:
    levels = region_names.divide(np.random.default_rng(0).normal(size=(80, 2)))
    assert 1 <= len(levels) < 3
    assert levels[-1].max() + 1 not in region_names.LEVELS


@pytest.mark.parametrize("positions", [np.zeros((500, 2)), np.arange(20.0).reshape(10, 2)])
def test_what_cannot_be_divided_has_no_regions(positions: np.ndarray) -> None:
    assert region_names.divide(positions) == []


def test_a_library_of_one_artist_is_checked_too() -> None:
    given = replace(noise(), artists=np.zeros(N, np.intp))
    assert region_names.find(place()[0], given) == []
    assert given.limits.shape == given.sizes.shape


def test_a_large_library_is_sampled(bundled, models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(region_names, "SAMPLE", 200)
    words = library.of(bundled, models)
    assert words is not None
    given = region_names.of(bundled, words)
    assert len(given.rows) == len(given.scores) == len(given.artists) == 200
    place = given.words.index("piano")
    own = vocabulary.positions()["piano"]
    assert np.array_equal(given.scores[:, place], words.scores[given.rows, own])


def test_the_names_of_the_bundled_map_fit_its_labels(bundled, models) -> None:
    words = library.of(bundled, models)
    assert words is not None
    given = region_names.of(bundled, words)
    positions = bundled.array(layout.array_name("soundalike", layout.DEFAULT))[given.rows]
    found = region_names.find(positions, given)
    levels = [sum(region.level == level for region in found) for level in range(3)]
    assert levels[0] >= 3
    assert levels[1] >= levels[0]
    named = {region.name for region in found}
    assert not named & {"speech", "animals", "water", "crowd"}
    genres = bundled.tracks["genre"].to_numpy()[given.rows]
    for region in found:
        if region.name in ("techno", "electronic", "house", "trance", "dance"):
            near = np.square(positions - region.at).sum(axis=1).argsort()[: region.tracks]
            assert np.isin(genres[near], ["Electronic", "Chiptune"]).mean() > 0.6
