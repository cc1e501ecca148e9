"""Orders: short walks, separated artists, and sorted quantities."""

from __future__ import annotations

from itertools import pairwise, permutations

import made_up_playlists
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike.errors import PlaylistError
from soundalike.playlist import ordering
from soundalike.words import vocabulary


def plane(seed: int, n: int) -> np.ndarray:
    points = np.random.default_rng(seed).uniform(size=(n, 2))
    return np.linalg.norm(points[:, None] - points[None], axis=2)


def length(path: list[int], distances: np.ndarray) -> float:
    return float(sum(distances[a, b] for a, b in pairwise(path)))


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.data())
def test_walk_is_2_opt_permutation(seed, n, data) -> None:
    distances = plane(seed, n)
    first = data.draw(st.integers(0, n - 1))
    path = ordering.walk(distances, first)
    assert path[0] == first
    assert sorted(path) == list(range(n))
    for i in range(1, n):
        for j in range(i + 1, n):
            turned = path[:i] + path[i : j + 1][::-1] + path[j + 1 :]
            assert length(turned, distances) >= length(path, distances) - 1e-6


def test_walk_is_near_optimal() -> None:
    ratios = []
    for seed in range(30):
        distances = plane(seed, 7)
        best = min(length([0, *rest], distances) for rest in permutations(range(1, 7)))
        ratios.append(length(ordering.walk(distances, 0), distances) / best)
    assert min(ratios) >= 1 - 1e-9
    assert np.median(ratios) < 1.02
    assert max(ratios) < 1.4


def test_walk_along_a_line() -> None:
    places = np.array([3.0, 0.0, 4.0, 1.0, 2.0])
    assert ordering.walk(np.abs(places[:, None] - places), 1) == [1, 3, 4, 0, 2]


def touching(order: list[int], artists: list[str]) -> int:
    pairs = pairwise(order)
    return sum(artists[a] == artists[b] != "" for a, b in pairs)


@given(st.lists(st.sampled_from(["", "a", "b", "c", "d"]), max_size=7), st.randoms())
def test_artists_adjacent_only_if_unavoidable(artists, random) -> None:
    order = list(range(len(artists)))
    random.shuffle(order)
    found = ordering.apart(order, artists)
    assert sorted(found) == sorted(order)
    fewest = min(touching(list(other), artists) for other in permutations(order))
    assert (touching(found, artists) == 0) == (fewest == 0)


def test_separated_order_is_unchanged() -> None:
    artists = ["a", "b", "a", "", "", "c"]
    assert ordering.apart([4, 0, 1, 2, 3, 5], artists) == [4, 0, 1, 2, 3, 5]


def test_ascending_and_descending_quantity(tmp_path) -> None:
    index = made_up_playlists.measured(made_up_playlists.library(tmp_path, 0), 1)
    rising = ordering.quantity(index, "tempo")
    np.testing.assert_array_equal(ordering.quantity(index, "-tempo"), -rising)
    dimension = ordering.quantity(index, "-genre_head:2")
    np.testing.assert_array_equal(-dimension, index.array("genre_head")[:, 2].astype(np.float32))


def test_order_by_a_word(bundled, words) -> None:
    piano = words.scores[:, [word.name for word in vocabulary.words()].index("piano")]
    np.testing.assert_array_equal(ordering.quantity(bundled, "-words:piano"), -piano)


def test_words_need_an_index_that_has_them(tmp_path) -> None:
    index = made_up_playlists.library(tmp_path, 0)
    with pytest.raises(PlaylistError, match="--complete"):
        ordering.check(index, "words:piano")
    with pytest.raises(PlaylistError, match="There is no order"):
        ordering.check(index, "words:bagpudding")


@pytest.mark.parametrize(
    "order", ["", "up", "--tempo", "genre_head", "genre_head:", "genre_head:3", "genre_head:-1", "x:0"]
)
def test_unknown_order_error(tmp_path, order) -> None:
    index = made_up_playlists.measured(made_up_playlists.library(tmp_path, 0), 1)
    with pytest.raises(PlaylistError, match="There is no order"):
        ordering.check(index, order)


def test_quantities_need_measurements(tmp_path) -> None:
    index = made_up_playlists.library(tmp_path, 0)
    with pytest.raises(PlaylistError, match="soundalike measure"):
        ordering.check(index, "tempo")
    ordering.check(index, "walk")
