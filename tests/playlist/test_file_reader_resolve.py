"""Resolving entries of playlist files in a library."""

from __future__ import annotations

import io
import random
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from made_up_listings import KINDS, LISTS

from soundalike import paths
from soundalike.index import index
from soundalike.index.index import Index
from soundalike.index.track_table import TrackTable
from soundalike.playlist import file_reader, file_writer
from soundalike.playlist.entry_matching import Resolved, resolve
from soundalike.playlist.listing_file import Reference


@pytest.fixture(scope="module")
def bundled() -> Index:
    return index.load(paths.ASSETS / "index")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_exported_list_resolves_to_same_rows(bundled: Index, kind: str, seed: int) -> None:
    rows = random.Random(seed).sample(range(len(bundled)), 20)
    made = file_writer.of_rows(bundled, rows)
    content = file_writer.write(made, kind, bundled.library_folder)
    assert resolve(bundled, file_reader.read(content, f"list.{kind}")) == Resolved(rows, [], 0)


@pytest.mark.parametrize("kind", LISTS)
def test_list_in_another_folder_resolves(bundled: Index, tmp_path: Path, kind: str) -> None:
    made = file_writer.of_rows(bundled, range(len(bundled)))
    content = file_writer.write(made, kind, bundled.library_folder, tmp_path)
    found = file_reader.read(content, "without a suffix")
    assert resolve(bundled, found) == Resolved(list(range(len(bundled))), [], 0)


def test_unpacked_zip_resolves_by_names(bundled: Index) -> None:
    rows = [7, 3, 11]
    content = file_writer.write(file_writer.of_rows(bundled, rows), "zip", bundled.library_folder)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in ("playlist.m3u8", "playlist.xspf", "playlist.csv"):
            found = file_reader.read(archive.read(name), name)
            assert resolve(bundled, found) == Resolved(rows, [], 0)


def test_referenced_files_are_not_opened(bundled: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("opened something")

    named = "\n".join(
        ["file:///etc/passwd", "http://example.org/a.mp3", "/etc/passwd", "../../etc/passwd"]
    )
    for place in ("builtins.open", "io.open", "os.open", "os.stat", "socket.socket"):
        monkeypatch.setattr(place, refuse)
    found = resolve(bundled, file_reader.read(named.encode(), "list.m3u8"))
    monkeypatch.undo()
    assert found.rows == []
    assert found.notes[0].startswith("4 of 4 entries are not in this library: “file:///etc/passwd”")


@pytest.fixture(scope="module")
def four(bundled: Index) -> Index:
    """A library with every way of being taken for another."""
    facts = {
        "track_id": ["1", "2", "3", "4"],
        "file": ["clips/a.opus", "b c.opus", "clips/é [1] 50%25.opus", "x/clips/a.opus"],
        "title": ["Rain", "Rain", "A - B", "Sun"],
        "artist": ["Ann", "Ben", "", "Ann"],
        "duration_s": ["180.00", "240.00", "", "300.00"],
    }
    return replace(bundled, table=TrackTable.of(bundled.tracks.head(4).assign(**facts)))


def entry(
    location: str = "",
    track_id: str | None = None,
    title: str = "",
    artist: str = "",
    seconds: float | None = None,
) -> Reference:
    return Reference(location, track_id, title, artist, seconds)


@pytest.mark.parametrize(
    ("reference", "row"),
    [
        (entry(track_id="2"), 1),
        (entry(track_id="2", title="RAIN"), 1),
        (entry(track_id="2", title="Snow"), None),
        (entry(track_id="2", title="Sun"), 3),
        (entry(track_id="2", title="Sun", artist="Ann"), 3),
        (entry("clips/a.opus", track_id="2", title="Sun"), 0),
        (entry("x/clips/a.opus"), 3),
        (entry("/home/ann/x/clips/a.opus"), 3),
        (entry("/home/ann/y/clips/a.opus"), 0),
        (entry("file:///home/ann/clips/a.opus"), 0),
        (entry("C:\\Users\\Ann\\clips\\a.opus"), 0),
        (entry("../library/./clips//a.opus"), 0),
        (entry("clips/a.opus", title="Another name"), 0),
        (entry("X\\CLIPS\\A.OPUS"), 3),
        (entry("E:\\my music\\CLIPS\\A.opus"), 0),
        (entry("file:///home/ann/b%2520c.opus", title="Rain", artist="Ben"), 1),
        (entry("clips/%25C3%25A9%2520%255B1%255D%252050%252525.opus"), 2),
        (entry("a.opus"), None),
        (entry("b c.opus"), 1),
        (entry("./b%20c.opus"), 1),
        (entry("/music/b c.opus", title="Rain", artist="Ben"), 1),
        (entry("/music/b c.opus", title="Help!", artist="The Beatles"), None),
        (entry("clips/é [1] 50%25.opus"), 2),
        (entry("clips/e\u0301%20%5B1%5D%2050%2525.opus"), 2),
        (entry(title="Rain", artist="Ben"), 1),
        (entry(title="rain ", artist="BEN"), 1),
        (entry(title="Rain"), None),
        (entry(title="Rain", seconds=182.9), 0),
        (entry(title="Rain", seconds=237.5), 1),
        (entry(title="Rain", seconds=210.0), None),
        (entry(title="Rain", artist="Somebody", seconds=240.0), 1),
        (entry(title="Rain", artist="Ann feat. Cy"), 0),
        (entry(title="rain", artist="the ann"), 0),
        (entry(title="A – B"), 2),
        (entry(title="B", artist="A", seconds=1.0), 2),
        (entry(title="Sun"), 3),
        (entry(title="Sun", artist="Ben"), None),
        (entry(title="B", artist="A"), 2),
        (entry(title="A - B"), 2),
        (entry(artist="Ann"), None),
        (entry(), None),
    ],
)
def test_entry_matching(four: Index, reference: Reference, row: int | None) -> None:
    assert resolve(four, [reference]).rows == ([] if row is None else [row])


def test_rows_in_order_without_repeats(four: Index) -> None:
    references = [entry(track_id=track_id) for track_id in ("4", "1", "4", "2", "1")]
    found = resolve(four, references)
    assert found.rows == [3, 0, 1]
    assert found.notes == ["Ignored 2 duplicate entries."]
    assert resolve(four, references[:3]).notes == ["Ignored 1 duplicate entry."]


def test_missing_entries_are_reported(four: Index) -> None:
    unknown = [
        entry(title="One", artist="A"),
        entry("two.mp3"),
        entry(track_id="?"),
        entry(title="x" * 99),
    ]
    known = entry(track_id="1")
    assert resolve(four, [known, unknown[0]]).notes == [
        "1 of 2 entries is not in this library: “A - One”."
    ]
    assert resolve(four, unknown[:3]).notes == [
        "3 of 3 entries are not in this library: “A - One”, “two.mp3” and “?”."
    ]
    assert resolve(four, [*unknown, known, known]).notes == [
        "4 of 6 entries are not in this library: “A - One”, “two.mp3”, “?” and 1 more.",
        "Ignored 1 duplicate entry.",
    ]
    assert resolve(four, unknown[3:]).notes == [f"1 of 1 entries is not in this library: “{'x' * 79}…”."]
    assert resolve(four, unknown).missing == ["A - One", "two.mp3", "?", f"{'x' * 79}…"]
    assert resolve(four, []) == Resolved([], [], 0)
    assert resolve(four, []).notes == []
