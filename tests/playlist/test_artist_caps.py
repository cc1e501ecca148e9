"""Limits per artist count by the rule of `datasets.artists`."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from small_library import write_index

from soundalike.index.index import Index
from soundalike.index.track_table import TrackTable
from soundalike.playlist import journey, playlist, query
from soundalike.playlist.artist_caps import Members
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import Recipe

ARTISTS = (
    *["Various Artists"] * 5,
    *("The Band", "the band", "The Band ", "The Band feat. Guest", "THE BAND"),
    *["VA"] * 3,
    "Other",
)
ALBUMS = (*(f"Sampler {i}" for i in range(5)), *["A"] * 5, *(f"S{i}" for i in range(3)), "B")
BAND = set(range(5, 10))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder: Path = tmp_path_factory.mktemp("various") / "index"
    vectors = np.random.default_rng(0).normal(size=(len(ARTISTS), 16))
    made = write_index(folder, {"vgg_mel": vectors})
    return replace(made, table=TrackTable.of(made.tracks.assign(artist=ARTISTS, album=ALBUMS)))


def test_various_artists_are_nobody_and_spellings_are_one(library: Index) -> None:
    seeds = [Seed(query.from_library(library, "t13"))]
    made = playlist.make_playlist(library, seeds, Recipe("vgg_mel", 13, per_artist=1))
    rows = {entry.row for entry in made.entries}
    assert len(rows & BAND) == 1
    assert rows - BAND == {*range(5), 10, 11, 12}
    assert "4 over the limit of 1 per artist" in made.notes[0]


def test_tracks_by_nobody_of_one_album_count_together(library: Index) -> None:
    same = replace(library, table=TrackTable.of(library.tracks.assign(artist="Unknown", album="One")))
    members = Members(same, 5, per_artist=2, per_album=None)
    assert [members.offer(row) for row in range(4)] == [True, True, False, False]


def test_a_journey_counts_in_the_same_way(library: Index) -> None:
    found = journey.travel(library, [0, 13], "vgg_mel", 6, per_artist=1)
    assert len(set(found.rows[1:-1]) & BAND) <= 1


def test_neighbours_in_a_playlist_are_not_one_artist_in_two_spellings(library: Index) -> None:
    pinned = (5, 6, 7, 0, 1, 2)
    recipe = Recipe("vgg_mel", 6, per_artist=None, order="shuffled", pinned=pinned)
    made = playlist.make_playlist(library, [Seed(query.from_library(library, "t13"))], recipe)
    bands = [entry.row in BAND for entry in made.entries]
    assert not any(one and other for one, other in pairwise(bands))
