"""Playlists and journeys within a filter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from soundalike.index.index import Index
from soundalike.playlist import journey, query
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import Playlist, Recipe, make_described, make_playlist
from soundalike.words import filters
from soundalike.words.filters import Filter, read

PLAIN = Recipe("soundalike")


def listed(index: Index, recipe: Recipe, track_id: str = "0102") -> Playlist:
    return make_playlist(index, [Seed(query.from_library(index, track_id))], recipe)


def rows(found: Playlist) -> list[int]:
    return [entry.row for entry in found.entries]


@pytest.mark.parametrize("text", ["", "   ", "xylotrope", "with some music"])
def test_without_conditions_the_list_is_the_same(bundled, text: str) -> None:
    for track_id in bundled.ids[::40]:
        before = listed(bundled, PLAIN, track_id)
        after = listed(bundled, replace(PLAIN, only=read(text)), track_id)
        assert after.entries == before.entries
        assert set(before.notes) <= set(after.notes)
    assert listed(bundled, replace(PLAIN, only=Filter())) == listed(bundled, PLAIN)


def test_the_best_of_the_kept_tracks_are_taken(bundled, models) -> None:
    only = read("no vocals, under 120 bpm")
    kept = filters.keep(bundled, models, only)
    found = rows(listed(bundled, replace(PLAIN, only=only)))
    everything = rows(listed(bundled, replace(PLAIN, length=len(bundled) - 20, per_artist=None)))
    assert len(found) == PLAIN.length
    assert kept[found].all()
    expected = [row for row in everything if kept[row]]
    assert found == [row for row in expected if row in found]
    assert found[0] == expected[0]


def test_too_few_are_counted(bundled) -> None:
    recipe = replace(PLAIN, only=read("genre: experimental"), per_artist=None)
    found = listed(bundled, recipe)
    assert len(found.entries) == 4
    assert found.notes == (
        "Filter: 4 of 625 tracks meet this: genre experimental.",
        "Only 4 tracks are left. Left out: 620 by your filter.",
    )


@pytest.mark.parametrize("order", ["similarity", "walk", "tempo", "shuffled"])
def test_nothing_is_left_and_said(bundled, order: str) -> None:
    recipe = replace(PLAIN, only=read("over 299 bpm"), variety=0.5, order=order, harmonic=True)
    found = listed(bundled, recipe)
    assert found.entries == ()
    assert found.notes[0].startswith("No track meets your filter")


def test_a_pinned_track_stays(bundled) -> None:
    recipe = replace(PLAIN, only=read("over 299 bpm"), pinned=(5,))
    assert rows(listed(bundled, recipe)) == [5]


def test_a_description_is_ranked_within_a_filter(bundled, models) -> None:
    only = read("over 2 minutes")
    match = np.linspace(0, 1, len(bundled), dtype=np.float32)
    found = rows(make_described(bundled, match, replace(PLAIN, only=only)))
    assert filters.keep(bundled, models, only)[found].all()


def test_a_journey_stays_within_a_filter_between_its_stops(bundled, models) -> None:
    only = read("without drums")
    kept = filters.keep(bundled, models, only)
    start, end = (bundled.row(track_id) for track_id in ("0235", "0102"))
    found = journey.travel(bundled, [start, end], "soundalike", 6, only=only)
    assert len(found.rows) == 8
    assert kept[list(found.rows[1:-1])].all()
    assert found.notes[0].startswith("Filter: ")
    plain = journey.travel(bundled, [start, end], "soundalike", 6)
    assert journey.travel(bundled, [start, end], "soundalike", 6, only=Filter()) == plain
    nothing = journey.travel(bundled, [start, end], "soundalike", 6, only=read("over 299 bpm"))
    assert nothing.rows == (start, end)
    assert len(nothing.notes) == 2
