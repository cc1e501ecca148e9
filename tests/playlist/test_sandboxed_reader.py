from __future__ import annotations

import re

import pytest

from soundalike.playlist import file_reader, listing_file, sandboxed_reader
from soundalike.playlist.listing_file import ListingError, Reference

LISTS = {
    "a.m3u8": b"#EXTM3U\n#EXTINF:3,A - T\na.mp3\n",
    "a.csv": b"track_id,title,artist\n0001,T,A\n",
    "a.xspf": b"<playlist><trackList><track><title>T</title></track></trackList></playlist>",
    "a.jspf": b'{"playlist": {"track": [{"title": "T"}]}}',
    "a.pls": b"[playlist]\nFile1=a.mp3\nLength1=12\n",
    "a.wpl": b'<?wpl version="1.0"?><smil><media src="a.mp3"/></smil>',
    "a.xml": b"<plist><dict><key>Tracks</key><dict><key>1</key><dict><key>Name</key><string>T</string>"
    b"</dict></dict></dict></plist>",
}


def read(content: bytes, name: str) -> tuple[Reference, ...]:
    return sandboxed_reader.read(content, name, "visitor", lambda ahead: None)


def attributes(count: int) -> bytes:
    names = b" ".join(b'a%d=""' % number for number in range(count))
    return b"<playlist><trackList><track %b/></trackList></playlist>" % names


@pytest.mark.parametrize("name", LISTS)
def test_same_entries_as_in_this_process(name: str) -> None:
    assert read(LISTS[name], name) == file_reader.read(LISTS[name], name) != ()


def test_nothing_is_parsed_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(file_reader, "read")
    assert len(read(LISTS["a.xspf"], "a.xspf")) == 1


@pytest.mark.parametrize("content", [b"", b"<a/>", b"\0", b"PK\x03\x04", b"a" * 5_000_001])
def test_same_messages(content: bytes) -> None:
    with pytest.raises(ListingError) as expected:
        file_reader.read(content, "a.m3u8")
    with pytest.raises(ListingError) as caught:
        read(content, "a.m3u8")
    assert str(caught.value) == str(expected.value)


def test_a_tag_of_many_attributes_is_refused() -> None:
    with pytest.raises(ListingError, match="too many elements or attributes"):
        read(attributes(100_000), "a.xspf")
    assert len(read(attributes(20), "a.xspf")) == 1


def test_a_document_of_many_elements_is_refused() -> None:
    with pytest.raises(ListingError, match="too many elements or attributes"):
        read(b"<playlist>" + b"<a/>" * 1_000_000 + b"</playlist>", "a.xspf")


def test_long_texts_are_cut() -> None:
    (entry,) = read(b"title\n" + b"a" * 100_000 + b"\n", "a.csv")
    assert len(entry.title) == listing_file.MAX_CHARACTERS


def test_a_failing_process_gives_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise sandboxed_reader.sandbox.SandboxError("This file crashed the decoder.", "died")

    monkeypatch.setattr(sandboxed_reader.sandbox, "call", fail)
    with pytest.raises(ListingError) as caught:
        read(b"a.mp3", "a\nb.m3u8")
    assert re.fullmatch(
        r"a b\.m3u8 takes too long or too much memory to read\. Split it\.", str(caught.value)
    )


@pytest.mark.parametrize("found", [None, 3, [[1, 2]], ["abc"], [{}], [["", None, "", "", "x"]]])
def test_nonsense_from_a_process_is_refused(found: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandboxed_reader.sandbox, "call", lambda *arguments: found)
    with pytest.raises(ListingError, match="cannot be read"):
        read(b"a.mp3", "a.m3u8")
