"""How close a library's tracks are to each other, and what is farther than that."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike import paths
from soundalike.datasets import artists
from soundalike.index import index as indexes
from soundalike.playlist import blend, reach
from soundalike.playlist.query import from_library


def test_all_but_one_in_twenty_tracks_are_closer_to_their_nearest() -> None:
    index = indexes.load(paths.BUNDLED_INDEX)
    usual = reach.least_usual(index, "soundalike")
    keys = np.array(artists.keys(index.tracks))
    nearest = []
    for row, track_id in enumerate(index.ids):
        scores = blend.scores(index, [blend.Seed(from_library(index, track_id))], "soundalike")
        nearest.append(scores[keys != keys[row]].max())
    assert usual is not None
    assert 0.02 < np.mean(np.array(nearest) < usual) < 0.09
    assert reach.is_far(index, "soundalike", usual - 0.01)
    assert not reach.is_far(index, "soundalike", usual)


def test_a_library_of_one_artist_cannot_tell(monkeypatch) -> None:
    index = indexes.load(paths.BUNDLED_INDEX)
    monkeypatch.setattr(artists, "keys", lambda tracks: ["one"] * len(tracks))
    monkeypatch.setattr(reach, "_known", {index: {}})
    assert reach.least_usual(index, "soundalike") is None
    assert not reach.is_far(index, "soundalike", -1.0)


def test_stored_neighbours_give_the_same_as_a_search(monkeypatch) -> None:
    index = indexes.load(paths.BUNDLED_INDEX)
    usual = reach.least_usual(index, "soundalike")
    without = indexes.load(paths.BUNDLED_INDEX)
    without.manifest["files"].pop("soundalike_neighbours.npy")
    assert reach.least_usual(without, "soundalike") == pytest.approx(usual, abs=1e-5)
