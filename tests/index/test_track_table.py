"""The table of tracks by column, and as the DataFrame that pandas itself reads."""

from __future__ import annotations

import datetime
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from soundalike import paths
from soundalike.errors import IndexFolderError
from soundalike.index import storage, track_table
from soundalike.index.track_table import TEXTS, TrackTable

SOURCE = {
    "sha256": ["0", "1", "2"],
    "track_id": [7, 8, 9],
    "file": ["a/b.ogg", "c.flac", "d"],
    "title": ["Two\nlines", "", None],
    "genre": [" Rock ", None, "Jazz"],
    "year": [1999, None, 2001],
    "length": [1.5, float("nan"), 2.0],
}


DAY = datetime.date(2020, 5, 17)


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
        pa.table({"track_id": ids, "file": ids, "sha256": ids, "artist": pa.array(values, pa.string())})
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


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([DAY, None, DAY]), ["2020-05-17", None, "2020-05-17"]),
        (pa.array([b"a", b"\xc3\xa4", None]), ["a", "ä", None]),
        (pa.array([["a"], [], None]), ["['a']", "[]", None]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.nulls(3), [None, None, None]),
        (pa.array([True, None, False]), [True, None, False]),
    ],
    ids=["dates", "bytes", "lists", "categories", "nothing", "truth values"],
)
def test_what_is_neither_number_nor_text_becomes_text(column: pa.Array, expected: list[object]) -> None:
    table = TrackTable.normalised(pa.table(SOURCE | {"more": column}))
    assert table["more"] == expected
    assert [None if pd.isna(value) else value for value in table.frame["more"]] == expected


def test_what_pandas_noted_about_a_table_does_not_matter() -> None:
    noted = pa.table(SOURCE).replace_schema_metadata({b"pandas": b"{no json"})
    assert list(TrackTable.normalised(noted).frame["year"].dropna()) == [1999, 2001]


def test_sessions_share_a_frame(table: TrackTable) -> None:
    with ThreadPoolExecutor(8) as threads:
        frames = list(threads.map(lambda _: table.frame, range(8)))
    assert all(frame is frames[0] for frame in frames)


def twice(name: str) -> pa.Table:
    table = pa.table(SOURCE)
    return table.append_column(name, table[name])


def changed(**columns: pa.Array) -> pa.Table:
    return pa.table(SOURCE | columns)


DAMAGED: Mapping[str, pa.Table] = {
    **{f"{name} twice": twice(name) for name in ("track_id", "title", "year")},
    **{f"no {name}": pa.table(SOURCE).drop_columns([name]) for name in ("track_id", "file", "sha256")},
    "an id twice": changed(track_id=pa.array([7, 7, 9])),
    "no id": changed(track_id=pa.array([7, None, 9])),
    "no file": changed(file=pa.array(["a", None, "b"])),
    "a day too far": changed(day=pa.array([2**31 - 1, 0, 0], pa.int32()).cast(pa.date32())),
    "bytes that are no text": changed(more=pa.array([b"\xff", b"", b""])),
    "text that is none": changed(title=pa.array([b"\xff", b"", b""]).view(pa.string())),
    "a time zone that is none": changed(at=pa.array([1, 2, 3], pa.timestamp("s", "Mars/Olympus"))),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_table_is_said_to_be(name: str, tmp_path: Path) -> None:
    parquet.write_table(DAMAGED[name], tmp_path / storage.TRACKS)
    with pytest.raises(IndexFolderError, match="is damaged"):
        storage.read_tracks(tmp_path, {"tracks": 3})
