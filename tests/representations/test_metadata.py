"""Tests of `metadata` on small tables, against computations by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike import paths
from soundalike.audio.clip import Clip
from soundalike.datasets import library
from soundalike.errors import LibraryError, SoundalikeError
from soundalike.models import ModelStore
from soundalike.representations import metadata

FULL = pd.DataFrame(
    {
        "track_id": ["1", "2", "3"],
        "title": ["Night ride", "Ride", ""],
        "artist": ["Ann", "Ben", "Ann"],
        "genre": ["Rock", "Folk", "Rock"],
        "album_date_released": ["2008-11-26", "2010", "2012-01-01 00:00:00"],
        "artist_active_year_begin": ["1990", "", "2000"],
        "artist_active_year_end": ["1999", "2005", ""],
        "artist_latitude": ["51.5", "-33.9", "not known"],
        "artist_longitude": ["-0.1", "18.4", ""],
        "track_duration": ["100", "200", "300"],
        "track_favorites": ["1", "2", "9"],
        "track_listens": ["10", "20", "30"],
        "track_language_code": ["en", "fr", "en"],
        "track_genres": ["[21, 4]", "[4]", "[]"],
    }
)


def of(**columns: list[str]) -> np.ndarray:
    return metadata.from_table(pd.DataFrame(columns))


def test_every_column_of_the_article():
    assert list(metadata.blocks(FULL)) == [*metadata.NUMERIC, "title", *metadata.ONE_HOT]
    made = metadata.from_table(FULL)
    assert made.shape == (3, 8 + 300 + 2 + 2 + 2)
    assert made.dtype == np.float32
    assert np.isfinite(made).all()


def test_blocks_follow_one_another():
    made = metadata.from_table(FULL)
    np.testing.assert_array_equal(made, np.hstack(list(metadata.blocks(FULL).values())))


def test_numbers_are_standardised():
    made = metadata.blocks(FULL)
    unit = np.sqrt(1.5)
    for name in ("duration", "listens", "release year"):
        np.testing.assert_allclose(made[name][:, 0], [-unit, 0, unit], atol=1e-6)


def test_a_missing_number_is_the_mean():
    made = metadata.blocks(FULL)
    np.testing.assert_allclose(made["the artist's first active year"][:, 0], [-1, 0, 1])
    np.testing.assert_allclose(made["the artist's latitude"][:, 0], [1, -1, 0])


def test_one_hot_in_alphabetical_order():
    made = metadata.blocks(FULL)
    np.testing.assert_array_equal(made["artist"], [[1, 0], [0, 1], [1, 0]])
    np.testing.assert_array_equal(made["language"], [[1, 0], [0, 1], [1, 0]])
    np.testing.assert_array_equal(made["sub-genres"], [[1, 1], [0, 1], [0, 0]])


@pytest.mark.parametrize("text", ["a; b", "a,b", "['a', 'b']", "a | b"])
def test_several_names_in_a_field(text):
    made = of(subgenres=[text, "b", ""])
    np.testing.assert_array_equal(made, [[1, 1], [0, 1], [0, 0]])


def test_an_artist_with_a_comma_is_one():
    made = of(artist=["Crosby, Stills", "Crosby", "Unknown artist"])
    np.testing.assert_array_equal(made, [[0, 1], [1, 0], [0, 0]])


def test_a_title_is_the_mean_of_its_words():
    made = of(title=["Night", "Ride", "night RIDE", "Ride, ride!", ""])
    night, ride, both, twice, none = made.astype(np.float64)
    for word in (night, ride):
        assert np.abs(word).sum() == 1
    assert np.abs(night).argmax() != np.abs(ride).argmax()
    np.testing.assert_allclose(both, (night + ride) / 2)
    np.testing.assert_allclose(twice, ride)
    np.testing.assert_array_equal(none, 0)


def test_the_genre_column_is_not_used():
    others = FULL.assign(genre=["Jazz", "Jazz", "Metal"])
    np.testing.assert_array_equal(metadata.from_table(others), metadata.from_table(FULL))


def test_columns_without_information_are_left_out():
    table = {"title": ["One", "Two"], "artist": ["Ann", "Ann"], "track_listens": ["5", "5"]}
    assert list(metadata.blocks(pd.DataFrame(table))) == ["title"]


def test_the_bundled_library():
    tracks = library.load(paths.LIBRARY).tracks
    made = metadata.blocks(tracks)
    assert list(made) == ["duration", "title", "artist"]
    assert len(metadata.from_table(tracks)) == len(tracks)
    named = tracks["artist"][~tracks["artist"].isin(["", "Unknown artist"])].nunique()
    assert made["artist"].shape[1] == named
    assert made["duration"].mean() == pytest.approx(0, abs=1e-5)


def test_it_is_deterministic():
    np.testing.assert_array_equal(metadata.from_table(FULL), metadata.from_table(FULL.copy()))


@pytest.mark.parametrize(
    "columns",
    [
        {"track_id": ["1", "2"]},
        {"title": ["", "?"], "artist": ["Ann", "Ann"], "listens": ["0.1", "0.1"]},
    ],
)
def test_a_table_without_information(columns):
    with pytest.raises(LibraryError, match=r"Add columns such as .*\.$") as caught:
        of(**columns)
    assert len(str(caught.value).splitlines()) == 1


def test_uploads_are_rejected():
    clip = Clip(np.zeros(10, np.float32))
    with pytest.raises(SoundalikeError, match="can't be used with your own clip"):
        metadata.embed(clip, ModelStore())


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.text(max_size=12), st.text(max_size=8)), min_size=2, max_size=12),
)
def test_any_text_gives_finite_vectors_or_an_error(rows):
    titles, listens = map(list, zip(*rows, strict=True))
    try:
        made = of(title=titles, artist=titles, listens=listens, subgenres=listens)
    except LibraryError:
        return
    assert made.shape[0] == len(rows)
    assert np.isfinite(made).all()
