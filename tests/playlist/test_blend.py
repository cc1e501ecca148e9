"""Blends: scores of one seed, of several, and of negative weights."""

from __future__ import annotations

import made_up_playlists
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_library import cosines, write_index

from soundalike.errors import IndexFolderError
from soundalike.playlist import blend, query
from soundalike.playlist.blend import Seed


def seeds(index, *weighted: tuple[int, float]) -> list[Seed]:
    return [Seed(query.from_library(index, f"t{row}"), weight) for row, weight in weighted]


@pytest.mark.parametrize("name", ["vgg_mel", "vgg_genre"])
def test_single_seed_score_is_its_similarity(tmp_path, name) -> None:
    index = made_up_playlists.library(tmp_path, 3)
    expected = index.similarities(name, index.embeddings(5))
    for weight in (1.0, 0.3):
        np.testing.assert_allclose(
            blend.scores(index, seeds(index, (5, weight)), name), expected, atol=1e-6
        )


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 39), st.floats(0.05, 1) | st.floats(-1, -0.05)), min_size=1))
def test_blend_is_weighted_mean(tmp_path_factory, weighted) -> None:
    index = made_up_playlists.library(tmp_path_factory.mktemp("blend"), 3)
    found = blend.scores(index, seeds(index, *weighted), "vgg_mel")
    stored = index.array("vgg_mel")
    expected = sum(w * cosines(stored[row], stored) for row, w in weighted)
    np.testing.assert_allclose(found, expected / sum(abs(w) for _, w in weighted), atol=1e-5)
    assert (np.abs(found) <= 1 + 1e-6).all()


def test_negative_weight_lowers_similar_tracks(tmp_path) -> None:
    index = made_up_playlists.library(tmp_path, 5)
    more = blend.scores(index, seeds(index, (1, 1.0)), "vgg_mel")
    both = blend.scores(index, seeds(index, (1, 1.0), (9, -1.0)), "vgg_mel")
    assert np.argsort(np.argsort(-both))[9] > np.argsort(np.argsort(-more))[9]


def test_pairwise_cosines_match_index(tmp_path) -> None:
    index = made_up_playlists.library(tmp_path, 4)
    rows = [7, 0, 33]
    found = blend.between(index, "vgg_genre", rows)
    for number, row in enumerate(rows):
        expected = index.similarities("vgg_genre", index.embeddings(row))[rows]
        np.testing.assert_allclose(found[number], expected, atol=1e-5)


def test_zero_vector_is_similar_to_nothing(tmp_path) -> None:
    index = write_index(tmp_path, {"vgg_mel": np.array([[0.0, 0.0], [1.0, 0.0]])})
    np.testing.assert_array_equal(blend.between(index, "vgg_mel", [0, 1]), [[0, 0], [0, 1]])


@pytest.mark.parametrize("weight", [0.0, 1.01, -2.0, float("nan")])
def test_weight_out_of_range(tmp_path, weight) -> None:
    index = made_up_playlists.library(tmp_path, 0)
    with pytest.raises(ValueError, match="between -1 and 1"):
        Seed(query.from_library(index, "t0"), weight)


def test_neighbours_only_index_supports_single_seed(tmp_path) -> None:
    index = made_up_playlists.library(tmp_path, 0)
    index.manifest["neighbours_only"] = ["vgg_mel"]
    found = blend.scores(index, seeds(index, (2, 1.0)), "vgg_mel")
    rows, similarities = index.neighbours("vgg_mel", 2)
    np.testing.assert_array_equal(found[rows], similarities)
    assert np.isneginf(found[2])
    with pytest.raises(IndexFolderError, match="only the neighbours"):
        blend.scores(index, seeds(index, (2, 1.0), (3, 1.0)), "vgg_mel")
    with pytest.raises(IndexFolderError, match="only the neighbours"):
        blend.between(index, "vgg_mel", [0, 1])
