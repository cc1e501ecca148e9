"""A balanced sample of FMA-small: the choice, the library's table, the credits, the command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import Capture, complaint, document, run
from fma_archives import LICENCES, clips_archive, metadata_archive, name_of, rows_of
from fma_tree import row
from web_server import Site, serving

from soundalike.datasets import artists, fma, fma_sample, library, remote_file, web
from soundalike.datasets.fma_sample import GENRES, MOST_OF_AN_ARTIST, NO_LICENCE
from soundalike.errors import FetchError, LibraryError

ROWS = rows_of(160)
CLIPS = {track_id: np.random.default_rng(track_id).bytes(2_000 + track_id % 97) for track_id, _ in ROWS}


EXPECTED = {"6", "36", "38", "61", "72", "84", "92", "97"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(remote_file, "TAIL", 2**13)


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("archives")
    return {
        "/fma_metadata.zip": metadata_archive(folder, ROWS, other=500_000),
        "/fma_small.zip": clips_archive(CLIPS),
    }


@pytest.fixture
def site(archives: dict[str, bytes]) -> Site:
    return Site(dict(archives))


@pytest.fixture
def url(site: Site) -> Iterator[str]:
    with serving(site) as address:
        yield address


@pytest.fixture(scope="module")
def tracks() -> pd.DataFrame:
    """A table as large as FMA-small's."""
    rows = rows_of(8_000)
    return pd.DataFrame(
        {
            "track_id": [str(track_id) for track_id, _ in rows],
            "file": [name_of(track_id) for track_id, _ in rows],
            "artist": [known["artist", "name"] for _, known in rows],
            "album": [known["album", "title"] for _, known in rows],
            "genre": [known["track", "genre_top"] for _, known in rows],
        }
    )


def ids(tracks: pd.DataFrame) -> set[str]:
    return set(tracks["track_id"])


def clips(folder: Path) -> dict[int, bytes]:
    return {int(path.stem): path.read_bytes() for path in folder.glob("fma_small/*/*")}


def test_a_sample_is_balanced(tracks: pd.DataFrame) -> None:
    chosen = fma_sample.choose(tracks, 800, GENRES)
    assert Counter(chosen["genre"]) == dict.fromkeys(GENRES, 100)
    uneven = Counter(fma_sample.choose(tracks, 803, GENRES)["genre"])
    assert uneven == {genre: 101 if genre in GENRES[:3] else 100 for genre in GENRES}


def test_a_sample_has_many_artists(tracks: pd.DataFrame) -> None:
    """At random, the artists with the most tracks would have the most in a sample too."""
    chosen = fma_sample.choose(tracks, 800, GENRES)
    assert Counter(artists.keys(tracks)).most_common(1)[0][1] > 100
    assert artists.count(chosen) > 1.5 * artists.count(tracks.sample(800, random_state=0))
    every = fma_sample.choose(tracks, 8_000, GENRES)
    assert max(Counter(artists.keys(every)).values()) == MOST_OF_AN_ARTIST
    assert artists.count(every) == artists.count(tracks)


def test_an_artist_of_several_genres_is_one() -> None:
    table = pd.DataFrame(
        {
            "track_id": [str(number) for number in range(40)],
            "artist": ["Ann"] * 20 + ["ann feat. Ben"] * 20,
            "album": "",
            "genre": ["Pop", "Rock"] * 20,
        }
    )
    assert len(fma_sample.choose(table, 10, ("Pop", "Rock"))) == MOST_OF_AN_ARTIST


def test_tracks_by_nobody_known_are_not_one_artist() -> None:
    table = pd.DataFrame(
        {
            "track_id": [str(number) for number in range(40)],
            "artist": ["", "Unknown"] * 20,
            "album": "",
            "genre": "Pop",
        }
    )
    assert len(fma_sample.choose(table, 10, ("Pop",))) == 10


def test_a_larger_sample_contains_a_smaller_one(tracks: pd.DataFrame) -> None:
    samples = [ids(fma_sample.choose(tracks, count, GENRES)) for count in (8, 80, 400, 800, 2_400)]
    assert all(small < large for small, large in pairwise(samples))


def test_a_genres_tracks_do_not_depend_on_the_other_genres(tracks: pd.DataFrame) -> None:
    every = fma_sample.choose(tracks, 800, GENRES)
    some = fma_sample.choose(tracks, 200, ("Rock", "Folk"))
    assert ids(some) == ids(every[every["genre"].isin(["Rock", "Folk"])])


def test_a_sample_is_the_same_everywhere() -> None:
    """By SHA-256, so no library's random numbers and no order of the table play a part."""
    table = pd.DataFrame({"track_id": [str(number) for number in range(100)], "album": ""})
    table["artist"] = [f"Artist {number % 7}" for number in range(100)]
    table["genre"] = ["Folk" if number % 3 else "Rock" for number in range(100)]
    chosen = fma_sample.choose(table, 8, ("Rock", "Folk"))
    mixed = fma_sample.choose(table.sample(frac=1, random_state=1), 8, ("Folk", "Rock"))
    assert ids(mixed) == ids(chosen) == EXPECTED
    assert ids(fma_sample.choose(table, 8, ("Rock", "Folk"), seed=1)) != EXPECTED


def test_a_sample_becomes_a_library(tmp_path: Path, url: str, site: Site) -> None:
    found = fma_sample.fetch(tmp_path, 40, url=url)
    source = library.load(tmp_path)
    assert source.tabled
    assert source.skipped == ()
    assert list(source.tracks["track_id"]) == list(found.tracks["track_id"])
    assert len(source.tracks) == 40
    assert clips(tmp_path) == {int(name): CLIPS[int(name)] for name in source.tracks["track_id"]}
    known = dict(ROWS)
    for track in source.tracks.itertuples():
        facts = known[int(track.track_id)]
        assert track.file == name_of(int(track.track_id))
        assert (track.title, track.artist) == (facts["track", "title"], facts["artist", "name"])
        assert track.genre == facts["track", "genre_top"]
        assert track.licence == (facts["track", "license"] or NO_LICENCE)
        assert track.url == f"Free Music Archive (freemusicarchive.org), track {track.track_id} of FMA"
        assert track.track_duration_s == "168"
    assert set(source.tracks["licence"]) == {licence or NO_LICENCE for licence in LICENCES}


def test_only_what_is_needed_is_fetched(tmp_path: Path, url: str, site: Site) -> None:
    tables, sample = fma_sample.fetch(tmp_path, 40, url=url).archives
    assert (tables.archive, tables.fetched) == ("fma_metadata.zip", 2)
    assert tables.downloaded < tables.archive_size - 450_000
    assert (sample.archive, sample.fetched, sample.archive_size) == (
        "fma_small.zip",
        40,
        len(site.files["/fma_small.zip"]),
    )
    assert sorted(path.name for path in (tmp_path / "fma_metadata").iterdir()) == [
        "genres.csv",
        "tracks.csv",
    ]


def test_a_larger_sample_fetches_the_difference(tmp_path: Path, url: str, site: Site) -> None:
    fma_sample.fetch(tmp_path, 40, url=url)
    before, written = len(site.asked), (tmp_path / "tracks.csv").stat().st_mtime_ns
    again = fma_sample.fetch(tmp_path, 40, url=url)
    assert len(site.asked) == before
    assert [item.fetched for item in again.archives] == [0, 0]
    assert (tmp_path / "tracks.csv").stat().st_mtime_ns == written
    more = fma_sample.fetch(tmp_path, 64, url=url).archives
    assert [(item.fetched, item.kept) for item in more] == [(0, 2), (24, 40)]
    assert len(library.load(tmp_path).tracks) == 64
    fma_sample.fetch(tmp_path, 16, url=url)
    assert len(library.load(tmp_path).tracks) == 16
    assert len(clips(tmp_path)) == 64


def test_broken_clips_are_left_out(tmp_path: Path, site: Site, url: str) -> None:
    ids_ = [2, 3, *sorted(fma.BROKEN)[:5]]
    rows = [row(number, "Folk", f"Artist {number}") for number in ids_]
    rows.append(row(9, "Folk", "Of another set", subset="large"))
    site.files["/fma_metadata.zip"] = metadata_archive(tmp_path / "made", rows)
    site.files["/fma_small.zip"] = clips_archive(dict.fromkeys(ids_, b"clip"))
    found = fma_sample.fetch(tmp_path / "out", 8, ("Folk",), url=url)
    assert ids(found.tracks) == {"2", "3"}


def test_no_table_before_all_clips_are_there(tmp_path: Path, url: str, site: Site) -> None:
    site.files["/fma_small.zip"] = site.files["/fma_small.zip"][:-9]
    with pytest.raises(FetchError, match="damaged"):
        fma_sample.fetch(tmp_path, 40, url=url)
    assert not (tmp_path / "tracks.csv").exists()
    assert not (tmp_path / "CREDITS.md").exists()


@pytest.mark.parametrize("name", ["tracks.csv", "CREDITS.md"])
def test_a_folder_with_a_table_of_its_own(tmp_path: Path, url: str, site: Site, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(FetchError, match="isn't a sample's"):
        fma_sample.fetch(tmp_path, 40, url=url)
    assert (tmp_path / name).read_text() == "mine"
    assert site.asked == []


def test_tables_that_are_not_fmas(tmp_path: Path, site: Site, url: str) -> None:
    rows = [row(2, "Folk", "Ann", split="another")]
    site.files["/fma_metadata.zip"] = metadata_archive(tmp_path / "made", rows)
    with pytest.raises(LibraryError, match="not the table that FMA publishes"):
        fma_sample.fetch(tmp_path / "out", 8, url=url)


def test_every_clip_is_credited(tmp_path: Path, url: str) -> None:
    found = fma_sample.fetch(tmp_path, 40, url=url)
    text = (tmp_path / "CREDITS.md").read_text(encoding="utf-8")
    parts = {part.splitlines()[0]: part.splitlines()[2:] for part in text.split("\n## ")[1:]}
    assert set(parts) == set(found.tracks["licence"])
    for track in found.tracks.itertuples():
        line = f"- {track.artist}: {track.title} ({track.album}), track {track.track_id}"
        assert line in parts[track.licence]
    assert sum(len(lines) for lines in parts.values()) == 40


def test_the_command(capsys: Capture, tmp_path: Path, url: str) -> None:
    arguments = ("fetch", "fma-sample", "--dir", tmp_path, "--url", f"{url}/", "--tracks", 20)
    found = document(capsys, *arguments, "--genres", "hip-hop, Pop")
    assert found["dir"] == str(tmp_path)
    assert found["tracks"] == 20
    assert found["artists"] == artists.count(library.load(tmp_path).tracks)
    assert found["genres"] == {"Hip-Hop": 10, "Pop": 10}
    assert sum(found["licences"].values()) == 20
    assert [item["archive"] for item in found["archives"]] == ["fma_metadata.zip", "fma_small.zip"]
    code, out, err = run(capsys, *arguments)
    assert (code, err) == (0, "")
    assert "20 tracks by" in out
    assert "fma_metadata.zip: 2 files, all there already\n" in out
    assert "fma_small.zip: " in out
    assert f"{tmp_path / 'CREDITS.md'} has the artists and the " in out
    assert "no more than these" not in out


def test_the_command_says_if_there_are_not_enough_artists(
    capsys: Capture, tmp_path: Path, url: str
) -> None:
    _, out, _ = run(capsys, "fetch", "fma-sample", "--dir", tmp_path, "--url", url, "--tracks", 160)
    assert "FMA has no more than these with at most 3 tracks by an artist." in out
    assert len(library.load(tmp_path).tracks) < 160


def test_the_command_reports_errors(
    capsys: Capture, tmp_path: Path, url: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "--genres has 'jazz'" in complaint(capsys, 2, "fetch", "fma-sample", "--genres", "Pop,Jazz")
    assert "--genres has ''" in complaint(capsys, 2, "fetch", "fma-sample", "--genres", "")
    assert "at least 8" in complaint(capsys, 2, "fetch", "fma-sample", "--tracks", 7)
    assert "are for fma-sample" in complaint(capsys, 2, "fetch", "fma-small", "--tracks", 7)
    complaint(capsys, 2, "fetch", "fma-sample", "--tracks", 0)
    complaint(capsys, 2, "fetch", "fma-sample", "--url", "ftp://host")
    complaint(capsys, 1, "fetch", "fma-sample", "--url", f"{url}/nowhere")
    site.ranges = False
    assert "doesn't serve parts" in complaint(capsys, 1, "fetch", "fma-sample", "--url", url)
    assert not list((tmp_path / "fma" / "sample").iterdir())
