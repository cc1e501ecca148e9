"""Names of dimensions: chosen on one half of the artists, confirmed on the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.analysis import dimension_names
from soundalike.analysis.dimension_names import Name, Properties
from soundalike.features import track_descriptors
from soundalike.index import track_arrays
from soundalike.words import vocabulary

N = 200
ARTISTS = [f"artist {row // 2}" for row in range(N)]


def made_up(names: tuple[str, ...], seed: int = 0) -> Properties:
    values = np.random.default_rng(seed).normal(size=(N, len(names)))
    return Properties(names, values, np.ones(len(names), bool))


@given(st.lists(st.sampled_from(["", "a", "b", "c", "d", "e"]), min_size=1, max_size=40))
def test_no_artist_is_in_both_halves(artists) -> None:
    first, second = dimension_names.halves(artists)
    assert sorted([*first, *second]) == list(range(len(artists)))
    assert not {artists[row] for row in first} & {artists[row] for row in second} - {""}
    assert [list(half) for half in dimension_names.halves(artists)] == [list(first), list(second)]


def test_halves_are_of_about_one_size(bundled) -> None:
    first, second = dimension_names.halves(list(bundled.tracks["artist"]))
    assert abs(len(first) - len(second)) < 0.1 * len(bundled)


def test_planted_words_are_found_at_their_ends() -> None:
    known = made_up(("piano", "metal", "calm"))
    noise = np.random.default_rng(1).normal(size=N)
    values = known.values[:, 0] - known.values[:, 1] + 0.5 * noise
    (found,) = dimension_names.find(values[:, np.newaxis], known, ARTISTS)
    assert {(name.text, name.is_high) for name in found} == {("piano", True), ("metal", False)}
    assert all(name.holds for name in found)
    assert dimension_names.label(found) == "High: piano. Low: metal."


def test_a_name_of_one_half_only_does_not_hold() -> None:
    known = made_up(("piano",))
    first, _ = dimension_names.halves(ARTISTS)
    values = np.random.default_rng(2).normal(size=N)
    values[first] = known.values[first, 0]
    (found,) = dimension_names.find(values[:, np.newaxis], known, ARTISTS)
    assert [(name.text, name.holds) for name in found] == [("piano", False)]
    assert dimension_names.label(found) == ""


def test_names_that_say_the_same_are_given_once() -> None:
    known = made_up(("rock", "metal"))
    known.values[:, 1] = known.values[:, 0] + 0.1 * known.values[:, 1]
    (found,) = dimension_names.find(known.values[:, :1], known, ARTISTS)
    assert [name.text for name in found] == ["rock"]


def test_low_values_of_a_descriptor_have_their_own_name() -> None:
    measured = np.random.default_rng(3).uniform(1, 2, (N, track_descriptors.SIZE)).astype(np.float32)
    known = dimension_names.properties(None, measured)
    (found,) = dimension_names.find(-measured[:, [7]], known, ARTISTS)
    assert dimension_names.label(found) == "High: slow."


def test_a_constant_dimension_and_an_unknown_property_have_no_name() -> None:
    known = made_up(("piano", "metal"))
    known.values[:, 1] = np.nan
    assert dimension_names.find(np.zeros((N, 1)), known, ARTISTS) == ((),)
    (found,) = dimension_names.find(known.values[:, :1], known, ARTISTS)
    assert [name.text for name in found] == ["piano"]


def test_nothing_to_name_after() -> None:
    assert dimension_names.properties(None, None) is None


@pytest.mark.parametrize(
    ("chosen", "held_out", "holds"),
    [(0.5, 0.31, True), (0.5, 0.29, False), (0.5, -0.5, False), (-0.5, -0.4, True)],
)
def test_what_holds(chosen, held_out, holds) -> None:
    assert Name("piano", chosen > 0, chosen, held_out).holds == holds


def test_names_of_the_tagger_hold_and_those_of_shuffled_artists_do_not(bundled, words) -> None:
    artists = [str(artist) for artist in bundled.tracks["artist"]]
    known = dimension_names.properties(words.scores, track_arrays.descriptors(bundled))
    assert len(known.names) == sum(word.kind != "other" for word in vocabulary.words()) + 16
    values = bundled.array("musicnn").astype(np.float32)
    found = dimension_names.find(values, known, artists)
    assert np.mean([bool(dimension_names.label(names)) for names in found]) > 0.8
    order = np.argsort(artists, kind="stable")
    moved = np.empty_like(values)
    moved[order] = np.roll(values[order], len(values) // 3, axis=0)
    by_chance = dimension_names.find(moved, known, artists)
    assert np.mean([bool(dimension_names.label(names)) for names in by_chance]) < 0.05
