"""Tests of reading a folder of audio files as a table of tracks."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
from small_library import write_tone

from soundalike.audio import decoding, formats, media_types
from soundalike.datasets import library
from soundalike.errors import LibraryError

HEADER = "track_id,file,title,artist,album,genre"


def folder_with(tmp_path: Path, *rows: str, header: str = HEADER, files: str = "ab") -> Path:
    for name in files:
        (tmp_path / f"{name}.wav").write_bytes(b"never decoded")
    (tmp_path / "tracks.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return tmp_path


def refusal(folder: Path) -> str:
    with pytest.raises(LibraryError) as caught:
        library.load(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_table_is_read_with_its_other_columns(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path,
        '001,a.wav,"Café, later",Ann,Blue,Folk,CC0',
        "002,b.wav,,,,,",
        header=f"{HEADER},licence",
    )
    loaded = library.load(folder)
    assert list(loaded.tracks.columns) == [*library.COLUMNS, "licence"]
    assert loaded.tracks.iloc[0].tolist() == [
        "001",
        "a.wav",
        "Café, later",
        "Ann",
        "Blue",
        "Folk",
        "CC0",
    ]
    assert loaded.tracks.iloc[1].tolist() == ["002", "b.wav", "", "", "", "", ""]
    assert loaded.skipped == ()
    assert loaded.path(1) == tmp_path / "b.wav"


def test_words_that_pandas_takes_for_missing_are_kept(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "1,a.wav,NA,None,nan,null")
    assert library.load(folder).tracks.iloc[0].tolist()[2:] == ["NA", "None", "nan", "null"]


def test_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "1,a.wav,t,a,b,g")
    table = folder / "tracks.csv"
    table.write_text(table.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert library.load(folder).tracks["track_id"].tolist() == ["1"]


def test_a_short_row_ends_in_empty_fields(tmp_path: Path) -> None:
    tracks = library.load(folder_with(tmp_path, "1,a.wav,t,a,b,g", "2,b.wav,t")).tracks
    assert tracks.iloc[1].tolist() == ["2", "b.wav", "t", "", "", ""]


@pytest.mark.parametrize("column", library.COLUMNS)
def test_missing_column_is_named(tmp_path: Path, column: str) -> None:
    header = ",".join(name for name in library.COLUMNS if name != column)
    message = refusal(folder_with(tmp_path, "1,a.wav,t,a,b", header=header))
    assert f"no column {column};" in message


def test_track_id_twice(tmp_path: Path) -> None:
    assert "'7' more than once" in refusal(folder_with(tmp_path, "7,a.wav,,,,", "7,b.wav,,,,"))


@pytest.mark.parametrize("row", [",b.wav,t,a,b,g", "2,,t,a,b,g", "2"])
def test_empty_id_or_file_is_named_by_its_row(tmp_path: Path, row: str) -> None:
    assert "row 3" in refusal(folder_with(tmp_path, "1,a.wav,t,a,b,g", row))


def test_not_utf8(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    (folder / "tracks.csv").write_bytes(f"{HEADER}\n1,a.wav,Café,,,\n".encode("latin-1"))
    assert "UTF-8" in refusal(folder)


@pytest.mark.parametrize(
    "rows",
    [
        ["1,a.wav,t,a,b,g", "2,b.wav,t,a,b,g,too many"],
        ["1,a.wav,t,a,b,g,too many", "2,b.wav,t,a,b,g"],
        ["1,a.wav,t,a,b,g,too many", "2,b.wav,t,a,b,g,too many"],
    ],
    ids=["last row", "first row", "every row"],
)
def test_rows_with_more_fields_than_the_header(tmp_path: Path, rows: list[str]) -> None:
    assert "tracks.csv" in refusal(folder_with(tmp_path, *rows))


@pytest.mark.parametrize("content", ["", "\n\n", f'{HEADER}\n1,a.wav,"never closed\n'])
def test_not_a_table(tmp_path: Path, content: str) -> None:
    folder = folder_with(tmp_path)
    (folder / "tracks.csv").write_text(content, encoding="utf-8")
    assert "tracks.csv is not a table that can be read" in refusal(folder)


def test_table_without_rows(tmp_path: Path) -> None:
    assert "no audio" in refusal(folder_with(tmp_path))


@pytest.mark.parametrize("file", ["../a.wav", "/etc/hostname", "x/../../a.wav"])
def test_file_outside_the_folder(tmp_path: Path, file: str) -> None:
    assert "outside the folder" in refusal(folder_with(tmp_path, "1,b.wav,,,,", f"2,{file},,,,"))


def test_link_to_a_file_outside_the_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    folder = folder_with(tmp_path / "in", "1,link.wav,,,,")
    (tmp_path / "secret.wav").write_bytes(b"x")
    (folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    assert "outside the folder" in refusal(folder)


def test_file_name_with_a_null_character(tmp_path: Path) -> None:
    assert "tracks.csv" in refusal(folder_with(tmp_path, "1,a\0.wav,,,,"))


def test_missing_files_are_skipped_and_reported(tmp_path: Path) -> None:
    loaded = library.load(folder_with(tmp_path, "1,gone.wav,,,,", "2,b.wav,,,,"))
    assert loaded.tracks["track_id"].tolist() == ["2"]
    assert loaded.tracks.index.tolist() == [0]
    assert [(item.file, item.reason) for item in loaded.skipped] == [
        ("gone.wav", "The file is missing.")
    ]


def test_every_file_missing(tmp_path: Path) -> None:
    assert "2 files were skipped" in refusal(folder_with(tmp_path, "1,x.wav,,,,", "2,y.wav,,,,"))


def test_missing_folder(tmp_path: Path) -> None:
    assert "is not a folder" in refusal(tmp_path / "nowhere")


def test_file_in_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    assert "is not a folder" in refusal(tmp_path / "x")


def test_folder_without_audio(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    assert "no audio" in refusal(tmp_path)


def test_folder_without_a_table_is_read_from_tags(tmp_path: Path) -> None:
    tags = {"title": "Élan", "artist": "Ann", "album": "Blue", "genre": "Folk"}
    write_tone(tmp_path / "deep" / "er" / "tagged.FLAC", "flac", tags)
    write_tone(tmp_path / "bare name.wav", "pcm_s16le")
    (tmp_path / "notes.txt").write_text("x")
    loaded = library.load(tmp_path)
    assert loaded.skipped == ()
    assert loaded.tracks["file"].tolist() == ["bare name.wav", "deep/er/tagged.FLAC"]
    assert loaded.tracks.iloc[1, 2:].tolist() == list(tags.values())
    assert loaded.tracks.iloc[0, 2:].tolist() == ["bare name", "", "", ""]
    assert loaded.tracks["track_id"].is_unique
    assert library.load(tmp_path).tracks.equals(loaded.tracks)


@pytest.mark.parametrize(
    ("suffix", "codec"), [("mp3", "libmp3lame"), ("m4a", "aac"), ("ogg", "libopus")]
)
def test_tags_of_other_formats(tmp_path: Path, suffix: str, codec: str) -> None:
    tags = {"title": "Élan", "artist": "Ann", "album": "Blue", "genre": "Folk"}
    write_tone(tmp_path / f"x.{suffix}", codec, tags)
    assert library.load(tmp_path).tracks.iloc[0, 2:].tolist() == list(tags.values())


def test_broken_file_of_a_folder_is_skipped_with_its_reason(tmp_path: Path) -> None:
    write_tone(tmp_path / "good.wav", "pcm_s16le")
    (tmp_path / "bad.mp3").write_text("this is text")
    (tmp_path / "empty.wav").touch()
    loaded = library.load(tmp_path)
    assert loaded.tracks["file"].tolist() == ["good.wav"]
    assert [item.file for item in loaded.skipped] == ["bad.mp3", "empty.wav"]
    assert "read this as audio" in loaded.skipped[0].reason
    assert "empty" in loaded.skipped[1].reason


def test_file_name_that_is_not_utf8_does_not_stop_loading(tmp_path: Path) -> None:
    write_tone(tmp_path / "good.wav", "pcm_s16le")
    copy = os.path.join(os.fsencode(tmp_path), b"caf\xe9.wav")  # noqa: PTH118
    try:
        with open(copy, "wb") as file:  # noqa: PTH123
            file.write((tmp_path / "good.wav").read_bytes())
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    loaded = library.load(tmp_path)
    assert "good.wav" in loaded.tracks["file"].tolist()
    assert len(loaded.tracks) + len(loaded.skipped) == 2


@pytest.mark.parametrize("ending", ["m4b", "WEBA", "aif", "AIFF", "wma", "Mp2", "caf", "3gp", "m4a"])
def test_files_of_every_kind_that_is_read_are_found(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"x.{ending}").write_bytes(b"never decoded")
    assert library.find(tmp_path).tracks["file"].tolist() == [f"x.{ending}"]


def test_the_app_offers_what_a_folder_scan_finds() -> None:
    assert set(decoding.EXTENSIONS) == set(formats.EXTENSIONS)
    assert {f".{ending}" for ending in formats.EXTENSIONS} == set(media_types.BY_ENDING)


def test_files_of_other_kinds_are_counted(tmp_path: Path) -> None:
    for name in ("a.wav", "b.ape", "c.APE", "d.jpg", "e"):
        (tmp_path / name).write_bytes(b"never decoded")
    found = library.find(tmp_path)
    assert found.passed_over == {"": 1, ".ape": 2, ".jpg": 1}
    assert found.skipped == ()


NOT_MUSIC = (
    *("$RECYCLE.BIN/S-1-5/a.mp3", "$Recycle.Bin/a.mp3", "RECYCLER/a.mp3", "#recycle/kept.mp3"),
    *("@Recycle/a.mp3", "@eaDir/a.mp3", ".Trash/a.mp3", ".Trash-1000/files/a.mp3", ".Trashes/501/a.mp3"),
    *(".stversions/a~2024.mp3", ".AppleDouble/a.mp3", "__MACOSX/._a.mp3", "album/__MACOSX/a.mp3"),
    *("._kept.mp3", "album/._b.mp3", "System Volume Information/a.mp3"),
)
KEPT = (
    *("kept.mp3", "album/b.mp3", "...And Justice for All/01.mp3", ".hidden/c.mp3", ".d.mp3"),
    *("recycled songs/e.mp3", "Trash/f.mp3", "#1/g.mp3", "@live/h.mp3", "$/i.mp3", "_MACOSX/j.mp3"),
)


def test_recycle_bins_and_companions_are_no_part_of_a_library(tmp_path: Path) -> None:
    for name in (*NOT_MUSIC, *KEPT):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"never decoded")
    found = library.find(tmp_path)
    assert found.tracks["file"].tolist() == sorted(KEPT)
    assert found.skipped == ()
    assert found.passed_over == {}


def test_a_deleted_copy_never_wins_over_the_file(tmp_path: Path) -> None:
    kept = write_tone(tmp_path / "kept.wav", "pcm_s16le")
    for name in ("#recycle/kept.wav", "._kept.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(kept.read_bytes())
    loaded = library.load(tmp_path)
    assert loaded.tracks["file"].tolist() == ["kept.wav"]
    assert loaded.skipped == ()


def test_fingerprint_follows_content_and_not_order() -> None:
    tracks = pd.DataFrame({"track_id": ["1", "2"], "sha256": ["aa", "bb"], "title": ["x", "y"]})
    original = library.fingerprint(tracks)
    assert library.fingerprint(tracks.iloc[::-1]) == original
    assert library.fingerprint(tracks.assign(title=["p", "q"])) == original
    assert library.fingerprint(tracks.assign(sha256=["aa", "bc"])) != original
    assert library.fingerprint(tracks.assign(sha256=["bb", "aa"])) != original
    assert library.fingerprint(tracks.assign(track_id=["1", "3"])) != original
    assert library.fingerprint(tracks.iloc[:1]) != original
