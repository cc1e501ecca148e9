"""Tests of the offered libraries, their order and their names."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import synthetic_index

from soundalike import paths
from soundalike.index import catalog


def index_at(folder: Path, **manifest: object) -> Path:
    folder.mkdir(parents=True)
    (folder / paths.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def offered(monkeypatch: pytest.MonkeyPatch, *named: Path) -> list[catalog.CatalogEntry]:
    monkeypatch.setenv("SOUNDALIKE_INDEX", os.pathsep.join(map(str, named)))
    return catalog.offered()


def test_only_the_bundled_index_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    (only,) = offered(monkeypatch)
    assert only == catalog.CatalogEntry("Starter library", paths.BUNDLED_INDEX)
    monkeypatch.delenv("SOUNDALIKE_INDEX")
    assert catalog.offered() == [only]
    assert paths.index_folder() == paths.BUNDLED_INDEX


def test_named_indexes_come_first_in_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    one, other = index_at(tmp_path / "rock"), index_at(tmp_path / "jazz")
    names = [library.name for library in offered(monkeypatch, one, other)]
    assert names == ["rock", "jazz", "Starter library"]
    assert paths.index_folder() == one


def test_a_folder_of_indexes_offers_each_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("b", "a", ".half-written"):
        index_at(tmp_path / name)
    (tmp_path / "no index").mkdir()
    assert [library.name for library in offered(monkeypatch, tmp_path)][:-1] == ["a", "b"]


def test_an_index_is_offered_once_however_often_it_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = index_at(tmp_path / "one")
    (tmp_path / "link").symlink_to(one)
    found = offered(monkeypatch, one, tmp_path / "link", tmp_path, paths.BUNDLED_INDEX)
    assert [library.folder for library in found] == [one, paths.BUNDLED_INDEX]


def test_the_apps_own_indexes_come_last_and_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    jazz, rock = index_at(tmp_path / "own" / "jazz"), index_at(tmp_path / "own" / "rock")
    index_at(tmp_path / "own" / ".soul.work")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert paths.own_indexes() == tmp_path / "data" / "soundalike" / "indexes"
    monkeypatch.setenv("SOUNDALIKE_OWN_INDEXES", str(tmp_path / "own"))
    assert [library.name for library in offered(monkeypatch)] == ["Starter library"]
    assert not catalog.is_own(jazz)
    # Only where music may be indexed.
    monkeypatch.setenv("SOUNDALIKE_MUSIC", str(tmp_path / "music"))
    assert [library.name for library in offered(monkeypatch)] == ["Starter library", "jazz", "rock"]
    named = [library.name for library in offered(monkeypatch, rock)]
    assert named == ["rock", "Starter library", "jazz"]
    assert catalog.is_own(jazz)
    assert not catalog.is_own(paths.BUNDLED_INDEX)


def test_a_folder_that_is_not_an_index_is_offered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    found = offered(monkeypatch, tmp_path / "gone", tmp_path / "file")
    assert [library.name for library in found] == ["gone", "file", "Starter library"]


def test_names_are_different_short_and_on_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    index_at(tmp_path / "a" / "index")
    index_at(tmp_path / "b", name="a")
    index_at(tmp_path / "c", name="Two\nlines \x00" + "x" * 200)
    index_at(tmp_path / "d", name=["no text"])
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / paths.MANIFEST).write_text("{")
    folders = [tmp_path / "a" / "index", *(tmp_path / name for name in "bcde")]
    names = [library.name for library in offered(monkeypatch, *folders)]
    assert names[:2] == ["a", "a (2)"]
    assert names[2].startswith("Two lines xxx")
    assert len(names[2]) == catalog.LONGEST_NAME
    assert names[3:5] == ["d", "e"]


def test_a_stamp_changes_when_an_index_is_built_again(tmp_path: Path) -> None:
    assert catalog.stamp(tmp_path) == (0, 0)
    synthetic_index.write(tmp_path, 2)
    before = catalog.stamp(tmp_path)
    synthetic_index.write(tmp_path, 3, name="Another")
    assert catalog.stamp(tmp_path) != before


def test_messages_to_visitors_contain_no_server_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOUNDALIKE_INDEX", str(tmp_path / "mine"))
    (tmp_path / "mine").mkdir()
    said = f"The index {tmp_path / 'mine'} was built with another vgg16."
    assert catalog.without_paths(said) == "The index “mine” was built with another vgg16."
    said = f"The index file {tmp_path / 'mine' / 'keys.npy'} is damaged; {paths.MODELS / 'x.npz'} too."
    shown = "The index file keys.npy is damaged; assets/models/x.npz too."
    assert catalog.without_paths(said) == shown
