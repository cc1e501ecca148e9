"""An index from somebody else, in the app: what it shows, plays and packs of this server's files."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import synthetic_index
from small_library import write_tone
from streamlit.testing.v1 import AppTest

from soundalike import paths
from soundalike.index.index import Index
from soundalike.index.storage import TRACKS
from soundalike.playlist import file_writer
from soundalike.training import report
from soundalike.ui import components, server

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, str]]:
    """The content and the type of what gets an address."""
    files: list[tuple[bytes, str]] = []

    def add(content: bytes, kind: str, coordinates: str) -> str:
        files.append((content, kind))
        return "/media/1"

    manager = SimpleNamespace(add=add)
    monkeypatch.setattr(
        components.runtime, "get_instance", lambda: SimpleNamespace(media_file_mgr=manager)
    )
    return files


def foreign(folder: Path, library: Path | str, *files: str) -> Index:
    """An index whose first tracks are these files."""
    synthetic_index.write(folder, 20)
    tracks = pd.read_parquet(folder / TRACKS)
    tracks["file"] = [*files, *tracks["file"][len(files) :]]
    tracks.to_parquet(folder / TRACKS, index=False)
    manifest = json.loads((folder / paths.MANIFEST).read_text(encoding="utf-8"))
    manifest["library"]["folder"] = str(library)
    manifest["files"][TRACKS]["bytes"] = (folder / TRACKS).stat().st_size
    (folder / paths.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return server._open(str(folder), (0, 0))[0]


def packed(index: Index, count: int) -> dict[str, bytes]:
    listing = file_writer.of_rows(index, range(count))
    content = file_writer.write(
        listing, "zip", index.library_folder, clip=file_writer.checked_clips(index)
    )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_files_of_the_server_are_neither_played_nor_packed(tmp_path: Path, served: list[Any]) -> None:
    audio = write_tone(tmp_path / "private" / "memo.wav", "pcm_s16le")
    index = foreign(tmp_path / "index", "/", "etc/passwd", str(audio).lstrip("/"))
    assert [components.track_url(index, row) for row in range(2)] == ["", ""]
    assert served == []
    assert not any(name.startswith("clips/") for name in packed(index, 2))


def test_a_page_in_place_of_a_clip_is_not_served(tmp_path: Path, served: list[Any]) -> None:
    title = {"title": "<script>alert(1)</script>"}
    tone = write_tone(tmp_path / "library" / "a.mp3", "libmp3lame", title).read_bytes()
    for name in ("evil.html", "evil.svg", "evil"):
        (tmp_path / "library" / name).write_bytes(tone)
    (tmp_path / "library" / "page.mp3").write_bytes(b"<!DOCTYPE html><script>alert(1)</script>")
    files = ("a.mp3", "evil.html", "evil.svg", "evil", "page.mp3")
    index = foreign(tmp_path / "index", "../library", *files)
    assert [components.track_url(index, row) for row in range(5)] == ["/media/1", "", "", "", ""]
    assert served == [(tone, "audio/mpeg")]
    assert sum(name.startswith("clips/") for name in packed(index, 5)) == 1


@pytest.mark.parametrize("name", ["evil.html", "a.svg", "a", "a.WAV", "a.mp4"])
def test_an_upload_is_played_as_audio_whatever_its_name(name: str, served: list[Any]) -> None:
    assert components.audio_url(b"x", name)
    assert served[0][1].startswith("audio/")


def test_credits_are_no_link_and_from_an_allowed_folder(tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    index = foreign(tmp_path / "index", "../library")
    (library / "CREDITS.md").write_text("own", encoding="utf-8")
    assert report.library_credits(index) == "own"
    (library / "CREDITS.md").rename(tmp_path / "CREDITS.md")
    assert report.library_credits(foreign(tmp_path / "other", tmp_path)) == ""
    (library / "CREDITS.md").symlink_to(tmp_path / "CREDITS.md")
    assert report.library_credits(index) == ""


def test_the_page_says_what_to_do_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = foreign(tmp_path / "index", "/", "etc/passwd").folder
    monkeypatch.setenv("SOUNDALIKE_INDEX", str(folder))
    app = AppTest.from_file(str(ROOT / "pages" / "recommend.py"), default_timeout=60).run()
    assert not app.exception, app.exception
    assert [error.value.replace("\\", "") for error in app.error] == [
        "This library's music lies outside the folders that this server may play from. Its owner can "
        "name the folder in SOUNDALIKE_MUSIC."
    ]
    assert app.slider
