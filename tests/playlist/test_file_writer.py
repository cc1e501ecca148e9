"""Playlist file output, checked with third-party parsers and a player."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import unicodedata
import zipfile
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import m3u8
import pandas as pd
import pytest
import xspf_lib
from hypothesis import example, given, settings
from hypothesis import strategies as st
from made_up_listings import KINDS, LISTS, NASTY, item, listing, listings, nasty, write_clips, written

from soundalike import paths
from soundalike.foreign_text import from_cell
from soundalike.index import index
from soundalike.index.index import Index
from soundalike.index.track_table import TrackTable
from soundalike.playlist import file_writer
from soundalike.playlist.file_writer import Item, Listing, label, one_line

LIBRARY = Path("/library")
XSPF = {"": file_writer.XSPF_NAMESPACE}


@pytest.fixture(scope="module")
def bundled() -> Index:
    return index.load(paths.ASSETS / "index")


def text(made: Listing, kind: str, beside: Path | None = None) -> str:
    return file_writer.write(made, kind, LIBRARY, beside).decode()


def xspf(made: Listing) -> Any:
    return xspf_lib.Playlist.parse(io.BytesIO(file_writer.write(made, "xspf", LIBRARY)))


def jspf(made: Listing) -> Any:
    return json.loads(text(made, "jspf"))["playlist"]


def table(made: Listing) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text(made, "csv"), newline="")))


def packed(made: Listing, folder: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(file_writer.write(made, "zip", folder)))


@given(made=listings())
def test_m3u8_by_the_parser_of_globo_com(made: Listing) -> None:
    segments = m3u8.loads(text(made, "m3u8")).segments
    assert len(segments) == len(made.items)
    for segment, one in zip(segments, made.items, strict=True):
        shown = label(one_line(one.title), one_line(one.artist))
        # It takes the name of the directive out of the whole line.
        assert segment.title == shown.replace("#EXTINF:", "")
        assert segment.duration == (-1 if one.seconds is None else round(one.seconds))
        assert segment.uri.strip() in (one.file.strip(), f"./{one.file}")


def test_m3u8_line_by_line() -> None:
    made = Listing("Evening", (item(1), item(2, album="", genre="", artist="", seconds=None)))
    assert text(made, "m3u8") == (
        "#EXTM3U\n#PLAYLIST:Evening\n"
        "#EXTINF:30,Artist 1 - Title 1\n#EXTALB:An album\n#EXTGENRE:Folk\nclips/0001.opus\n"
        "#EXTINF:-1,Title 2\nclips/0002.opus\n"
    )


def test_ambiguous_paths_in_m3u8() -> None:
    files = ("#1.opus", " 2.opus", "a\nb.opus", "50%/#a\r\nb.opus")
    made = listing(*(item(number, file=file) for number, file in enumerate(files)))
    lines = text(made, "m3u8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "./#1.opus",
        "./ 2.opus",
        "a%0Ab.opus",
        "50%25/%23a%0D%0Ab.opus",
    ]


@given(made=listings())
def test_xspf_by_the_parser_of_xspf_lib(made: Listing) -> None:
    playlist = xspf(made)
    assert (playlist.title or "") == one_line(made.title)
    assert playlist.creator == "Soundalike"
    facts = {unquote(meta.rel.removeprefix("soundalike:meta:")): meta.content for meta in playlist.meta}
    recipe = {one_line(name): one_line(fact) for name, fact in made.recipe.items()}
    assert facts == {name: fact for name, fact in recipe.items() if fact}
    for track, one in zip(playlist.trackList, made.items, strict=True):
        assert (track.title or "") == one_line(one.title)
        assert (track.creator or "") == one_line(one.artist)
        assert (track.album or "") == one_line(one.album)
        assert track.duration == (None if one.seconds is None else round(1000 * one.seconds))
        assert track.location == [one.file]
        assert track.identifier == [f"soundalike:track:{one.track_id}"]


@given(made=listings())
def test_xspf_uris_are_valid(made: Listing) -> None:
    # Of RFC 3986, which characters there may be, and that % begins an escape.
    characters = re.compile(r"(?:[A-Za-z0-9._~:/?#@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
    root = ElementTree.fromstring(text(made, "xspf"))
    uris = [
        found.text
        for tag in ("location", "identifier", "info")
        for found in root.iterfind(f".//{tag}", XSPF)
    ]
    uris += [found.get("rel") for found in root.iterfind(".//meta", XSPF)]
    assert all(uri and characters.fullmatch(uri) for uri in uris)
    assert not any(urlsplit(found.text).scheme for found in root.iterfind(".//location", XSPF))


def test_xspf_element_order() -> None:
    root = ElementTree.fromstring(text(listing(item(), seeds="0235"), "xspf"))
    assert root.attrib == {"version": "1"}
    names = [child.tag.rpartition("}")[2] for child in root]
    assert names == ["title", "creator", "annotation", "meta", "trackList"]
    track = [child.tag.rpartition("}")[2] for child in root[-1][0]]
    assert track[:5] == ["location", "identifier", "title", "creator", "annotation"]
    assert track[5:] == ["info", "album", "duration", "meta", "meta", "meta"]


@pytest.mark.parametrize(
    ("source", "info"),
    [
        ("https://example.org/a b", "https://example.org/a%20b"),
        ("HTTP://example.org/100%/%41", "HTTP://example.org/100%25/%41"),
        ("ftp://example.org", None),
        ("javascript:alert(1)", None),
        ("debian package", None),
        ("https://", None),
        ("", None),
    ],
)
def test_info_is_web_address_only(source: str, info: str | None) -> None:
    made = listing(item(source=source))
    assert xspf(made).trackList[0].info == info
    assert jspf(made)["track"][0].get("info") == info


@given(made=listings())
def test_jspf_equals_xspf(made: Listing) -> None:
    root = ElementTree.fromstring(text(made, "xspf"))
    playlist = jspf(made)
    assert as_fields(root, "trackList") == {key: playlist[key] for key in playlist if key != "track"}
    tracks = root.findall("trackList/track", XSPF)
    for track, fields in zip(tracks, playlist["track"], strict=True):
        assert as_fields(track) == {
            **fields,
            **({"duration": str(fields["duration"])} if "duration" in fields else {}),
        }


def as_fields(element: ElementTree.Element, without: str = "") -> dict[str, Any]:
    """An element of XSPF as JSPF has it: what there can be several of is a list."""
    fields: dict[str, Any] = {}
    for child in element:
        name = child.tag.rpartition("}")[2]
        if name == "meta":
            fields.setdefault(name, []).append({child.get("rel"): child.text})
        elif name in ("location", "identifier"):
            fields.setdefault(name, []).append(child.text)
        elif name != without:
            assert name not in fields
            fields[name] = child.text
    return fields


@given(made=listings())
def test_csv_by_two_parsers(made: Listing) -> None:
    rows = table(made)
    content = file_writer.write(made, "csv", LIBRARY)
    frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    assert tuple(frame.columns) == file_writer.COLUMNS
    assert len(frame) == len(rows) == len(made.items)
    for row, one in zip(rows, made.items, strict=True):
        assert tuple(row) == file_writer.COLUMNS
        for name in ("title", "artist", "album", "genre", "licence"):
            assert from_cell(row[name]) == one_line(getattr(one, name))
        assert from_cell(row["track_id"]) == one.track_id
        assert from_cell(row["file"]) == one.file
        assert bool(row["seconds"]) == (one.seconds is not None)
        assert bool(row["similarity"]) == (one.similarity is not None)


def test_a_spreadsheet_computes_no_title_and_no_path() -> None:
    made = listing(
        item(title='=HYPERLINK("x")', artist="-1+2", file="+1.opus"),
        item(title="@A1", genre="'=", track_id="-7", similarity=-0.5),
    )
    content = text(made, "csv")
    assert content.startswith("track_id,title,artist,album,genre,licence,file,seconds,similarity\r\n")
    one, other = table(made)
    assert (one["title"], one["artist"], one["file"]) == ('\'=HYPERLINK("x")', "'-1+2", "'+1.opus")
    assert (other["title"], other["genre"], other["track_id"]) == ("'@A1", "''=", "'-7")
    assert other["similarity"] == "-0.5000"
    assert content.endswith(",clips/0001.opus,29.600,-0.5000\r\n")


@given(raw=nasty())
@example("\ud800 lone surrogate")
def test_one_line_is_valid_in_every_format(raw: str) -> None:
    line = one_line(raw)
    assert len(line.splitlines()) <= 1
    assert line == line.strip() == one_line(line)
    assert (ElementTree.fromstring(f"<a>{escape(line)}</a>".encode()).text or "") == line


def test_one_line_keeps_plain_text() -> None:
    assert (
        one_line("カノン\u3000二長調 \u202eabc e\u0301  x") == "カノン\u3000二長調 \u202eabc e\u0301  x"
    )
    assert one_line("a \r\n b\x00c ") == "a b c"


@pytest.mark.parametrize("kind", LISTS)
def test_paths_relative_to_list(tmp_path: Path, kind: str) -> None:
    library, lists = tmp_path / "music" / "library", tmp_path / "lists"
    made = listing(item(file="clips/a.opus"))
    assert "clips/a.opus" in file_writer.write(made, kind, library).decode()
    assert "../music" not in file_writer.write(made, kind, library).decode()
    assert "../music/library/clips/a.opus" in file_writer.write(made, kind, library, lists).decode()


def test_path_from_symlinked_folder(tmp_path: Path) -> None:
    (tmp_path / "far" / "away" / "lists").mkdir(parents=True)
    (tmp_path / "lists").symlink_to(tmp_path / "far" / "away" / "lists")
    library = write_clips(tmp_path / "library", listing(item()))
    content = file_writer.write(listing(item()), "m3u8", library, tmp_path / "lists").decode()
    assert (tmp_path / "lists" / content.splitlines()[-1]).read_bytes() == b"clips/0001.opus"


@settings(max_examples=40)
@given(made=listings())
def test_zip_contents(made: Listing) -> None:
    with TemporaryDirectory() as folder:
        archive = packed(made, write_clips(Path(folder), made))
    names = archive.namelist()
    assert archive.testzip() is None
    assert len(set(names)) == len(names) == len(made.items) + 4
    assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
    assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    uris = [segment.uri for segment in m3u8.loads(archive.read("playlist.m3u8").decode()).segments]
    rows = csv.DictReader(io.StringIO(archive.read("playlist.csv").decode(), newline=""))
    locations = [
        unquote(found.text or "")
        for found in ElementTree.fromstring(archive.read("playlist.xspf")).iterfind(".//location", XSPF)
    ]
    assert uris == [from_cell(row["file"]) for row in rows] == locations
    assert [archive.read(uri).decode() for uri in uris] == [one.file for one in made.items]


@given(
    title=nasty(),
    artist=nasty(),
    suffix=st.sampled_from([".opus", "", ".a b", ".\u202e", "." + "x" * 200]),
)
def test_safe_names_in_zip(title: str, artist: str, suffix: str) -> None:
    folder, slash, name = file_writer._clip_name(
        "01", item(title=title, artist=artist, file=f"a{suffix}")
    ).partition("/")
    assert (folder, slash) == ("clips", "/")
    assert name.startswith("01")
    assert not set(name) & set('<>:"/\\|?*')
    assert not any(unicodedata.category(one).startswith("C") for one in name)
    assert not name.endswith((" ", "."))
    assert len(name.encode()) <= 255


def test_zip_credits(tmp_path: Path) -> None:
    made = listing(item(1), item(2, artist="", album="", licence="", source=""), item(3), seeds="0235")
    folder = write_clips(tmp_path, replace(made, items=made.items[:2]))
    archive = packed(made, folder)
    assert archive.namelist()[:2] == ["clips/01 Artist 1 - Title 1.opus", "clips/02 Title 2.opus"]
    assert archive.read("CREDITS.txt").decode() == (
        "A playlist\n\nMade with Soundalike (seeds: 0235).\n"
        "Each clip keeps its own licence, which is listed with it.\n\n"
        "01 Artist 1 - Title 1.opus\nTitle: Title 1\nArtist: Artist 1\nAlbum: An album\n"
        "Licence: CC-BY-4.0\nSource: https://example.org/1\n\n"
        "02 Title 2.opus\nTitle: Title 2\nArtist: unknown\nAlbum: unknown\n"
        "Licence: not listed in the library\nSource: not listed in the library\n\n"
        "Left out (unreadable file): Artist 3 - Title 3 (clips/0003.opus)\n"
    )
    assert b"Title 3" not in archive.read("playlist.m3u8")


def test_zip_without_clips(tmp_path: Path) -> None:
    archive = packed(listing(), tmp_path)
    assert archive.namelist() == ["playlist.m3u8", "playlist.xspf", "playlist.csv", "CREDITS.txt"]
    assert archive.read("playlist.m3u8") == b"#EXTM3U\n#PLAYLIST:A playlist\n"
    assert b"(" not in archive.read("CREDITS.txt")


@pytest.mark.parametrize("kind", KINDS)
def test_output_is_deterministic(tmp_path: Path, kind: str) -> None:
    made = Listing(NASTY[-1], tuple(item(i, title=title) for i, title in enumerate(NASTY)), {"a": "b"})
    assert written(made, kind, tmp_path / "a") == written(made, kind, tmp_path / "b")


def test_unknown_kind() -> None:
    with pytest.raises(ValueError, match="one of m3u8, xspf, jspf, csv, zip, not 'pls'"):
        file_writer.write(listing(item()), "pls", LIBRARY)


def test_format_metadata() -> None:
    assert tuple(file_writer.FORMATS) == KINDS
    for kind, described in file_writer.FORMATS.items():
        assert described.suffix == f".{kind}"
        assert re.fullmatch(r"[a-z]+/[a-z+]+", described.mime)
        assert described.title.startswith(kind.upper())


def test_listing_from_library(bundled: Index) -> None:
    made = file_writer.of_rows(bundled, [4, 1], [0.5, 0.25], "Evening", {"representation": "soundalike"})
    assert (made.title, made.recipe) == ("Evening", {"representation": "soundalike"})
    assert [one.track_id for one in made.items] == [
        bundled.fact("track_id", 4),
        bundled.fact("track_id", 1),
    ]
    assert [one.similarity for one in made.items] == [0.5, 0.25]
    assert made.items[1].licence == bundled.fact("licence", 1) != ""
    assert made.items[1].seconds == float(bundled.fact("duration_s", 1))
    assert made.items[1].source == ""
    assert (bundled.library_folder / made.items[1].file).is_file()
    assert file_writer.of_rows(bundled, [1]).items[0].similarity is None


@pytest.mark.parametrize(
    ("duration", "seconds"), [("30.5", 30.5), ("", None), ("nan", None), ("long", None)]
)
def test_unknown_duration(bundled: Index, duration: str, seconds: float | None) -> None:
    tracks = bundled.tracks.head(1).assign(duration_s=duration, url="https://example.org")
    found = file_writer.of_rows(replace(bundled, table=TrackTable.of(tracks)), [0]).items[0]
    assert (found.seconds, found.source) == (seconds, "https://example.org")


def test_similarities_length_mismatch(bundled: Index) -> None:
    with pytest.raises(ValueError, match="zip"):
        file_writer.of_rows(bundled, [1, 2], [0.5])


def test_mpv_plays_the_m3u8(bundled: Index, tmp_path: Path) -> None:
    mpv = shutil.which("mpv")
    if mpv is None:
        pytest.skip("needs the player mpv, which .ci/run installs")
    made = file_writer.of_rows(bundled, [0, 1], title="Ünïcode")
    library, lists = tmp_path / "library", tmp_path / "my lists"
    lists.mkdir()
    odd = tuple(odd_copy(bundled, one, library) for one in made.items)
    path = lists / "evening.m3u8"
    path.write_bytes(file_writer.write(replace(made, items=odd), "m3u8", library, lists))
    quiet = ["--no-config", "--ao=null", "--vid=no", "--length=0.3", "--term-status-msg="]
    shown = "--term-playing-msg=PLAYS ${path} AS ${playlist/0/title} THEN ${playlist/1/title}"
    run = subprocess.run(
        [mpv, *quiet, shown, path], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    titles = " THEN ".join(label(one.title, one.artist) for one in odd)
    played = re.findall("^PLAYS (.*) AS (.*)$", run.stdout, re.MULTILINE)
    assert played == [(f"{lists}/../library/{one.file}", titles) for one in odd]


def odd_copy(bundled: Index, one: Item, library: Path) -> Item:
    """The track, its clip copied into a library where its path is full of what means something."""
    odd = replace(one, file=f"#1, 100% & 'more'/{one.track_id} ü - [x].opus")
    (library / odd.file).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(bundled.library_folder / one.file, library / odd.file)
    return odd
