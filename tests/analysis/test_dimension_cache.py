"""Caches of the Features page: pictures, activation maps and related dimensions."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from small_library import write_index

from soundalike.analysis import dimension_sets, receptive_fields
from soundalike.analysis.dimension_cache import BLANK, CHANNELS, FeatureStore, Shelf
from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip
from soundalike.errors import IndexFolderError
from soundalike.features import fingerprint, thumbnail
from soundalike.index import index, track_arrays
from soundalike.indexing import measurements
from soundalike.indexing.ingest import Event
from soundalike.representations import vgg_mel

pytest_plugins = ["library_fixtures"]


@pytest.fixture(scope="module")
def store(small_index, small_models) -> FeatureStore:
    return FeatureStore(small_index, small_models)


def test_shelf_evicts_least_recently_used() -> None:
    shelf: Shelf[int] = Shelf(2)
    shelf.put("a", 1)
    shelf.put("b", 2)
    assert shelf.get("a") == 1
    shelf.put("c", 3)
    assert (shelf.get("a"), shelf.get("b"), shelf.get("c")) == (1, None, 3)


def test_strongest_tracks_first(store) -> None:
    matrix = store.index.array("vgg_mel").astype(np.float32)
    dimension = int(matrix.max(axis=0).argmax())
    painted = store.portrait("vgg_mel", dimension)
    values = matrix[list(painted.top), dimension]
    assert (np.diff(values) <= 0).all()
    assert values[0] == matrix[:, dimension].max()


def test_cell_is_maximum_of_its_map_region(store) -> None:
    dimension = int(store.index.array("vgg_mel")[0].argmax())
    painted = store.portrait("vgg_mel", dimension)
    assert store.map_of(painted, 0) is None
    store.look_inside(0)
    found = store.map_of(painted, 0)
    cell = painted.cell
    part = found[3 * cell.band : 3 * cell.band + 3, 2 * cell.time : 2 * cell.time + 2]
    assert found.shape == (15, 20)
    assert part.max() == pytest.approx(painted.values[0], rel=1e-3)


def test_silencing_map(store) -> None:
    store.look_inside(0)
    feature = int(store.index.array("genre_head")[0].argmax())
    found = store.map_of(store.portrait("genre_head", feature), 0)
    assert found.shape == (7, 10)
    assert (found >= 0).all()
    assert found.max() > 0


def test_relatives_are_of_other_channels(store) -> None:
    summary = store.summary("vgg_mel")
    dimension = int(summary.deviation.argmax())
    painted = store.portrait("vgg_mel", dimension)
    similar, opposite = store.relatives(painted, 5)
    assert all(
        receptive_fields.cell(d).channel != painted.cell.channel for d, _ in [*similar, *opposite]
    )
    assert [r for _, r in similar] == sorted((r for _, r in similar), reverse=True)
    matrix = store.index.array("vgg_mel").astype(np.float64)
    other, r = similar[0]
    assert r == pytest.approx(np.corrcoef(matrix[:, dimension], matrix[:, other])[0, 1], abs=1e-4)
    assert all(r < 0 for _, r in opposite)


def test_loudest_cell_of_channel(store) -> None:
    dimension = store.loudest_cell(100)
    means = store.index.array("vgg_mel")[:, 100::512].astype(np.float32).mean(axis=0)
    assert receptive_fields.cell(dimension).channel == 100
    assert store.summary("vgg_mel").mean[dimension] == pytest.approx(means.max(), rel=1e-5)
    assert len(store.summary(CHANNELS).mean) == 512


def test_siblings_are_cells_of_channel(store) -> None:
    painted = store.portrait("vgg_mel", receptive_fields.Cell(1, 2, 300).dimension)
    means = store.siblings(painted).mean
    assert len(means) == 50
    assert means[12] == pytest.approx(painted.summary.mean[0], abs=1e-6)
    assert len(store.siblings(store.portrait("genre_head", 3)).mean) == 32


def test_missing_pictures_are_drawn_once(store) -> None:
    assert store.picture(1) is None
    drawn = store.draw(1)
    assert store.picture(1) is drawn
    assert Image.open(io.BytesIO(drawn.content)).size == thumbnail.SIZE


def test_missing_track_has_blank_picture(tmp_path, models) -> None:
    made = write_index(tmp_path / "index", {"genre_head": np.ones((3, 32))}, ["genre_head"])
    store = FeatureStore(made, models)
    assert store.draw(0) is BLANK
    assert store.picture(0) is BLANK


def test_arrays_are_added_to_index(small_index, small_models, tmp_path) -> None:
    import shutil

    folder = tmp_path / "index"
    shutil.copytree(small_index.folder, folder)
    (tmp_path / small_index.library_folder.name).symlink_to(small_index.library_folder)
    copied = index.load(folder)
    seen: list[Event] = []
    measurements.add(copied, small_models, on_file=seen.append)
    assert [event.kind for event in seen] == ["taken"] * len(copied)
    copied = index.load(folder, checksums=True)
    store = FeatureStore(copied, small_models)
    picture = store.picture(2)
    assert picture == thumbnail.draw_file(copied.path(2))
    assert len(store.portrait("genre_head", 0).findings) == 8
    assert track_arrays.keys(copied).shape == (len(copied), 2)
    assert fingerprint.distance(*track_arrays.fingerprints(copied)[[1, 1]]) == 0
    assert not len(track_arrays.duplicate_pairs(copied))
    assert track_arrays.moments(copied, "musicnn") is None
    assert not set(copied.stored) & {"musicnn", "musicnn_mid", "yamnet"}
    opened = index.load(folder)
    np.save(folder / "picture_places.npy", np.zeros((1, 2)))
    with pytest.raises(IndexFolderError, match=r"pictures\.npy is damaged"):
        track_arrays.thumbnail(opened, 0)


def test_burst_position_in_picture() -> None:
    time = np.arange(ANALYSIS_SAMPLES) / SAMPLE_RATE
    samples = np.sin(2 * np.pi * 4_000 * time) * ((time >= 12) & (time < 15))
    picture = thumbnail.draw(Clip(samples.astype(np.float32)))
    shown = np.asarray(Image.open(io.BytesIO(picture.content)).convert("L"), float)
    row, column = np.unravel_index(shown.argmax(), shown.shape)
    box = receptive_fields.share(receptive_fields.Cell(1, 4, 0)).percent()
    assert box["top"] <= 100 * row / shown.shape[0] <= box["top"] + box["height"]
    assert box["left"] - 1 <= 100 * column / shown.shape[1] <= box["left"] + box["width"] + 1


@pytest.mark.sweep
@pytest.mark.parametrize("gate_hz", [0, 4])
def test_burst_activates_cells_at_its_time(models, gate_hz: int) -> None:
    """A tone from 12 to 15 s, held or beating: time 4, and at its edges the cells on either side.

    Those see the edges too, their receptive fields being eleven seconds wide.
    """
    time = np.arange(ANALYSIS_SAMPLES) / SAMPLE_RATE
    gate = (time >= 12) & (time < 15) & (np.cos(2 * np.pi * gate_hz * time) > 0)
    samples = 0.5 * np.sin(2 * np.pi * 500 * time) * gate
    samples += 1e-3 * np.random.default_rng(0).standard_normal(len(time))
    embedding = vgg_mel.embed(Clip(samples.astype(np.float32)), models)
    strongest = np.argsort(-embedding)[:20]
    times = [receptive_fields.cell(int(dimension)).time for dimension in strongest]
    assert times[0] == 4
    assert times.count(4) >= 10
    assert set(times) <= {3, 4, 5}
    assert int(embedding.reshape(5, 10, 512).sum(axis=(0, 2)).argmax()) == 4


@pytest.fixture
def wide(tmp_path, small_models) -> FeatureStore:
    """A library of 300 tracks. Two of its 32 dimensions are alike, and a third is their opposite."""
    values = np.random.default_rng(0).normal(size=(300, 32))
    values[:, 1] = values[:, 0] + 0.1 * values[:, 1]
    values[:, 2] = -values[:, 0] + 0.1 * values[:, 2]
    index = write_index(tmp_path / "index", {"genre_head": values}, ["genre_head"])
    return FeatureStore(index, small_models)


def test_dimensions_of_a_large_library_are_correlated_over_a_sample(
    wide: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dimension_sets, "SAMPLE", 100)
    rows = wide.sets.sample("genre_head")
    assert len(set(rows.tolist())) == 100
    values = wide.index.array("genre_head")[rows].astype(np.float64)
    similar, opposite = wide.relatives(wide.portrait("genre_head", 0), 1)
    for dimension, found in (*similar, *opposite):
        assert found == pytest.approx(np.corrcoef(values[:, 0], values[:, dimension])[0, 1], abs=1e-3)
    assert [dimension for dimension, _ in (*similar, *opposite)] == [1, 2]


def test_statistics_of_a_large_library_are_of_all_tracks(
    wide: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dimension_sets, "SAMPLE", 100)
    values = wide.index.array("genre_head").astype(np.float64)
    np.testing.assert_allclose(wide.summary("genre_head").mean, values.mean(axis=0), atol=1e-4)
    assert wide.siblings(wide.portrait("genre_head", 0)) is wide.summary("genre_head")


def test_all_of_a_small_library_is_the_sample(wide: FeatureStore) -> None:
    assert wide.sets.sample("genre_head").tolist() == list(range(300))
