"""The table of tracks by column, and as the DataFrame that pandas itself reads."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike import paths
from soundalike.index import storage, track_table
from soundalike.index.track_table import TEXTS, TrackTable

SOURCE = {
    "track_id": [7, 8, 9],
    "file": ["a/b.ogg", "c.flac", "d"],
    "title": ["Two\nlines", "", None],
    "genre": [" Rock ", None, "Jazz"],
    "year": [1999, None, 2001],
    "length": [1.5, float("nan"), 2.0],
}


@pytest.fixture
def table() -> TrackTable:
    return TrackTable.normalised(pa.table(SOURCE))


def test_texts_are_one_line_and_ids_are_text(table: TrackTable) -> None:
    assert table["track_id"] == ["7", "8", "9"]
    assert table["title"] == ["Two lines", "c", "d"]
    assert table["genre"] == ["Rock", "", "Jazz"]
    assert table["artist"] == table["album"] == ["", "", ""]
    assert (len(table), "year" in table, "artist" in table, "tempo" in table) == (3, True, True, False)


def test_other_values_are_as_they_are_stored(table: TrackTable) -> None:
    assert table["year"] == [1999, None, 2001]
    assert [track_table.is_missing(value) for value in table["length"]] == [False, True, False]


def test_some_tracks_are_taken_in_order(table: TrackTable) -> None:
    some = table.take(np.array([2, 0]))
    assert (some["track_id"], some["title"], some["year"]) == (
        ["9", "7"],
        ["d", "Two lines"],
        [2001, 1999],
    )
    assert list(some.frame["track_id"]) == ["9", "7"]


def test_an_unknown_column_is_an_error(table: TrackTable) -> None:
    with pytest.raises(KeyError):
        table["tempo"]


def test_the_whole_is_what_pandas_reads() -> None:
    manifest = storage.read_manifest(paths.BUNDLED_INDEX)
    table = storage.read_tracks(paths.BUNDLED_INDEX, manifest)
    read = pd.read_parquet(paths.BUNDLED_INDEX / storage.TRACKS)
    pd.testing.assert_frame_equal(table.frame[list(read)], read)
    assert set(TEXTS) <= set(table.frame)
    for column in read:
        assert table[column] == read[column].tolist()


@given(st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"])))))
def test_texts_are_normalised_as_by_pandas(values: list[str | None]) -> None:
    ids = list(map(str, range(len(values))))
    table = TrackTable.normalised(
        pa.table({"track_id": ids, "file": ids, "artist": pa.array(values, pa.string())})
    )
    expected = pd.Series(values, dtype=object).fillna("").astype(str).str.split().str.join(" ")
    assert table["artist"] == list(expected)


def test_a_stored_list_needs_no_pandas() -> None:
    code = (
        "import sys\n"
        "from soundalike import paths\n"
        "from soundalike.index import index\n"
        "opened = index.load(paths.BUNDLED_INDEX)\n"
        "assert opened.fact('title', 0) and opened.artist_keys and opened.count('genre')\n"
        "assert 'pandas' not in sys.modules\n"
        "assert len(opened.tracks) == len(opened)\n"
        "assert 'pandas' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
