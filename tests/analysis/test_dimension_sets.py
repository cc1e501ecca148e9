"""Sets of dimensions: values of tracks and of new clips, and moments where they are highest."""

from __future__ import annotations

import numpy as np
import pytest
from small_library import write_index

from soundalike import paths
from soundalike.analysis import dimension_sets
from soundalike.analysis.dimension_sets import WORDS, DimensionSets
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.index import index as indices
from soundalike.models import ModelStore, stretches
from soundalike.playlist import query
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.query import Query
from soundalike.words import vocabulary


@pytest.fixture(scope="module")
def sets(bundled, models) -> DimensionSets:
    return DimensionSets(bundled, models)


@pytest.fixture(scope="module")
def own(bundled, models) -> Query:
    """A track of the library, sent as a visitor's clip."""
    clip = analysis_window(decoding.decode(paths.LIBRARY / "clips" / "0102.opus"))
    return Query(ClipEmbeddings(clip, bundled, models), {}, None, clip.duration)


def test_all_sets_of_the_bundled_library(sets) -> None:
    sizes = {name: sets.size(name) for name in sets.names}
    assert sizes == {
        "words": len(vocabulary.words()),
        "soundalike": 200 + 256 + 1_024,
        "vgg_mel": 25_600,
        "genre_head": 32,
        "musicnn": 200,
    }


def test_joined_dimensions_follow_their_parts(sets) -> None:
    column = sets.column("soundalike", 200 + 7)
    np.testing.assert_array_equal(column, sets.index.array("musicnn_mid")[:, 7].astype(np.float32))
    assert sets.index.part_of("soundalike", 200 + 256) == ("yamnet", 0)
    assert sets.of_track("soundalike", 30)[200 + 7] == column[30]
    with pytest.raises(IndexError):
        sets.column("soundalike", 1_480)


@pytest.mark.parametrize("name", ["words", "soundalike", "musicnn"])
def test_a_new_clip_has_the_values_of_the_same_track(sets, own, name) -> None:
    row = sets.index.row("0102")
    track = query.from_library(sets.index, "0102")
    np.testing.assert_array_equal(sets.of_query(name, track), sets.of_track(name, row))
    expected, found = sets.of_track(name, row), sets.of_query(name, own)
    assert np.corrcoef(expected, found)[0, 1] > 0.999
    stored, computed = sets.moments(name, row), sets.moments_of_query(name, own)
    assert stored.shape == computed.shape == (stretches.COUNT, sets.size(name))
    assert np.corrcoef(stored.ravel(), computed.ravel())[0, 1] > 0.999


def test_mean_of_moments_is_the_track(sets) -> None:
    row = sets.index.row("0001")
    mean = sets.moments("musicnn", row).mean(axis=0)
    raw = sets.index.array("musicnn_raw")[row]
    np.testing.assert_allclose(mean, raw, atol=0.01)


def test_pictures_have_no_stretches(sets) -> None:
    assert sets.moments("vgg_mel", 0) is None
    assert sets.moments("genre_head", 0) is None
    assert dimension_sets.start(3) == pytest.approx(3 * 2.992)


def test_an_index_without_words_has_the_other_sets(tmp_path) -> None:
    made = write_index(tmp_path / "index", {"genre_head": np.ones((3, 32))}, ["genre_head"])
    sets = DimensionSets(made, ModelStore())
    assert sets.names == ["genre_head"]
    assert sets.words is None


def test_a_missing_table_of_classes_leaves_the_words_out(tmp_path) -> None:
    opened, models = indices.load(paths.BUNDLED_INDEX), ModelStore(tmp_path)
    sets = DimensionSets(opened, models)
    assert WORDS not in sets.names
    # It is not kept that there were none.
    assert DimensionSets(opened, ModelStore()).words is not None
    assert WORDS in sets.names
    assert "soundalike" in sets.names


def test_sets_that_are_too_large_are_left_out(bundled, models, monkeypatch) -> None:
    monkeypatch.setattr(dimension_sets, "LARGEST", 10 * 2**20)
    sets = DimensionSets(bundled, models)
    assert sets.too_large == ["vgg_mel"]
    assert "vgg_mel" not in sets.names
