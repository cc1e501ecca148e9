"""Which folders may be indexed from a page: named ones and those below, wherever links and dots lead."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.datasets import library
from soundalike.errors import LibraryError
from soundalike.index import music_files
from soundalike.indexing import sources


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two named folders, what is beside them, and links in and out."""
    root = tmp_path_factory.mktemp("tree").resolve()
    for folder in (
        "music/jazz/old",
        "music/.hidden",
        "music/#recycle",
        "music2/rock",
        "musical",
        "disk",
    ):
        (root / folder).mkdir(parents=True)
    (root / "music" / "a.wav").write_bytes(b"x")
    (root / "music" / "out").symlink_to(root / "disk")
    (root / "music" / "up").symlink_to(root)
    (root / "music" / "across").symlink_to(root / "music2" / "rock")
    (root / "music" / "loop").symlink_to(root / "music" / "loop")
    (root / "musical" / "in").symlink_to(root / "music" / "jazz")
    (root / "shortcut").symlink_to(root / "music2")
    return root


@pytest.fixture(autouse=True)
def named(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The second is named by a link.
    folders = (tree / "music", tree / "shortcut", tree / "gone")
    monkeypatch.setenv(music_files.VARIABLE, os.pathsep.join(map(str, folders)))


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("music", "music"),
        ("music/jazz/old", "music/jazz/old"),
        ("music/jazz/../jazz", "music/jazz"),
        ("disk/../music", "music"),
        ("music/across", "music2/rock"),
        ("musical/in", "music/jazz"),
        ("music/up/music/jazz", "music/jazz"),
        ("shortcut/rock", "music2/rock"),
        ("music2", "music2"),
    ],
)
def test_inside(tree: Path, path: str, where: str) -> None:
    assert sources.checked(tree / path) == tree / where


@pytest.mark.parametrize(
    "path",
    [
        *("", "musical", "disk", "music/..", "music/../disk", "music/jazz/../../musical", "music/out"),
        *(
            "music/up",
            "music/up/disk",
            "music/out/more",
            "/",
            "/etc",
            "music3",
            "no/such",
            "music\0/jazz",
        ),
    ],
)
def test_outside(tree: Path, path: str) -> None:
    with pytest.raises(LibraryError, match="may not be indexed") as caught:
        sources.checked(tree / path)
    # It isn't told whether there is such a folder, nor where.
    assert str(tree) not in str(caught.value)


@pytest.mark.parametrize("path", ["gone", "music/none", "music/a.wav"])
def test_inside_but_not_there(tree: Path, path: str) -> None:
    with pytest.raises(LibraryError, match="is gone") as caught:
        sources.checked(tree / path)
    assert str(tree) not in str(caught.value)


_PARTS = ("..", ".", "music", "music2", "musical", "jazz", "out", "up", "across", "in", "rock", "disk")


@given(st.lists(st.sampled_from(_PARTS), max_size=7))
def test_whatever_is_taken_lies_in_a_named_folder(tree: Path, parts: list[str]) -> None:
    path = tree.joinpath(*parts)
    real = Path(os.path.realpath(path))
    inside = any(real == one or one in real.parents for one in (tree / "music", tree / "music2"))
    if inside and real.is_dir():
        assert sources.checked(path) == real
        return
    with pytest.raises(LibraryError):
        sources.checked(path)


def test_nothing_may_be_indexed_without_the_variable(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ("", os.pathsep):
        monkeypatch.setenv(music_files.VARIABLE, value)
        assert sources.named() == []
        assert sources.below(tree / "music") == []
        with pytest.raises(LibraryError):
            sources.checked(tree / "music")
    monkeypatch.delenv(music_files.VARIABLE)
    with pytest.raises(LibraryError):
        sources.checked(tree / "music")


def test_what_is_offered(tree: Path) -> None:
    assert sources.named() == [tree / "music", tree / "music2"]
    assert [path.name for path in sources.below(tree / "music")] == ["across", "jazz"]
    assert sources.below(tree / "music" / "jazz" / "old") == []
    assert sources.below(tree / "gone") == []


def test_folders_are_shown_without_the_path_to_them(tree: Path) -> None:
    assert sources.shown(tree / "music") == "music"
    assert sources.shown(tree / "music" / "jazz" / "old") == "music/jazz/old"
    assert sources.shown(tree / "elsewhere") == "elsewhere"


def test_links_out_of_the_named_folders_are_skipped(tree: Path) -> None:
    (tree / "disk" / "secret.wav").write_bytes(b"x")
    (tree / "music2" / "rock" / "b.wav").write_bytes(b"x")
    (tree / "music" / "c.wav").symlink_to(tree / "disk" / "secret.wav")
    found = library.find(tree / "music", music_files.named_folders())
    assert sorted(found.tracks["file"]) == ["a.wav", "across/b.wav"]
    reasons = {item.file: item.reason for item in found.skipped}
    assert reasons.keys() == {"c.wav", "loop", "out", "up"}
    assert "leads out of the folders" in reasons["c.wav"]
    # The command line goes wherever its user may.
    assert "c.wav" in set(library.find(tree / "music").tracks["file"])


def test_a_table_that_is_a_link_out_is_refused(tree: Path) -> None:
    (tree / "disk" / "tracks.csv").write_text("password\nsecret\n")
    folder = tree / "music" / "tabled"
    folder.mkdir()
    (folder / "tracks.csv").symlink_to(tree / "disk" / "tracks.csv")
    with pytest.raises(LibraryError, match="leads out of the folders") as caught:
        library.find(folder, music_files.named_folders())
    assert "password" not in str(caught.value)
