"""Tracks to begin with."""

from __future__ import annotations

from pathlib import Path

import clustered_index
import numpy as np

from soundalike.index.index import Index
from soundalike.playlist import blend, examples
from soundalike.words import vocabulary
from soundalike.words.library import LibraryWords

NOBODY = [""] * 9


def test_each_group_has_one_and_the_largest_comes_first() -> None:
    groups = np.array([0, 0, 1, 1, 1, 1, 2, 2, 2])
    alike = np.where(groups[:, None] == groups, 0.9, 0.1)
    found = examples.representatives(alike, NOBODY, 3)
    assert [groups[place] for place in found] == [1, 2, 0]


def test_an_outlier_is_not_chosen_before_a_group() -> None:
    alike = np.full((9, 9), 0.5)
    alike[:4, :4], alike[4:8, 4:8] = 0.9, 0.9
    alike[8], alike[:, 8], alike[8, 8] = 0.4, 0.4, 1.0
    assert 8 not in examples.representatives(alike, NOBODY, 2)


def test_an_artist_has_one_at_most() -> None:
    by = ["Ann"] * 5 + ["Ben"] * 4
    found = examples.representatives(np.eye(9), by, 6)
    assert len(found) == 2
    assert {by[place] for place in found} == {"Ann", "Ben"}


def test_only_what_is_eligible_is_chosen() -> None:
    eligible = np.arange(9) > 6
    assert sorted(examples.representatives(np.eye(9), NOBODY, 6, eligible)) == [7, 8]


def test_the_bundled_library_has_six_that_are_less_alike_than_its_tracks(bundled: Index) -> None:
    found = examples.contrasting(bundled, 6)
    assert len(set(bundled.tracks["artist"].iloc[found])) == 6
    assert found == examples.contrasting(bundled, 6)
    apart = ~np.eye(6, dtype=bool)
    chosen = blend.between(bundled, "soundalike", found)[apart].mean()
    everyday = blend.between(bundled, "soundalike", range(0, 625, 8))
    assert chosen < everyday[~np.eye(len(everyday), dtype=bool)].mean()


def test_a_small_library_has_fewer(tmp_path: Path) -> None:
    index = clustered_index.write(tmp_path / "index")
    found = examples.contrasting(index, 1_000)
    assert len(found) == len(set(found)) <= len(index)


def test_examples_of_genres_are_clear_ones(bundled: Index, words: LibraryWords) -> None:
    found = examples.of_genres(bundled, words, 6)
    assert len(found) == len(set(found.values())) == 6
    positions = vocabulary.positions()
    for name, row in found.items():
        assert vocabulary.words()[positions[name]].kind == "genre"
        assert words.clear[row, positions[name]]
        assert words.scores[row, positions[name]] >= examples.CLEAR
