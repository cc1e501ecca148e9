"""Tags are read from wherever a file has them, in one order of precedence."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import mutagen.apev2
import mutagen.id3
import mutagen.wave
import pytest
from audio_files import FORMATS, encoded, sine, stereo
from bombs import riff_chunk

from soundalike.audio import decoding, tags

SAID = {"title": "Case Title", "artist": "Case Artist", "album": "Case Album", "genre": "Folk"}
FRAMES = {"title": "TIT2", "artist": "TPE1", "album": "TALB", "genre": "TCON", "year": "TDRC"}
WAV_HEAD = 12
"""Bytes of a WAV file before its first chunk."""


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Write a file and return its path."""

    def make(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return make


def file_of(name: str, **tags: str) -> bytes:
    """Four seconds of a tone in a format of `mutations`."""
    return encoded(stereo(sine(4)), 48_000, *FORMATS[name], tags=tags)


def id3(**said: str) -> bytes:
    """An ID3v2 tag."""
    tag = mutagen.id3.ID3()
    for name, text in said.items():
        tag.add(getattr(mutagen.id3, FRAMES[name])(3, [text]))
    file = io.BytesIO()
    tag.save(file)
    return file.getvalue()


def with_ape(content: bytes, **said: str) -> bytes:
    """A file with an APEv2 tag behind it."""
    file = io.BytesIO(content)
    tag = mutagen.apev2.APEv2()
    for name, text in said.items():
        tag[name.title()] = text
    tag.save(file)
    return file.getvalue()


def with_chunk(wav: bytes, chunk: bytes, at: int | None = None) -> bytes:
    """A WAV file with another chunk, at its end by default."""
    at = len(wav) if at is None else at
    made = wav[:at] + chunk + wav[at:]
    return made[:4] + struct.pack("<I", len(made) - 8) + made[8:]


def chunk(kind: bytes, content: bytes) -> bytes:
    return riff_chunk(kind, len(content), content + bytes(len(content) % 2))


def info(**said: bytes) -> bytes:
    """An INFO list of WAV."""
    return chunk(b"LIST", b"INFO" + b"".join(chunk(k.encode(), v + b"\0") for k, v in said.items()))


STRAY = chunk(b"junk", b"x" * 33) + chunk(b"bext", bytes(602))
INFO = info(INAM=b"Case Title", IART=b"Case Artist", IPRD=b"Case Album", IGNR=b"Folk")


def bare_wav() -> bytes:
    """A WAV file without any other chunk than format and data."""
    content = file_of("wav-s16")
    start = content.index(b"fmt ")
    data = content.index(b"data")
    return with_chunk(content[:WAV_HEAD] + content[start : start + 24] + content[data:], b"")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda: with_chunk(bare_wav(), INFO), id="INFO behind the sound"),
        pytest.param(lambda: with_chunk(bare_wav(), INFO, WAV_HEAD), id="INFO before the format"),
        pytest.param(lambda: with_chunk(bare_wav(), STRAY + INFO), id="INFO behind strays"),
        pytest.param(lambda: with_chunk(bare_wav(), chunk(b"id3 ", id3(**SAID))), id="id3"),
        pytest.param(lambda: with_chunk(bare_wav(), chunk(b"ID3 ", id3(**SAID))), id="ID3"),
        pytest.param(lambda: with_chunk(bare_wav(), STRAY + chunk(b"id3 ", id3(**SAID))), id="strays"),
        pytest.param(
            lambda: with_chunk(bare_wav(), b"\0\0\0\0" + chunk(b"id3 ", id3(**SAID))), id="zeros"
        ),
        pytest.param(
            lambda: with_chunk(
                bare_wav(), riff_chunk(b"junk", 33, b"x" * 33) + chunk(b"id3 ", id3(**SAID))
            ),
            id="a chunk without its padding",
        ),
    ],
)
def test_wav(content: Callable[[], bytes], put: Callable[[str, bytes], Path]) -> None:
    assert tags.read(put("x.wav", content())) == SAID


@pytest.mark.parametrize("suffix", ["mp3", "MP3", "bin"])
def test_ape_alone_on_mp3(suffix: str, put: Callable[[str, bytes], Path]) -> None:
    content = with_ape(file_of("mp3").removeprefix(b"ID3"), **SAID, year="1999")
    path = put(f"x.{suffix}", content)
    assert tags.read(path) == SAID | {"year": "1999"}


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("aac", "aac"), ("flac", "flac"), ("mp2", "mp2"), ("mp3", "mp3"), ("ogg-vorbis", "ogg")],
)
def test_id3_before_any_format(name: str, suffix: str, put: Callable[[str, bytes], Path]) -> None:
    assert tags.read(put(f"x.{suffix}", id3(**SAID) + file_of(name))) == SAID


def test_id3_before_a_gap_of_zeros(put: Callable[[str, bytes], Path]) -> None:
    content = id3(**SAID) + bytes(1_300_000) + file_of("mp3")
    path = put("x.mp3", content)
    assert tags.read(path) == SAID
    clip = decoding.decode(path)
    assert clip.duration == pytest.approx(4.0, abs=0.1)
    assert clip.notes == ()


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        *(("webm-opus", "webm"), ("webm-opus", "weba"), ("mka-flac", "mka"), ("mka-eac3", "mka")),
        *(("wma-2", "wma"), ("m4a-aac", "m4a"), ("m4a-aac", "m4b"), ("wav-s16", "wav")),
        *(("ogg-opus", "opus"), ("ogg-flac", "oga"), ("mp4-ac3", "mp4"), ("flac", "bin")),
    ],
)
def test_tags_that_encoders_write(name: str, suffix: str, put: Callable[[str, bytes], Path]) -> None:
    assert tags.read(put(f"x.{suffix}", file_of(name, **SAID))) == SAID


def test_aiff_with_id3(put: Callable[[str, bytes], Path]) -> None:
    path = put("x.aiff", file_of("aiff-s16"))
    file = mutagen.File(path)
    file.add_tags()
    for name, text in SAID.items():
        file.tags.add(getattr(mutagen.id3, FRAMES[name])(3, [text]))
    file.save()
    assert tags.read(path) == SAID


def test_the_first_place_that_has_a_tag_wins(put: Callable[[str, bytes], Path]) -> None:
    ape = {"title": "APE", "artist": "APE", "album": "APE"}
    path = put("x.mp3", with_ape(id3(title="ID3", artist="ID3") + file_of("mp3"), **ape))
    assert tags.read(path) == {"title": "ID3", "artist": "ID3", "album": "APE"}


def test_the_container_wins_over_id3_in_front_of_it(put: Callable[[str, bytes], Path]) -> None:
    path = put("x.flac", id3(title="ID3", album="ID3") + file_of("flac", title="Own", artist="Own"))
    assert tags.read(path) == {"title": "Own", "artist": "Own", "album": "ID3"}


def test_id3_wins_over_info(put: Callable[[str, bytes], Path]) -> None:
    wav = with_chunk(bare_wav(), info(INAM=b"INFO", IPRD=b"INFO"))
    path = put("x.wav", with_chunk(wav, chunk(b"id3 ", id3(title="ID3"))))
    assert tags.read(path) == {"title": "ID3", "album": "INFO"}


def test_info_in_the_encoding_of_windows(put: Callable[[str, bytes], Path]) -> None:
    wav = with_chunk(bare_wav(), info(INAM="Café – Élan".encode("cp1252"), IART="Zoë".encode()))
    assert tags.read(put("x.wav", wav)) == {"title": "Café – Élan", "artist": "Zoë"}
