"""Tests of FMA folders as libraries, including malformed ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from fma_tree import GENRES, clip_file, row, write_clips, write_metadata
from hypothesis import given
from hypothesis import strategies as st

from soundalike.datasets import fma
from soundalike.errors import LibraryError

ROWS = (
    row(2, "Hip-Hop", "AWOL", track_genres=[21, 100]),
    row(5, "Hip-Hop", "AWOL", track_title='Say "no", then\nyes', artist_name="Çağrı, & Søn"),
    row(
        10, "Pop", "Kurt Vile", "test", album_date_released="", track_date_recorded="2008-11-26 00:00:00"
    ),
    row(140, "Folk", "Alec K. Redfearn", "validation", track_genres=[103, 17]),
    row(98565, "Rock", "Broken", track_genres=[25]),
    row(98566, "Rock", "Short"),
    row(99134, "Rock", "Silent"),
    row(3000, "", "Two roots", subset="large", track_genres=[25, 12, 76]),
    row(3001, "", "A tie", subset="large", track_genres=[25, 76]),
    row(3002, "", "Nobody", subset="medium", track_genres=[], album_date_released="", album_title=""),
    row(155066, "Experimental", "Deep", subset="medium", track_genres=[16], artist_bio="long " * 40_000),
)
SMALL = [2, 5, 10, 140, 98565, 98566, 99134]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    write_metadata(tmp_path, ROWS)
    write_clips(tmp_path, dict.fromkeys(SMALL, b"clip"))
    return tmp_path


def everything(tree: Path, subset: str = "large") -> pd.DataFrame:
    write_clips(tree, {track_id: b"clip" for track_id, _ in ROWS}, subset)
    return fma.load(tree, subset).library.tracks.set_index("track_id")


def complaint(folder: Path, subset: str | None = None) -> str:
    with pytest.raises(LibraryError) as caught:
        fma.load(folder, subset)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def test_the_table(tree: Path) -> None:
    found = fma.load(tree)
    tracks = found.library.tracks
    assert found.subset == "small"
    assert list(tracks["track_id"]) == ["2", "5", "10", "140", "98566"]
    assert tracks["file"][0] == "fma_small/000/000002.mp3"
    assert tracks["file"][4] == "fma_small/098/098566.mp3"
    assert found.library.path(0).read_bytes() == b"clip"
    first = tracks.iloc[0]
    assert (first["title"], first["artist"], first["album"]) == ("Track 2", "AWOL", "Album of AWOL")
    assert (first["genre"], first["genre_from"], first["subgenres"]) == (
        *("Hip-Hop", "genre_top", "Alternative Hip-Hop"),
    )
    assert first["licence"] == "Attribution-NonCommercial-ShareAlike 3.0 International"
    assert list(tracks["split"]) == ["training", "training", "test", "validation", "training"]
    assert list(tracks["year"][:3]) == ["2009", "2009", "2008"]
    assert (first["artist_latitude"], first["track_listens"]) == ("40.0583238", "1293")
    assert tracks["title"][1] == 'Say "no", then yes'
    assert tracks["artist"][1] == "Çağrı, & Søn"
    assert tracks.map(lambda value: isinstance(value, str)).all(axis=None)


def test_known_broken_clips_are_skipped(tree: Path) -> None:
    skipped = {item.file: item.reason for item in fma.load(tree).library.skipped}
    assert list(skipped) == ["fma_small/098/098565.mp3", "fma_small/099/099134.mp3"]
    assert all("known error" in reason for reason in skipped.values())


def test_whole_tracks_have_no_known_errors(tree: Path) -> None:
    assert {"98565", "99134"} <= set(everything(tree, "full").index)


def test_known_errors_are_those_of_the_wiki() -> None:
    assert len(fma.NO_AUDIO) == 15
    assert {99134, 108925, 133297} < fma.NO_AUDIO < fma.BROKEN
    assert len(fma.BROKEN) == 18
    assert not fma.BROKEN & {98566, 98568, 108924}


def test_missing_and_foreign_files_are_reported(tree: Path) -> None:
    clip_file(tree, 5).unlink()
    write_clips(tree, {3000: b"larger", 4000: b"unknown"})
    (tree / "fma_small/000/cover.mp3").write_bytes(b"")
    (tree / "fma_small/checksums").write_text("not looked at")
    found = fma.load(tree).library
    assert "5" not in set(found.tracks["track_id"])
    reasons = {item.file: item.reason for item in found.skipped}
    assert reasons["fma_small/000/000005.mp3"] == "The file is missing."
    assert reasons["fma_small/003/003000.mp3"] == "It is not of FMA's set 'small'."
    assert reasons["fma_small/004/004000.mp3"] == "FMA's tracks.csv does not have it."
    assert reasons["fma_small/000/cover.mp3"] == "FMA's tracks.csv does not have it."


def test_sets_are_nested(tree: Path) -> None:
    assert len(everything(tree, "medium")) == 7
    assert len(everything(tree, "large")) == 9


def test_a_set_is_read_from_a_larger_one(tree: Path) -> None:
    everything(tree, "large")
    shutil.rmtree(tree / "fma_small")
    found = fma.load(tree, "small").library
    assert list(found.tracks["track_id"]) == ["2", "5", "10", "140", "98566"]
    assert found.tracks["file"][0] == "fma_large/000/000002.mp3"
    assert len(found.skipped) == 2


def test_genres_without_an_fma_top_genre(tree: Path) -> None:
    tracks = everything(tree)
    columns = ["genre", "genre_from", "subgenres"]
    assert list(tracks.loc["3000", columns]) == ["Rock", "genres", "Punk; Experimental Pop"]
    assert list(tracks.loc["3001", columns]) == ["", "", "Punk; Experimental Pop"]
    assert list(tracks.loc["3002", columns]) == ["", "", ""]
    assert list(tracks.loc["155066", columns]) == ["Experimental", "genre_top", "Sound Effects"]
    assert tracks.loc["3002", "year"] == ""


def test_the_genre_tree(tree: Path) -> None:
    genres = fma.load(tree).tree
    assert len(genres) == len(GENRES)
    assert genres[16] == fma.Genre("Sound Effects", 38, 304)
    assert genres[175].root == 2
    assert genres[12] == fma.Genre("Rock", 12, 32_923)


def test_artists_in_two_splits(tree: Path) -> None:
    assert fma.load(tree).shared_artists == ()
    more = [row(20, "Pop", "AWOL", "test"), row(21, "Pop", "", "test"), row(22, "Pop", "")]
    write_metadata(tree, [*ROWS, *more])
    write_clips(tree, dict.fromkeys((20, 21, 22), b"clip"))
    assert fma.load(tree).shared_artists == ("AWOL", "album: Album of")


@given(st.lists(st.sampled_from([g[0] for g in GENRES]), max_size=6))
def test_the_most_common_root_is_chosen(ids: list[int]) -> None:
    tree = {g[0]: fma.Genre(g[3], g[4], g[1]) for g in GENRES}
    genre, origin = fma._most_common_root(ids, tree)
    counts = pd.Series([tree[tree[i].root].title for i in ids], dtype=object).value_counts()
    if origin:
        assert counts[genre] == counts.max()
        assert (counts == counts.max()).sum() == 1
    else:
        assert not len(counts) or (counts == counts.max()).sum() > 1


def test_the_wrong_folder(tree: Path, tmp_path: Path) -> None:
    assert "not a folder" in complaint(tmp_path / "nowhere")
    assert "lies in" in complaint(tree / "fma_small")
    assert "lies in" in complaint(tree / "fma_metadata")
    (tmp_path / "empty").mkdir()
    shutil.move(tree / "fma_metadata", tree / "elsewhere")
    assert "fetch fma-metadata" in complaint(tree)


def test_missing_set(tree: Path) -> None:
    assert "fetch fma-medium" in complaint(tree, "medium")
    assert "fetch fma-full" in complaint(tree, "full")
    everything(tree, "medium")
    assert "small, medium; say which with --subset" in complaint(tree)
    for subset in ("small", "medium"):
        shutil.rmtree(tree / f"fma_{subset}")
    assert "fetch fma-small" in complaint(tree)
    (tree / "fma_small").mkdir()
    assert "Not one track" in complaint(tree)


@pytest.mark.parametrize("name", ["tracks.csv", "genres.csv"])
def test_a_table_that_is_missing_or_unreadable(tree: Path, name: str) -> None:
    path = tree / "fma_metadata" / name
    path.write_bytes(b"\xff\xfe" + path.read_bytes())
    assert "UTF-8" in complaint(tree)
    path.write_bytes(b"")
    assert name in complaint(tree)
    path.unlink()
    assert "missing" in complaint(tree)
    path.mkdir()
    assert name in complaint(tree)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("track_id,,", "2,,", "two header rows"),
        (",album,album,", ",", "two header rows"),
        ("genre_top", "top_genre", "track / genre_top"),
        ("split", "fold", "set / split"),
        ("[103, 17]", "103; 17", "no list of numbers"),
        ("[103, 17]", "[103, true]", "no list of numbers"),
        ("[103, 17]", "[103, 4711]", "4711"),
        (",training,small", ",train,small", "'train'"),
        (",training,small", ",training,tiny", "'tiny'"),
        ("\n140,", "\n14O,", "14O"),
        ("\n140,", "\n10,", "10 more than once"),
        ("\n140,", "\n140,extra,", "140"),
        (",Track 140", "", "140"),
        (",Track 155066\n", ',"Track 155066\n', "tracks.csv"),
    ],
)
def test_malformed_tracks(tree: Path, old: str, new: str, words: str) -> None:
    path = tree / "fma_metadata" / "tracks.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert words in complaint(tree)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("title", "name", "title"),
        ("\n25,", "\n12,", "12 more than once"),
        ("\n25,", "\nx,", "'x'"),
        (",12,Punk,12", ",99,Punk,12", "parent 99"),
        (",12,Punk,12", ",12,Punk,17", "top_level 17"),
        ("0,Rock,12", "25,Rock,12", "ancestors"),
        (",0,Rock", ",,Rock", "''"),
        ("0,Rock,12", "0,Rock,12,9", "genres.csv"),
    ],
)
def test_malformed_genres(tree: Path, old: str, new: str, words: str) -> None:
    path = tree / "fma_metadata" / "genres.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert words in complaint(tree)
