"""Which files of an index that may come from anyone a server hands out."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_library import write_index, write_tone

from soundalike import paths
from soundalike.errors import IndexFolderError, LibraryError
from soundalike.index import index as indices
from soundalike.index import music_files
from soundalike.index.index import Index
from soundalike.index.music_files import MusicFolders, checked, of_owner
from soundalike.index.track_table import TrackTable

SECRET = b"root:x:0:0:root:/root:/bin/bash\n"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library with one track, beside where `opened` has its index."""
    write_tone(tmp_path / "library" / "0.wav", "pcm_s16le")
    return tmp_path / "library"


@pytest.fixture
def opened(tmp_path: Path, library: Path) -> Index:
    made = write_index(tmp_path / "index", {"vgg_mel": np.eye(3, 8)})
    return indices.load(made.folder, music=of_owner(made.folder))


@pytest.fixture(autouse=True)
def default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(music_files.VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


Naming = Callable[..., Index]


@pytest.fixture
def naming(opened: Index) -> Naming:
    """The index with another library folder or another file of its first track."""

    def make(folder: Path | str = "../library", file: str = "0.wav") -> Index:
        manifest = opened.manifest | {"library": {"folder": str(folder), "fingerprint": ""}}
        tracks = opened.tracks.assign(file=[file, "1.wav", "2.wav"])
        return replace(opened, manifest=manifest, table=TrackTable.of(tracks))

    return make


def test_a_track_beside_its_index(opened: Index, library: Path) -> None:
    assert opened.is_playable
    assert opened.file(0) == library / "0.wav"
    with pytest.raises(LibraryError, match=r"1\.wav is no longer in the library's folder"):
        opened.file(1)


def test_any_file_of_the_server(naming: Naming, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere" / "secret.wav"
    write_tone(secret, "pcm_s16le")
    foreign = naming("/", str(secret).lstrip("/"))
    assert not foreign.is_playable
    with pytest.raises(LibraryError, match="can name the folder in SOUNDALIKE_MUSIC"):
        foreign.file(0)
    for file in ("../elsewhere/secret.wav", str(secret)):
        with pytest.raises(LibraryError, match="is a link out of the library's folder"):
            naming(file=file).file(0)


@pytest.mark.parametrize("above", ["..", "../..", "/"])
def test_folders_above_an_index_are_not_beside_it(above: str, naming: Naming) -> None:
    assert not naming(above).is_playable


def test_links_are_looked_at_when_a_file_is_handed_out(naming: Naming, library: Path) -> None:
    found = naming(file="link.wav")
    (library / "link.wav").symlink_to("0.wav")
    assert found.file(0) == library / "0.wav"
    outside = library.parent / "outside.wav"
    (library / "0.wav").rename(outside)
    (library / "link.wav").unlink()
    (library / "link.wav").symlink_to(outside)
    with pytest.raises(LibraryError, match="is a link out of the library's folder"):
        found.file(0)


def test_links_into_a_folder_that_the_owner_named(
    naming: Naming, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = library.parent / "more"
    write_tone(more / "a.wav", "pcm_s16le")
    (library / "link.wav").symlink_to(more / "a.wav")
    monkeypatch.setenv(music_files.VARIABLE, os.pathsep.join([str(library), str(more)]))
    found = replace(naming(file="link.wav"), music=of_owner(library.parent / "index"))
    assert found.file(0) == more / "a.wav"


def test_only_folders_that_the_owner_named(
    opened: Index, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(music_files.VARIABLE, str(library.parent / "other"))
    assert not of_owner(opened.folder).allow(library)
    monkeypatch.setenv(music_files.VARIABLE, f"{library.parent / 'other'}{os.pathsep}{library.parent}")
    assert of_owner(opened.folder).allow(library)
    assert of_owner(opened.folder).allow(paths.LIBRARY)


def test_folders_beside_the_index_and_the_bundled_library_by_default(tmp_path: Path) -> None:
    folders = of_owner(tmp_path / "indexes" / "index")
    assert folders.allow(tmp_path / "indexes" / "music")
    assert folders.allow(tmp_path / "indexes" / "index" / "clips")
    assert folders.allow(paths.LIBRARY)
    assert not folders.allow(Path.home() / "Music")
    assert not folders.allow(tmp_path / "library")


def test_nothing_lies_beside_an_index_at_the_root(tmp_path: Path) -> None:
    assert not of_owner(Path("/index")).allow(Path("/etc"))
    assert not MusicFolders(()).allow(tmp_path)


@pytest.mark.parametrize("name", ["a.wav", "a.html", "a", "passwd"])
def test_only_audio_with_an_audio_ending(name: str, library: Path) -> None:
    write_tone(library / "a.wav", "pcm_s16le")
    audio = (library / "a.wav").read_bytes()
    (library / name).write_bytes(SECRET if name == "a.wav" else audio)
    with pytest.raises(LibraryError, match="is not an audio file"):
        checked(name, library, None)


@pytest.mark.parametrize("name", ["..", ".", "a\0b.wav", "loop.wav", "gone/0.wav"])
def test_what_is_no_file(name: str, library: Path) -> None:
    (library / "loop.wav").symlink_to("loop.wav")
    with pytest.raises(LibraryError, match="is no longer in the library's folder"):
        checked(name, library, None)


def test_the_command_line_reads_any_audio_file(opened: Index, naming: Naming, library: Path) -> None:
    own = replace(naming("/", str(library / "0.wav").lstrip("/")), music=None)
    assert own.is_playable
    assert own.file(0) == library / "0.wav"


def test_a_server_opens_no_index_with_links_out_of_it(opened: Index, tmp_path: Path) -> None:
    (tmp_path / "card.md").write_bytes(SECRET)
    (opened.folder / "model_genre_head.md").symlink_to(tmp_path / "card.md")
    with pytest.raises(IndexFolderError, match="is a link out of the index; put a copy"):
        indices.load(opened.folder, music=opened.music)
    assert indices.load(opened.folder)
