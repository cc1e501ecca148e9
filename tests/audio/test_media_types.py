from __future__ import annotations

import io
import wave
import zipfile

import pytest
from audio_files import FORMATS, Encode, sine, stereo

from soundalike import paths
from soundalike.audio import decoding, media_types


def test_every_accepted_ending_has_an_audio_type() -> None:
    assert set(media_types.BY_ENDING) == {f".{ending}" for ending in decoding.EXTENSIONS}
    assert all(
        kind.startswith("audio/") for kind in (*media_types.BY_ENDING.values(), media_types.OTHER)
    )


@pytest.mark.parametrize("name", FORMATS)
def test_accepted_containers_are_audio(name: str, encode: Encode) -> None:
    content = encode(stereo(sine(4), sine(4)), 48_000, *FORMATS[name])
    assert media_types.is_audio(content[: media_types.HEAD_BYTES])
    assert decoding.probe(content)


def test_bundled_clips_are_audio() -> None:
    clips = list((paths.LIBRARY / "clips").iterdir())
    assert all(media_types.is_audio(clip.read_bytes()[: media_types.HEAD_BYTES]) for clip in clips)


def test_padding_before_mp3_is_allowed(encode: Encode) -> None:
    mp3 = encode(sine(4), 48_000, "mp3", "libmp3lame")
    frames = mp3[mp3.index(b"\xff\xfb") :]
    assert media_types.is_audio(frames)
    assert media_types.is_audio(bytes(500) + frames)


def others() -> dict[str, bytes]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a", "b")
    return {
        "nothing": b"",
        "zeros": bytes(100),
        "text": b"root:x:0:0:root:/root:/bin/bash\n",
        "page": b"<!DOCTYPE html><script>alert(1)</script>",
        "key": b"-----BEGIN OPENSSH PRIVATE KEY-----\n",
        "settings": b"[server]\nport = 1\n",
        "database": b"SQLite format 3\0",
        "program": b"\x7fELF\x02\x01\x01",
        "picture": b"\x89PNG\r\n\x1a\n",
        "photograph": b"\xff\xd8\xff\xe0\0\x10JFIF",
        "text in UTF-16": "\ufeffabc".encode("utf-16-le"),
        "video": b"RIFF\x10\0\0\0AVI LIST",
        "archive": archive.getvalue(),
        "playlist": b"#EXTM3U\n/etc/passwd\n",
        "array": b"\x93NUMPY\x01\0",
    }


@pytest.mark.parametrize("name", others())
def test_other_files_are_not_audio(name: str) -> None:
    assert not media_types.is_audio(others()[name])


def test_wav_by_the_standard_library_is_audio() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setparams((1, 2, 44_100, 0, "NONE", ""))
    assert media_types.is_audio(file.getvalue())
