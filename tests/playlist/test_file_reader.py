"""Playlist file parsing: round trips, files of other programs, and invalid files."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_listings import KINDS, LISTS, item, listing, listings, written

from soundalike.playlist import file_reader, file_writer, listing_file
from soundalike.playlist.file_writer import Listing, label, one_line
from soundalike.playlist.listing_file import ListingError, Reference

LIBRARY = Path("/library")
XSPF = '<playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList>{}</trackList></playlist>'
TRACK = "<track><location>{}</location></track>"


def read(text: str | bytes, name: str = "list.m3u8") -> tuple[Reference, ...]:
    return file_reader.read(text.encode() if isinstance(text, str) else text, name)


def shown(references: tuple[Reference, ...]) -> list[str]:
    return [label(one.title, one.artist) for one in references]


def locations(references: tuple[Reference, ...]) -> list[str]:
    return [one.location for one in references]


def zipped(*files: tuple[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, text in files:
            archive.writestr(name, text)
    return content.getvalue()


def encrypted() -> bytes:
    content = bytearray(zipped(("a.m3u8", "a.mp3")))
    content[6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


# Round trips


@given(made=listings())
def test_round_trip_of_formats_with_ids(made: Listing) -> None:
    for kind in ("xspf", "jspf", "csv"):
        found = file_reader.read(file_writer.write(made, kind, LIBRARY), f"list.{kind}")
        assert [(one.track_id, one.title, one.artist) for one in found] == [
            (one.track_id, one_line(one.title), one_line(one.artist)) for one in made.items
        ]


@given(made=listings())
def test_round_trip_of_m3u8(made: Listing) -> None:
    found = file_reader.read(file_writer.write(made, "m3u8", LIBRARY), "list.m3u8")
    spaceless = [shown.replace(" ", "") for shown in shown(found)]
    assert spaceless == [
        label(one_line(one.title), one_line(one.artist)).replace(" ", "") for one in made.items
    ]
    assert [one.location.removeprefix("./").strip() for one in found] == [
        one.file.strip() for one in made.items
    ]


@settings(max_examples=40)
@given(made=listings())
def test_round_trip_of_zip(made: Listing) -> None:
    with TemporaryDirectory() as folder:
        found = file_reader.read(written(made, "zip", Path(folder)), "list.zip")
    assert [(one.track_id, one.title, one.artist) for one in found] == [
        (one.track_id, one_line(one.title), one_line(one.artist)) for one in made.items
    ]


# What other programs write


@pytest.mark.parametrize("name", ["list", "list.txt", "list.m3u", "list.csv", "list.json"])
@pytest.mark.parametrize("kind", KINDS)
def test_format_detected_from_content(tmp_path: Path, kind: str, name: str) -> None:
    made = listing(item(1), item(2))
    assert shown(file_reader.read(written(made, kind, tmp_path), name)) == [
        "Artist 1 - Title 1",
        "Artist 2 - Title 2",
    ]


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_byte_order_marks_and_line_ends(kind: str, newline: str, mark: str) -> None:
    text = file_writer.write(listing(item(1), item(2)), kind, LIBRARY).decode().replace("\r\n", "\n")
    found = read(mark + text.replace("\n", newline), f"list.{kind}")
    assert shown(found) == ["Artist 1 - Title 1", "Artist 2 - Title 2"]


def test_plain_m3u() -> None:
    found = read("# a comment\n\nC:\\Music\\a.mp3\n  b c.mp3  \n[x]/d.mp3\n", "list.m3u")
    assert locations(found) == ["C:\\Music\\a.mp3", "b c.mp3", "[x]/d.mp3"]
    assert shown(found) == ["", "", ""]


def test_title_applies_to_next_path_only() -> None:
    found = read('#EXTM3U\n#EXTINF:-1 logo="x",A - B - C\n#EXTALB:D\na.mp3\nb.mp3\n')
    assert [(one.artist, one.title) for one in found] == [("A", "B - C"), ("", "")]


def test_m3u_in_the_encoding_of_windows() -> None:
    content = "#EXTM3U\n#EXTINF:1,Björk - Jóga\nJóga.mp3\n".encode("latin-1")
    for name in ("LIST.M3U", "list.m3u8", "list"):
        assert shown(file_reader.read(content, name)) == ["Björk - Jóga"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_spreadsheet_tables(delimiter: str) -> None:
    rows = [["Title", "Year", " ARTIST "], ["One, two; three", "1999", "Me"], ["", "", ""], ["Four"]]
    lines = [delimiter.join(f'"{cell}"' for cell in row) for row in rows]
    found = read("\n".join(lines), "list.csv")
    assert [(one.title, one.artist, one.track_id) for one in found] == [
        ("One, two; three", "Me", None),
        ("Four", "", None),
    ]


def test_single_column_table() -> None:
    assert locations(read("file\na.mp3\n", "list.csv")) == ["a.mp3"]
    assert locations(read("file\na.mp3\n", "list.m3u")) == ["file", "a.mp3"]


def test_xspf_with_unused_elements() -> None:
    found = read(
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!-- by hand -->\n'
        '<p:playlist version="1" xmlns:p="http://xspf.org/ns/0/" xmlns:v="http://example.org/">'
        "<p:title>Title of the list</p:title><p:trackList><p:track>"
        "<p:title> A &amp;\n<![CDATA[<B>]]></p:title><p:creator>\xe9</p:creator>"
        "<p:location>\n a%20b.mp3 </p:location><p:location>second.mp3</p:location>"
        "<p:identifier>urn:isbn:1</p:identifier><p:identifier> soundalike:track:0%2F1 </p:identifier>"
        '<p:extension application="x"><v:track><v:title>no</v:title></v:track></p:extension>'
        "</p:track><p:track/></p:trackList></p:playlist>".encode("latin-1"),
        "list.xspf",
    )
    assert found == (Reference("a%20b.mp3", "0/1", "A & <B>", "é"), Reference("", None, "", ""))


def test_jspf_of_other_programs() -> None:
    tracks = [
        {"location": "a.mp3", "title": "A", "creator": None, "identifier": "soundalike:track:1"},
        {"location": [], "identifier": ["urn:x", 3], "title": ["B"], "creator": {"name": "C"}},
        {"title": "\ud800"},
    ]
    assert read(json.dumps({"playlist": {"track": tracks}})) == (
        Reference("a.mp3", "1", "A", ""),
        Reference("", None, "B", ""),
        Reference("", None, "\ufffd", ""),
    )


def test_zip_prefers_list_with_ids() -> None:
    content = zipped(
        ("__MACOSX/._a.xspf", b"\0"),
        ("a.m3u8", "a.mp3"),
        ("deep/down/b.XSPF", XSPF.format(TRACK.format("c.mp3"))),
        ("deep/b.xspf", XSPF.format(TRACK.format("b.mp3"))),
        ("tracks.jpg", b"\0"),
    )
    assert locations(read(content)) == ["b.mp3"]


# What must be refused

BOMB = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
    + XSPF.format("<track><title>&i;</title></track>")
)
PLIST_TYPE = (
    '<!DOCTYPE plist PUBLIC "-//Apple Computer//DTD PLIST 1.0//EN" '
    '"http://www.apple.com/DTDs/PropertyList-1.0.dtd">'
)
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + XSPF.format(TRACK.format("&x;"))


def stating_another_size(content: bytes, size: int, stated: int) -> bytes:
    return content.replace(struct.pack("<I", size), struct.pack("<I", stated))


REFUSED: dict[str, tuple[str | bytes, str, str]] = {
    "nothing": ("", "list.m3u8", "is empty"),
    "blank": (" \r\n\t", "list.csv", "is empty"),
    "only comments": ("#EXTM3U\n#EXTINF:1,a\n", "list.m3u8", "contains no tracks"),
    "picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "list.m3u", "binary"),
    "UTF-16 without a mark": ("a.mp3\n".encode("utf-16-le"), "list.m3u8", "binary"),
    "half of UTF-16": ("\ufeffa.mp3\n".encode("utf-16-le")[:-1], "list.m3u8", "UTF-8"),
    "no encoding": (b"a\x81.mp3\n", "list.m3u8", "UTF-8"),
    "truncated XML": (XSPF.format(TRACK.format("a"))[:-30], "list.xspf", "damaged XML"),
    "XML of another kind": ("<html><body/></html>", "list.xspf", "is XML but not a playlist"),
    "XML of an unknown encoding": (
        b'<?xml version="1.0" encoding="x-y"?><a>\x81</a>',
        "a.xspf",
        "UTF-8",
    ),
    "XML of many bytes a letter": (b'<?xml version="1.0" encoding="gbk"?><a>\x81</a>', "a", "UTF-8"),
    "XSPF without tracks": (XSPF.format(""), "list.xspf", "contains no tracks"),
    "no XML by that name": ("track one", "list.xspf", "damaged XML"),
    "deep XML": ("<playlist>" * 101, "list.xspf", "nested too deeply"),
    "entities that expand": (BOMB, "list.xspf", "document type"),
    "entities from outside": (OUTSIDE, "list.xspf", "document type"),
    "entities in UTF-16": (BOMB.encode("utf-16"), "list.xspf", "document type"),
    "entities in a property list": (PLIST_TYPE + BOMB, "list.xml", "document type"),
    "a document type like a property list's": (
        PLIST_TYPE[:-1] + '[<!ENTITY a "b">]><plist/>',
        "list.xml",
        "document type",
    ),
    "property list of another kind": (PLIST_TYPE + "<plist><array/></plist>", "a.xml", "not a playlist"),
    "damaged property list": (PLIST_TYPE + "<plist><dict>", "a.xml", "damaged XML"),
    "large property list": (
        PLIST_TYPE + "<plist><array>" + "<i/>" * 1_000_000 + "</array></plist>",
        "a.xml",
        "too many elements",
    ),
    "PLS without files": ("[playlist]\nTitle1=A\n", "a.pls", "contains no tracks"),
    "truncated JSON": ('{"playlist": {"track": [', "list.jspf", "damaged JSON"),
    "JSON of another kind": ('{"tracks": []}', "list.json", "is JSON but not JSPF"),
    "JSON list": ("[1, 2]", "list.json", "is JSON but not JSPF"),
    "JSPF without a list": ('{"playlist": {"track": {"title": "a"}}}', "a.jspf", "is JSON but not JSPF"),
    "JSPF of strings": ('{"playlist": {"track": ["a"]}}', "a.jspf", "is JSON but not JSPF"),
    "JSPF without tracks": ('{"playlist": {"track": []}}', "a.jspf", "contains no tracks"),
    "deep JSON": ('{"a":' + "[" * 100_000, "list.jspf", "nested too deeply"),
    "long JSON number": ('{"a":' + "1" * 5_000 + "}", "list.jspf", "is JSON but not JSPF"),
    "JSON of many values": ('{"a":[' + "1," * 1_000_001 + "1]}", "list.jspf", "too much data"),
    "CSV without a column": ("colour,size\na,1\n", "list.csv", "needs a header row"),
    "CSV of artists": ("artist\nA\n", "list.csv", "needs a header row"),
    "CSV with a header alone": ("title,artist\n", "list.csv", "contains no tracks"),
    "CSV with an endless cell": ('title,artist\n"' + "a" * 200_000, "list.csv", "damaged table"),
    "no ZIP by that name": ("a.mp3", "list.zip", "is not a valid ZIP"),
    "truncated ZIP": (zipped(("a.m3u8", "a.mp3"))[:-9], "list.zip", "is not a valid ZIP"),
    "empty ZIP": (zipped(), "list.zip", "contains no playlist"),
    "ZIP without a list": (zipped(("a.mp3", b"\0")), "list.zip", "contains no playlist"),
    "encrypted ZIP": (encrypted(), "list.zip", "is encrypted"),
    "ZIP by another method": (
        zipped(("a.m3u8", "a.mp3"), compression=zipfile.ZIP_LZMA),
        "list.zip",
        "unsupported compression",
    ),
    "ZIP in a ZIP": (zipped(("a.m3u8", zipped(("b.m3u8", "b.mp3")))), "list.zip", "binary"),
    "bad list in a ZIP": (
        zipped(("a.xspf", "<a/>")),
        "list.zip",
        "list.zip, a.xspf is XML but not a playlist",
    ),
    "ZIP bomb": (zipped(("a.m3u8", b"a" * 5_000_001)), "list.zip", "larger than 5 MB"),
    "ZIP bomb that lies": (
        stating_another_size(zipped(("a.m3u8", b"a" * 40_000_000)), 40_000_000, 90),
        "list.zip",
        "is not a valid ZIP",
    ),
    "large list": (b"#" * 5_000_001, "list.m3u8", "larger than 5 MB"),
    "name of many lines": ("", "a\nb\r\nc.m3u8", "a b c.m3u8 is empty"),
    "no name": ("", "", "The file is empty"),
}


@pytest.mark.parametrize(("content", "name", "reason"), REFUSED.values(), ids=REFUSED)
def test_invalid_file_error_message(content: str | bytes, name: str, reason: str) -> None:
    with pytest.raises(ListingError) as caught:
        read(content, name)
    message = str(caught.value)
    assert reason in message
    assert re.search(r"\. (Choose|Split|Save|Create|Export) |needs a header row", message)
    assert message.endswith(".")
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("kind", LISTS)
def test_entry_limit(kind: str) -> None:
    made = listing(*(item(i) for i in range(listing_file.MAX_ENTRIES)))
    content = file_writer.write(made, kind, LIBRARY)
    assert len(file_reader.read(content, f"list.{kind}")) == listing_file.MAX_ENTRIES
    one_more = replace(made, items=(*made.items, item()))
    with pytest.raises(ListingError, match="more than 5,000 entries"):
        file_reader.read(file_writer.write(one_more, kind, LIBRARY), f"list.{kind}")


NAMES = st.sampled_from(["a", *(f"a{suffix}" for suffix in file_reader.SUFFIXES)])
BEGINNINGS = (
    b"",
    b"#EXTM3U\n",
    b"<playlist>",
    b'{"playlist":',
    b"title,artist\n",
    b"PK\x03\x04",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"[playlist]\nFile1=",
    b"<smil>",
    b"<plist>",
    b"sep=;\n",
    b"Track Name,Artist Name(s)\n",
)


@given(begin=st.sampled_from(BEGINNINGS), content=st.binary(max_size=300), name=NAMES | st.text())
def test_arbitrary_bytes(begin: bytes, content: bytes, name: str) -> None:
    read_or_refused(begin + content, name)


@given(data=st.data(), kind=st.sampled_from(KINDS))
def test_damaged_files(data: st.DataObject, kind: str) -> None:
    with TemporaryDirectory() as folder:
        content = bytearray(written(listing(item(1), item(2)), kind, Path(folder)))
    places = st.integers(0, len(content) - 1)
    for place, byte in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=4)):
        content[place] = byte
    end = data.draw(st.just(len(content)) | places)
    read_or_refused(bytes(content[:end]), f"list.{kind}")


def read_or_refused(content: bytes, name: str) -> None:
    found: tuple[Reference, ...] | list[str]
    try:
        found = file_reader.read(content, name)
    except ListingError as error:
        found = str(error).splitlines()
    assert isinstance(found, tuple) or len(found) == 1
    assert found


def test_zip_with_huge_offsets() -> None:
    content = zipped(("a.m3u8", "a.mp3"))
    directory, end = content.rindex(b"PK\x01\x02"), content.rindex(b"PK\x05\x06")
    extra = struct.pack("<HHQ", 1, 8, 2**64 - 1)
    entry = bytearray(content[directory:end] + extra)
    entry[30:32], entry[42:46] = struct.pack("<H", len(extra)), b"\xff" * 4
    ending = bytearray(content[end:])
    ending[12:16] = struct.pack("<I", len(entry))
    with pytest.raises(ListingError, match="is not a valid ZIP"):
        read(content[:directory] + bytes(entry) + bytes(ending))
