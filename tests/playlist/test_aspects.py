"""Dials: what turning one does to a playlist."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.index import track_arrays
from soundalike.index.index import Index
from soundalike.playlist import aspects, harmonic_mixing, query
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import Playlist, Recipe, make_playlist
from soundalike.words import measures

PLAIN = Recipe("soundalike")
QUERIES = range(0, 625, 21)


def listed(index: Index, row: int, **dials: float) -> Playlist:
    seeds = [Seed(query.from_library(index, index.fact("track_id", row)))]
    return make_playlist(index, seeds, replace(PLAIN, dials=dials))


def rows(found: Playlist) -> list[int]:
    return [entry.row for entry in found.entries]


def test_dials_at_1_change_nothing(bundled) -> None:
    neutral = dict.fromkeys(aspects.ASPECTS, 1.0)
    for row in QUERIES:
        assert listed(bundled, row, **neutral) == listed(bundled, row)


def test_rhythm_at_2_brings_tempos_closer_by_a_third(bundled) -> None:
    tempo = measures.quantity(bundled, measures.TEMPO)
    assert tempo is not None

    def distance(**dials: float) -> float:
        found = [np.log2(tempo[rows(listed(bundled, row, **dials))] / tempo[row]) for row in QUERIES]
        return float(np.nanmean(np.abs(found)))

    assert distance(rhythm=2.0) < 2 / 3 * distance()


def test_harmony_at_2_doubles_compatible_keys(bundled) -> None:
    keys = track_arrays.keys(bundled)
    assert keys is not None

    def share(**dials: float) -> float:
        fits = []
        for row in QUERIES:
            one = (int(keys[row, 0]), int(keys[row, 1]))
            fits.append(harmonic_mixing.fit(one, keys[rows(listed(bundled, row, **dials))]).mean())
        return float(np.mean(fits))

    assert share(harmony=2.0) > 2 * share()


@pytest.mark.parametrize("name", aspects.ASPECTS)
def test_a_dial_raises_and_lowers_its_own_aspect(bundled, name: str) -> None:
    means = {}
    for dial in (0.0, 1.0, 2.0):
        found = []
        for row in QUERIES:
            asked = query.from_library(bundled, bundled.fact("track_id", row))
            by_aspect = aspects.similarities(bundled, asked)
            found.append(by_aspect[name][rows(listed(bundled, row, **{name: dial}))].mean())
        means[dial] = np.mean(found)
    assert means[0.0] <= means[1.0] + 0.02
    assert means[2.0] > means[1.0] + 0.05


def test_a_pair_that_shares_only_rhythm_ranks_by_its_dial() -> None:
    """Three tracks: one alike but of another tempo, one of the tempo only, one of neither."""
    similarity = np.array([0.8, 0.2, 0.1], np.float32)
    by_aspect = {"rhythm": aspects.standardised(np.array([-4.0, 0.0, -4.0]))}
    assert aspects.preference(similarity, by_aspect, {"rhythm": 1.0}).argmax() == 0
    assert aspects.preference(similarity, by_aspect, {"rhythm": 2.0})[1] > similarity[1] + 0.3
    weak = np.array([0.5, 0.4, 0.1], np.float32)
    assert aspects.preference(weak, by_aspect, {"rhythm": 2.0}).argmax() == 1


def test_the_share_that_is_less_alike_is_that_of_the_other_tracks(bundled) -> None:
    asked = query.from_library(bundled, "0102")
    assert asked.row is not None
    by_aspect = aspects.similarities(bundled, asked)
    others = np.setdiff1d(np.arange(len(bundled)), [asked.row])
    for name in aspects.ASPECTS:
        ranked = others[np.argsort(by_aspect[name][others])]
        best, worst = (aspects.shares(bundled, asked, int(ranked[end]))[name] for end in (-1, 0))
        assert best is not None
        assert worst is not None
        assert best > 0.7 > 0.2 > worst
    assert (
        aspects.shares(bundled, asked, int(others[np.argmax(by_aspect["timbre"][others])]))["timbre"]
        == 1
    )


def test_an_aspect_that_is_unknown_has_no_share(bundled) -> None:
    keys = track_arrays.keys(bundled)
    assert keys is not None
    unknown = int(np.flatnonzero(keys[:, 0] < 0)[0])
    shares = aspects.shares(bundled, query.from_library(bundled, "0102"), unknown)
    assert shares["harmony"] is None
    assert shares["rhythm"] is not None


def test_keys_are_compared_on_the_circle_of_fifths() -> None:
    tracks = np.array([(0, 0), (7, 0), (6, 0), (9, 1), (-1, -1)])
    found = aspects._key_distance(tracks, np.array((0, 0)))
    np.testing.assert_array_equal(found[:3], [0, 1, 6])
    assert found[3] == aspects.MODE
    assert np.isnan(found[4])


def test_unknown_values_count_as_average() -> None:
    assert aspects.standardised(np.array([1.0, np.nan, 3.0])).tolist() == [-1.0, 0.0, 1.0]
    assert aspects.standardised(np.array([np.nan, np.nan])).tolist() == [0.0, 0.0]
    assert aspects.standardised(np.array([2.0, 2.0])).tolist() == [0.0, 0.0]


@given(st.dictionaries(st.sampled_from(aspects.ASPECTS), st.floats(0, 2)), st.integers(0, 5))
def test_what_is_unknown_stays_last(dials, unknown: int) -> None:
    rng = np.random.default_rng(0)
    similarity = rng.random(6).astype(np.float32)
    similarity[unknown] = -np.inf
    by_aspect = {name: aspects.standardised(rng.random(6)) for name in aspects.ASPECTS}
    found = aspects.preference(similarity, by_aspect, dials)
    assert found.argmin() == unknown
    assert np.isfinite(np.delete(found, unknown)).all()


@pytest.mark.parametrize("dials", [{"rhythm": 3.0}, {"rhythm": -1.0}, {"loudness": 1.0}])
def test_a_dial_out_of_range_is_an_error(dials) -> None:
    with pytest.raises(ValueError, match="dials are"):
        Recipe("soundalike", dials=dials)
