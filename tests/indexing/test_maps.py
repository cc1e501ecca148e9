"""Adding maps to an index."""

from __future__ import annotations

from pathlib import Path

import clustered_index
import numpy as np
import pytest

from soundalike.errors import IndexFolderError
from soundalike.index import index
from soundalike.indexing import maps
from soundalike.projection import layout, quality
from soundalike.projection.layout import Setting

SETTINGS = (Setting(3, "cosine", 5, 0.1), Setting(2, "euclidean", 5, 0.1), layout.DEFAULT)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return clustered_index.write(tmp_path / "index").folder


def test_maps_are_added_and_described(folder: Path) -> None:
    before = contents(folder)
    seen: list[str] = []
    opened = maps.add(folder, SETTINGS, on_map=seen.append)
    names = {layout.array_name("genre_head", setting) for setting in SETTINGS}
    assert set(opened.maps) == set(seen) == names
    assert set(layout.settings_of(opened, "genre_head")) == set(SETTINGS)
    for name, facts in opened.maps.items():
        array = opened.array(name)
        assert array.shape == (len(opened), facts["dims"])
        assert array.dtype == np.float32
        assert 0.5 < facts["trustworthiness"] <= 1.0
        assert (facts["trustworthiness_neighbours"], facts["trustworthiness_tracks"]) == (10, 60)
    after = contents(folder)
    assert {name: after[name] for name in before if name != index.MANIFEST} == {
        name: content for name, content in before.items() if name != index.MANIFEST
    }
    assert set(after) - set(before) == {f"{name}.npy" for name in names}
    index.load(folder, checksums=True)


def test_adding_again_is_deterministic(folder: Path) -> None:
    maps.add(folder, SETTINGS)
    once = contents(folder)
    maps.add(folder, SETTINGS)
    assert contents(folder) == once
    opened = maps.add(folder, SETTINGS[2:])
    assert len(opened.maps) == 1
    assert sum(path.name.startswith("map_") for path in folder.iterdir()) == 1


def test_other_maps_are_aligned_with_default(folder: Path) -> None:
    opened = maps.add(folder, SETTINGS)
    reference = opened.array(layout.array_name("genre_head", layout.DEFAULT))
    for setting in SETTINGS[:2]:
        points = np.asarray(opened.array(layout.array_name("genre_head", setting)))
        np.testing.assert_allclose(layout.align(points, reference), points, atol=1e-4)


def test_killed_run_leaves_valid_index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maps.add(folder, SETTINGS[2:])

    def fail(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(maps.np, "save", fail)
    with pytest.raises(KeyboardInterrupt):
        maps.add(folder, SETTINGS[2:])
    assert index.load(folder, checksums=True).maps == {}


def test_small_library_has_no_map(tmp_path: Path) -> None:
    small = clustered_index.write(tmp_path / "index", size=5)
    assert maps.add(small.folder).maps == {}


def test_folder_without_index(tmp_path: Path) -> None:
    with pytest.raises(IndexFolderError, match="is not an index"):
        maps.add(tmp_path)


def test_large_library_is_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "FITTED", 90)
    monkeypatch.setattr(quality, "TRUST_SAMPLE", 50)
    folder = clustered_index.write(tmp_path / "index", 40).folder
    opened = maps.add(folder, SETTINGS)
    fitted = layout.fitted_rows(120)
    assert len(fitted) == 90
    labels = np.repeat(np.arange(clustered_index.CLUSTERS), 40)
    for name, facts in opened.maps.items():
        assert facts["fitted_tracks"] == 90
        assert facts["trustworthiness_tracks"] == 50
        points = np.asarray(opened.array(name))
        np.testing.assert_allclose(points[fitted].mean(axis=0), 0.0, atol=1e-3)
        apart = np.linalg.norm(points[:, None] - points[None], axis=2)
        np.fill_diagonal(apart, np.inf)
        assert (labels[apart.argmin(axis=1)] == labels).all()
    once = contents(folder)
    maps.add(folder, SETTINGS)
    assert contents(folder) == once


def test_small_library_is_laid_out_completely(folder: Path) -> None:
    opened = maps.add(folder, SETTINGS[2:])
    assert all("fitted_tracks" not in facts for facts in opened.maps.values())
