"""Tests of finding the links of a chained Ogg file."""

from __future__ import annotations

import io

import numpy as np
import pytest
from audio_files import FORMATS, encoded, sine, stereo
from bombs import ogg_page

from soundalike.audio import decoding, ogg_links


def vorbis(seconds: float = 4.0, sample_rate: int = 48_000) -> bytes:
    return encoded(stereo(sine(seconds, sample_rate)), sample_rate, *FORMATS["ogg-vorbis"])


@pytest.mark.parametrize("junk", [b"", b"ID3" + bytes(300), b"OggX" * 20_000])
def test_links_start_where_files_do(junk: bytes) -> None:
    parts = [vorbis(1.0), vorbis(2.0), vorbis(1.5)]
    ends = np.cumsum([len(junk), *map(len, parts)])
    assert ogg_links.starts(io.BytesIO(junk + b"".join(parts))) == [0, int(ends[1]), int(ends[2])]


def test_damage_between_links_is_part_of_the_earlier_one() -> None:
    first, second = vorbis(1.0), vorbis(1.0)
    content = first[:-50] + bytes(70_000) + second
    assert ogg_links.starts(io.BytesIO(content)) == [0, len(content) - len(second)]


def test_streams_that_begin_together_are_one_link() -> None:
    pages = [ogg_page([b"a"], 0, 0, 2), ogg_page([b"b"], 0, 0, 2), ogg_page([b"c"], 0, 1, 0)]
    assert ogg_links.starts(io.BytesIO(b"".join(pages))) == [0]


@pytest.mark.parametrize("content", [b"", b"OggS", b"OggS" + bytes(10), b"Ogg" * 100, bytes(200_000)])
def test_other_files_are_one_link(content: bytes) -> None:
    assert ogg_links.starts(io.BytesIO(content)) == [0]


def test_the_number_of_links_is_bounded() -> None:
    pages = (ogg_page([b"a"], 0, 0, 2) + ogg_page([b"b"], 0, 1, 0)) * (2 * ogg_links.MOST)
    assert len(ogg_links.starts(io.BytesIO(pages))) == ogg_links.MOST + 1


def test_only_the_first_of_many_links_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ogg_links, "MOST", 2)
    clip = decoding.decode(vorbis(2.0) * 4)
    assert clip.duration == pytest.approx(4.0, abs=0.1)
    assert clip.notes == ("We used only the first part of the file, as the rest is in another form.",)


def test_a_link_is_a_file_of_its_own() -> None:
    link = ogg_links.Link(io.BytesIO(b"0123456789"), 3, 7)
    assert (link.read(2), link.tell(), link.read(), link.read()) == (b"34", 2, b"56", b"")
    assert (link.seek(1), link.read(1), link.seek(-1, io.SEEK_END), link.read()) == (1, b"4", 3, b"6")
    assert (link.seek(-9), link.seek(2), link.seek(1, io.SEEK_CUR), link.read()) == (0, 2, 3, b"6")
    assert ogg_links.Link(io.BytesIO(b"0123456789"), 8, None).read() == b"89"


def test_a_link_of_another_codec_ends_the_file() -> None:
    speex = b"Speex   1.2" + bytes(17) + np.array([1, 80, 8_000, 4, 4, 1, -1, 160], "<i4").tobytes()
    other = ogg_page([speex + bytes(20)], 0, 0, 2) + ogg_page([b"x" * 20] * 3, 480, 1, 4)
    clip = decoding.decode(vorbis() + other)
    assert clip.duration == pytest.approx(4.0, abs=0.1)
    assert len(clip.notes) == 1
