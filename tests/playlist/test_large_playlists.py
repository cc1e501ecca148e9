"""Playlists and journeys with two-pass search match those with exact search."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from scattered_index import N, scattered, two_passes
from small_library import cosines

from soundalike.index import index
from soundalike.index.index import Index
from soundalike.playlist import blend, journey, playlist, selection
from soundalike.playlist import query as queries
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import Recipe

VECTORS = {name: matrix.astype(np.float16) for name, matrix in scattered(5).items()}
WEIGHTS = {"vgg_mel": 1.0, "genre_head": 80.0}
NAME = "vgg_genre"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with pytest.MonkeyPatch.context() as patched:
        yield two_passes(tmp_path_factory.mktemp("large") / "index", patched, VECTORS)


def exact(row: int) -> np.ndarray:
    joined = np.concatenate([w * VECTORS[name].astype(float) for name, w in WEIGHTS.items()], axis=1)
    return cosines(joined[row], joined)


def seed(opened: Index, row: int, weight: float = 1.0) -> Seed:
    return Seed(queries.from_library(opened, f"t{row}"), weight)


@pytest.mark.parametrize("farthest", [False, True])
def test_nearest_and_farthest_playlists(opened: Index, farthest: bool) -> None:
    made = playlist.make_playlist(opened, [seed(opened, 4)], Recipe(NAME, 20, farthest=farthest))
    expected = exact(4)
    best = index.nearest(-expected if farthest else expected, 21)
    wanted = [row for row in best.tolist() if row != 4][:20]
    rows = [entry.row for entry in made.entries]
    assert len(set(rows) & set(wanted)) >= 19
    for entry in made.entries:
        assert entry.similarity == pytest.approx(expected[entry.row], abs=1e-5)


def test_several_seeds_need_one_search(opened: Index) -> None:
    seeds = [seed(opened, 4), seed(opened, 700, 0.6), seed(opened, 9, -0.4)]
    scores = blend.scores(opened, seeds, NAME)
    expected = (exact(4) + 0.6 * exact(700) - 0.4 * exact(9)) / 2.0
    best = index.nearest(scores, 50)
    np.testing.assert_allclose(scores[best], expected[best], atol=1e-5)
    assert len(np.intersect1d(best, index.nearest(expected, 50))) >= 49


def test_pins_variety_and_removed_tracks(opened: Index) -> None:
    plain = playlist.make_playlist(opened, [seed(opened, 4)], Recipe(NAME, 20))
    out = plain.entries[0].row
    recipe = Recipe(NAME, 20, variety=0.5, pinned=(N - 1,), removed=(out,))
    rows = [entry.row for entry in playlist.make_playlist(opened, [seed(opened, 4)], recipe).entries]
    assert len(set(rows)) == 20
    assert N - 1 in rows
    assert out not in rows


def test_journey_steps(opened: Index) -> None:
    made = journey.travel(opened, [4, 600], NAME, 8)
    assert (made.rows[0], made.rows[-1], len(made.rows)) == (4, 600, 10)
    direct = np.degrees(np.arccos(exact(4)[600]))
    assert max(made.steps) < direct


def test_map_selection(opened: Index) -> None:
    chosen = list(range(100, 160))
    made = selection.rank(opened, NAME, chosen, 10)
    joined = np.concatenate([w * VECTORS[name].astype(float) for name, w in WEIGHTS.items()], axis=1)
    expected = cosines(joined[chosen].mean(axis=0), joined)
    wanted = sorted(chosen, key=lambda row: -expected[row])[:10]
    assert [entry.row for entry in made.entries] == wanted
    for entry in made.entries:
        assert entry.similarity == pytest.approx(expected[entry.row], abs=1e-5)
