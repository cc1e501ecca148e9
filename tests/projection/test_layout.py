"""Maps of synthetic clusters with known answers, and of the bundled library."""

from __future__ import annotations

import sys

import clustered_index
import numpy as np
import pytest

from soundalike import paths
from soundalike.index import index
from soundalike.index.index import Index
from soundalike.projection import layout, quality
from soundalike.projection.layout import Setting

SIZE = 20
LABELS = np.repeat(np.arange(clustered_index.CLUSTERS), SIZE)


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return clustered_index.write(tmp_path_factory.mktemp("clusters") / "index", SIZE)


@pytest.fixture(scope="module")
def bundled() -> Index:
    return index.load(paths.index_folder())


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_distances_match_vectors(clusters: Index, metric: layout.Metric) -> None:
    vectors = clusters.array("genre_head").astype(np.float64)
    found = layout.distances(clusters, "genre_head", metric, {"genre_head": vectors[:3]})
    if metric == "cosine":
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        expected = 1 - unit[:3] @ unit.T
    else:
        expected = np.linalg.norm(vectors[:3, None] - vectors[None], axis=2)
    # Where distances are near 0 the similarity's float32 rounding shows: sqrt(2 * 6e-8) * norm.
    np.testing.assert_allclose(found, expected, atol=4e-3 if metric == "euclidean" else 1e-6)


def test_joined_distances_match_concatenation(bundled: Index) -> None:
    rows = [0, 100, 200]
    parts = bundled.parts("vgg_genre")
    joined = np.hstack([bundled.array(part)[rows].astype(np.float64) * w for part, w in parts.items()])
    query = {part: bundled.array(part)[0].astype(np.float32) for part in parts}
    found = layout.distances(bundled, "vgg_genre", "euclidean", query)[rows]
    expected = np.linalg.norm(joined - joined[0], axis=1)
    np.testing.assert_allclose(found[1:], expected[1:], rtol=1e-4)
    assert found[0] < 1e-2 * expected[1]


def test_neighbours_are_exact(clusters: Index) -> None:
    found = layout.neighbours(clusters, "genre_head", "cosine", 11)
    np.testing.assert_array_equal(found.rows[:, 0], np.arange(len(clusters)))
    np.testing.assert_array_equal(found.distances[:, 0], 0.0)
    np.testing.assert_array_equal(found.rows[:, 1:], clusters.array("genre_head_neighbours"))
    assert (np.diff(found.distances, axis=1) >= 0).all()


@pytest.mark.sweep
def test_map_separates_clusters_deterministically(clusters: Index) -> None:
    found = layout.neighbours(clusters, "genre_head", "cosine", 10)
    points = layout.layout(found, Setting(n_neighbors=10))
    assert points.shape == (len(clusters), 2)
    assert points.dtype == np.float32
    np.testing.assert_allclose(points.mean(axis=0), 0.0, atol=1e-4)
    assert points.tobytes() == layout.layout(found, Setting(n_neighbors=10)).tobytes()
    assert points.tobytes() != layout.layout(found, Setting(n_neighbors=10), seed=1).tobytes()
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (LABELS[apart.argmin(axis=1)] == LABELS).all()


@pytest.mark.sweep
def test_three_dimensions(clusters: Index) -> None:
    found = layout.neighbours(clusters, "genre_head", "cosine", 5)
    assert layout.layout(found, Setting(dims=3, n_neighbors=5)).shape == (len(clusters), 3)


def test_invalid_settings(clusters: Index) -> None:
    found = layout.neighbours(clusters, "genre_head", "cosine", 5)
    with pytest.raises(ValueError, match="needs 15 neighbours a track, not 5"):
        layout.layout(found, Setting(n_neighbors=15))
    few = layout.Neighbours(found.rows[:9], found.distances[:9], found.landmarks[:9])
    with pytest.raises(ValueError, match="at least 16 tracks, not 9"):
        layout.layout(few, Setting(n_neighbors=5))


def test_align_undoes_rotation_and_reflection_only() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(50, 2)).astype(np.float32)
    points -= points.mean(axis=0)
    mirror = np.array([[0.6, -0.8], [-0.8, -0.6]], np.float32)
    np.testing.assert_allclose(layout.align(points @ mirror, points), points, atol=1e-5)
    np.testing.assert_allclose(layout.align(2 * points @ mirror, points), 2 * points, atol=1e-5)
    deep = np.column_stack([points, rng.normal(scale=0.1, size=50)]).astype(np.float32)
    turned = layout.align(deep[:, [2, 0, 1]], points)
    np.testing.assert_allclose(turned[:, :2], points, atol=0.2)


def test_align_without_reference_fills_picture() -> None:
    square = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]], np.float32)
    tall = np.array([[0, -5], [0, 5], [0.1, 0], [-0.1, 0]], np.float32)
    width, height = np.ptp(layout.align(tall, None), axis=0)
    assert max(width / 1.25, height) < 6.5
    np.testing.assert_allclose(np.ptp(layout.align(square, None), axis=0), 2.0, atol=0.7)


def test_trustworthiness_of_perfect_and_random_maps(clusters: Index) -> None:
    vectors = clusters.array("genre_head").astype(np.float32)
    same = quality.trustworthiness(clusters, "genre_head", "euclidean", vectors)
    assert same == pytest.approx(1.0, abs=5e-3)
    random = np.random.default_rng(0).normal(size=(len(clusters), 2)).astype(np.float32)
    assert 0.4 < quality.trustworthiness(clusters, "genre_head", "cosine", random) < 0.6
    assert quality.trust_neighbours(16) < 8


def test_kept_neighbours() -> None:
    line = np.arange(10, dtype=np.float32)[:, None] * [1.0, 0.0]
    nearest = np.array([[1, 2], [0, 2], [1, 3], [2, 4], [3, 5], [4, 6], [5, 7], [6, 8], [7, 9], [8, 7]])
    np.testing.assert_array_equal(quality.kept(line.astype(np.float32), nearest, 2), 1.0)
    far = (nearest + 5) % 10
    assert quality.kept(line.astype(np.float32), far, 2).max() == 0.0


def test_clip_at_distance_0_gets_track_position() -> None:
    points = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    distances = np.full(40, 0.7, np.float32)
    distances[7] = 0.0
    placed = layout.place(distances, points)
    np.testing.assert_allclose(placed.position, points[7], atol=1e-6)
    assert placed.weights.sum() == pytest.approx(1.0)


def test_weights_match_umap() -> None:
    distances = np.linspace(0.2, 0.6, 40).astype(np.float32)
    placed = layout.place(distances, np.zeros((40, 2), np.float32), k=16)
    np.testing.assert_array_equal(placed.rows, np.arange(16))
    # The weights before they are brought to a sum of 1: the nearest has 1, and they sum to log2(16).
    assert (placed.weights / placed.weights[0]).sum() == pytest.approx(4.0, rel=1e-6)
    assert (np.diff(placed.weights) < 0).all()


def test_clip_between_groups_joins_the_heavier() -> None:
    points = np.concatenate([np.zeros((9, 2)), np.full((6, 2), 10.0)]).astype(np.float32)
    placed = layout.place(np.full(15, 0.3, np.float32), points)
    np.testing.assert_allclose(placed.position, 0.0, atol=1e-3)


def test_library_of_one_track() -> None:
    placed = layout.place(np.array([0.4], np.float32), np.array([[1.0, 2.0]], np.float32))
    np.testing.assert_array_equal(placed.position, [1.0, 2.0])


def test_place_does_not_import_umap(bundled: Index) -> None:
    import subprocess

    code = (
        "import sys, numpy; from soundalike import paths\n"
        "from soundalike.index import index\n"
        "from soundalike.projection import layout as p\n"
        "opened = index.load(paths.index_folder())\n"
        "away = p.distances(opened, 'vgg_genre', 'cosine', opened.embeddings(3))\n"
        "name = p.array_name('vgg_genre', p.DEFAULT)\n"
        "print(p.place(away, opened.array(name)).rows[0])\n"
        "print([m for m in ('umap', 'sklearn', 'scipy', 'numba') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["3", "[]"]


@pytest.mark.parametrize("name", ["vgg_genre", "vgg_mel", "genre_head"])
def test_bundled_maps_match_manifest(bundled: Index, name: str) -> None:
    assert set(layout.settings_of(bundled, name)) == set(layout.SETTINGS)
    facts = bundled.maps[layout.array_name(name, layout.DEFAULT)]
    points = bundled.array(layout.array_name(name, layout.DEFAULT))
    measured = quality.trustworthiness(bundled, name, "cosine", points)
    assert facts["trustworthiness"] == pytest.approx(measured, abs=1e-3)
    assert measured > 0.8


def test_bundled_tracks_are_placed_near_their_positions(bundled: Index) -> None:
    """Each track placed by the others: nearer to its place on the map than a random track is."""
    points = np.asarray(bundled.array(layout.array_name("genre_head", layout.DEFAULT)))
    radius = np.sqrt(np.square(points).sum(axis=1).mean())
    errors = []
    for row in range(0, len(bundled), 12):
        away = layout.distances(bundled, "genre_head", "cosine", bundled.embeddings(row))
        away[row] = np.inf
        errors.append(np.linalg.norm(layout.place(away, points).position - points[row]))
    assert np.median(errors) / radius < 0.25
