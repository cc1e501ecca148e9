"""Playlists as other players and services write them: every entry is found in the library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import pytest
from small_library import write_index

from soundalike.index.index import Index
from soundalike.index.track_table import TrackTable
from soundalike.playlist import file_reader
from soundalike.playlist.entry_matching import Resolved, resolve
from soundalike.playlist.listing_file import Reference, artist_and_title, length

TRACKS = (
    ("Chelsea Moon/[2013] Pain/01 - Feral Song.mp3", "Feral Song", "Chelsea Moon"),
    ("Müller & Söhne/Live/02 Don’t Stop – Live.flac", "Don’t Stop – Live", "Müller & Söhne"),
    ("Stacey K/Waters/03 Les eaux de mars.ogg", "Les eaux de mars", "Stacey K"),
    ("100%/50%20off.mp3", "50%20off", "Percent"),
    ("Weeknd/Blinding/Blinding Lamps.m4a", "Blinding Lamps", "The Weekdays, Other One"),
    ("#hash/#1 hit.mp3", "#1 hit", "Hash"),
    ("Японец/東京 2 夜.flac", "東京の夜", "Японец"),
    ("Dash - Band/A - B.mp3", "A - B", "Dash - Band"),
)
WESTERN = 6
"""Number of tracks whose names Windows' Western encoding can write."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("players") / "index"
    made = write_index(folder, {"vgg_mel": np.eye(len(TRACKS), 8)})
    files, titles, artists = zip(*TRACKS, strict=True)
    lengths = [f"{180 + row}.25" for row in range(len(TRACKS))]
    tracks = made.tracks.assign(file=files, title=titles, artist=artists, duration_s=lengths)
    return replace(made, table=TrackTable.of(tracks))


def windows(file: str) -> str:
    return "E:\\My Stuff\\Music\\" + file.replace("/", "\\")


def uri(file: str) -> str:
    return "file:///home/me/Music/" + quote(file)


def lines(write: Callable[[str], str], count: int = len(TRACKS), end: str = "\r\n") -> str:
    return end.join(write(file) for file, _, _ in TRACKS[:count])


def table(header: str, write: Callable[[str, str], str]) -> str:
    return "\n".join([header, *(write(title, artist) for _, title, artist in TRACKS)])


def xspf(write: Callable[[str], str], encoding: str = "UTF-8") -> str:
    tracks = lines(lambda file: f"<track><location>{write(file)}</location></track>", end="")
    return (
        f'<?xml version="1.0" encoding="{encoding}"?>\n<playlist version="1" '
        f'xmlns="http://xspf.org/ns/0/"><trackList>{tracks}</trackList></playlist>'
    )


def extinf(title: str, artist: str) -> str:
    return f'#EXTINF:-1 tvg-id="1" group-title="a,b",{artist} - {title}\nhttp://server/stream/0'


def itunes() -> str:
    tracks = "".join(
        f"<key>{number}</key><dict><key>Track ID</key><integer>{number}</integer>"
        f"<key>Name</key><string>{escape(title)}</string>"
        f"<key>Total Time</key><integer>{1_000 * (180 + number)}</integer>"
        f"<key>Location</key><string>file://localhost/C:/Music/{quote(file)}</string></dict>"
        for number, (file, title, _) in enumerate(TRACKS)
    )
    items = "".join(
        f"<dict><key>Track ID</key><integer>{number}</integer></dict>" for number in range(len(TRACKS))
    )
    every = "<dict><key>Track ID</key><integer>0</integer></dict>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE plist PUBLIC "-//Apple Computer//DTD PLIST 1.0//EN" '
        '"http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0"><dict>'
        f"<key>Tracks</key><dict>{tracks}</dict><key>Playlists</key><array>"
        f"<dict><key>Master</key><true/><key>Playlist Items</key><array>{every}</array></dict>"
        f"<dict><key>Name</key><string>x</string><key>Playlist Items</key><array>{items}</array></dict>"
        "</array></dict></plist>"
    )


def wpl() -> str:
    media = lines(lambda file: f"<media src={quoteattr(windows(file))}/>", end="")
    return f'<?wpl version="1.0"?>\n<smil><head/><body><seq>{media}</seq></body></smil>'


def rhythmbox() -> str:
    entries = lines(lambda file: f"<location>{escape(uri(file))}</location>", end="\n")
    return f'<?xml version="1.0"?>\n<rhythmdb-playlists><playlist name="x" type="static">{entries}' + (
        '</playlist><playlist name="y" type="queue"/></rhythmdb-playlists>'
    )


def pls() -> str:
    parts = [
        f"File{number}={windows(file)}\nTitle{number}={artist} - {title}\nLength{number}=180"
        for number, (file, title, artist) in enumerate(TRACKS, start=1)
    ]
    return "\n".join(["[playlist]", *reversed(parts), f"NumberOfEntries={len(TRACKS)}", "Version=2"])


def quoted(title: str, artist: str) -> str:
    return f'"spotify:track:0","{title}","spotify:artist:x","{artist}","Album"'


LISTS: dict[str, tuple[str, bytes]] = {
    "UTF-16 with a mark": ("a.m3u", ("\ufeff#EXTM3U\r\n" + lines(windows)).encode("utf-16-le")),
    "UTF-16, the other way round": ("a.m3u", ("\ufeff" + lines(windows)).encode("utf-16-be")),
    "UTF-8 with a mark": ("a.m3u", lines(windows).encode("utf-8-sig")),
    "line ends of old Macs": ("a.m3u8", lines(windows, end="\r").encode()),
    "other case": ("a.m3u8", lines(lambda file: windows(file).lower()).encode()),
    "attributes of EXTINF": ("a.m3u8", table("#EXTM3U", extinf).encode()),
    "dash of typographers": (
        "a.m3u8",
        table("#EXTM3U", lambda title, artist: f"#EXTINF:9,{artist} – {title}\nx").encode(),
    ),
    "XSPF in UTF-16": ("a.xspf", xspf(uri, "UTF-16").encode("utf-16")),
    "XSPF encoded once": ("a.xspf", xspf(uri).encode()),
    "XSPF encoded twice": ("a.xspf", xspf(lambda file: quote(uri(file), safe=":/")).encode()),
    "Exportify": (
        "a.csv",
        table('"Track URI","Track Name","Artist URI(s)","Artist Name(s)","Album Name"', quoted).encode(),
    ),
    "Excel's first line": (
        "a.csv",
        table("sep=;\ntitle;artist", lambda title, artist: f"{title};{artist}").encode("utf-8-sig"),
    ),
    "Excel in UTF-16": (
        "a.csv",
        table("title\tartist", lambda title, artist: f"{title}\t{artist}").encode("utf-16"),
    ),
    "a space after a comma": (
        "a.csv",
        table("TITLE, ARTIST", lambda title, artist: f'"{title}", "{artist}"').encode(),
    ),
    "iTunes' text": (
        "a.txt",
        table("Name\tArtist\tTime", lambda title, artist: f"{title}\t{artist}\t180")
        .replace("\n", "\r")
        .encode("utf-16"),
    ),
    "iTunes' XML": ("a.xml", itunes().encode()),
    "Windows Media Player": ("a.wpl", wpl().encode()),
    "Rhythmbox": ("a.xml", rhythmbox().encode()),
    "PLS": ("a.pls", pls().encode()),
}


@pytest.mark.parametrize("name", LISTS)
def test_every_entry_is_found_in_order(library: Index, name: str) -> None:
    file, content = LISTS[name]
    assert resolve(library, file_reader.read(content, file)) == Resolved(list(range(8)), [], 0)


@pytest.mark.parametrize("file", ["a.m3u", "a.m3u8"])
def test_lists_in_the_encoding_of_windows(library: Index, file: str) -> None:
    content = lines(windows, WESTERN).encode("cp1252")
    assert resolve(library, file_reader.read(content, file)) == Resolved(list(range(WESTERN)), [], 0)


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("#EXTINF:12,A - B", Reference("x", None, "B", "A", 12.0)),
        ("#EXTINF:12.5, A - B", Reference("x", None, "B", "A", 12.5)),
        ("#extinf:-1,B", Reference("x", None, "B", "")),
        ("#EXTINF:,B", Reference("x", None, "B", "")),
        ('#EXTINF:1 a="b, c" d=e,A, B - C', Reference("x", None, "C", "A, B", 1.0)),
        ('#EXTINF:1 a="b,A - B', Reference("x", None, "B", "A")),
        ("#EXTINF:1", Reference("x", None, "", "")),
    ],
)
def test_extinf(line: str, entry: Reference) -> None:
    assert file_reader.read(f"#EXTM3U\n{line}\nx\n".encode(), "a.m3u8") == (entry,)


def test_a_long_line_of_spaces_takes_no_time() -> None:
    text = "#EXTM3U\n#EXTINF:" + " " * 4_000_000 + "\nx\n"
    assert file_reader.read(text.encode(), "a.m3u8") == (Reference("x", None, "", ""),)


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("A - B - C", ("A", "B - C")),
        ("A – B", ("A", "B")),
        ("A – B - C", ("A – B", "C")),
        ("A-B", ("", "A-B")),
        ("", ("", "")),
    ],
)
def test_artist_and_title(text: str, pair: tuple[str, str]) -> None:
    assert artist_and_title(text) == pair


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("180", 180.0), ("3:05", 185.0), ("1:00:01", 3601.0), ("0.5", 0.5), (" 12 ", 12.0)),
        *(("-1", None), ("", None), ("nan", None), ("inf", None), ("long", None), ("9" * 400, None)),
    ],
)
def test_lengths(text: str, seconds: float | None) -> None:
    assert length(text) == seconds


def test_lengths_of_services_are_in_milliseconds() -> None:
    text = "Track Name,Artist Name(s),Track Duration (ms)\nA,B,181000\n"
    assert file_reader.read(text.encode(), "a.csv")[0].seconds == pytest.approx(181)


def test_what_is_missing_is_listed_by_name(library: Index) -> None:
    text = "#EXTM3U\n" + "".join(f"#EXTINF:9,A - Song {i}\n{i}.mp3\n" for i in range(6))
    found = resolve(library, file_reader.read(text.encode(), "a.m3u8"))
    assert found.missing == [f"A - Song {i}" for i in range(6)]
