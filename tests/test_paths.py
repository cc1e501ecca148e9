"""Tests of the folders of indexes."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundalike import paths


def test_an_installed_package_without_the_starter_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "BUNDLED_INDEX", tmp_path / "nowhere")
    assert paths.index_folders(str(tmp_path / "own")) == [tmp_path / "own"]
    assert paths.index_folders("") == [tmp_path / "nowhere"]


def test_the_bundled_index_comes_last(tmp_path: Path) -> None:
    assert paths.index_folders(str(tmp_path)) == [tmp_path, paths.BUNDLED_INDEX]
    assert paths.index_folders(str(paths.BUNDLED_INDEX)) == [paths.BUNDLED_INDEX]
