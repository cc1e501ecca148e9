"""Tests of reading tags."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import mutagen
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_library import write_tone

from soundalike.audio import tags

SAID = {"title": "Élan", "artist": "Ann", "album": "Blue", "genre": "Folk", "date": "1987-03-01"}


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("mp3", "libmp3lame"), ("m4a", "aac"), ("ogg", "libopus"), ("opus", "libopus"), ("flac", "flac")],
)
def test_every_format(tmp_path: Path, suffix: str, codec: str) -> None:
    path = write_tone(tmp_path / f"x.{suffix}", codec, SAID)
    found = tags.read(path)
    assert tags.of_upload(path.read_bytes(), "x") == found
    assert found == {"title": "Élan", "artist": "Ann", "album": "Blue", "genre": "Folk", "year": "1987"}


def test_a_file_without_tags(tmp_path: Path) -> None:
    assert tags.read(write_tone(tmp_path / "x.wav", "pcm_s16le")) == {}


@pytest.mark.parametrize(
    "content", [b"", b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f", b"fLaC" + bytes(40), b"text"]
)
def test_broken_files_have_no_tags(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.mp3").write_bytes(content)
    assert tags.read(tmp_path / "x.mp3") == {}


def test_missing_file(tmp_path: Path) -> None:
    assert tags.read(tmp_path / "x.mp3") == {}


def test_several_values_and_numbered_genres(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "x.flac", "flac")
    file = mutagen.File(path)
    file["artist"] = ["Ann", "Ben", "Ann"]
    file["genre"] = ["", "Folk", "Rock"]
    file["date"] = ["soon", "recorded 1999, issued 2004"]
    file.save()
    assert tags.read(path) == {"artist": "Ann, Ben", "genre": "Folk", "year": "1999"}


def test_unprintable_characters_are_removed(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "x.flac", "flac")
    file = mutagen.File(path)
    file["title"] = " a\r\n\tb\0c\u202ed\x1b[31me "
    file["artist"] = "\0\x01"
    file["album"] = "<b>" + "x" * 5_000
    file.save()
    found = tags.read(path)
    assert found["title"] == "a bcd[31me"
    assert "artist" not in found
    assert len(found["album"]) == tags.MAX_CHARACTERS
    assert found["album"].startswith("<b>xxx")
    assert found["album"].endswith("x…")


@given(st.text())
def test_clean_text_is_one_short_line_and_idempotent(text: str) -> None:
    line = tags.clean(text)
    assert len(line) <= tags.MAX_CHARACTERS
    assert len(line.splitlines()) <= 1
    assert line == line.strip()
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in line)
    assert tags.clean(line) == line


def test_writing_in_any_script_is_kept() -> None:
    for text in ("Ζωή — Αθήνα", "日本語の曲", "شادي", "👩‍🎤 live"):
        assert tags.clean(text) == text
