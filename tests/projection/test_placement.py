"""Placement: weights and geometric medians, in batches and one by one."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.projection import placement


@pytest.fixture
def distances() -> np.ndarray:
    found = np.sort(np.random.default_rng(0).uniform(0.1, 1.0, (50, 15)), axis=1)
    found[3, :2] = 0.0
    found[4] = 0.5
    return found


def test_weights_fall_with_distance_and_sum_to_one(distances: np.ndarray) -> None:
    weights = placement.weights(distances)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    assert (np.diff(weights, axis=1) <= 1e-12).all()
    np.testing.assert_allclose(weights[3], [0.5, 0.5] + 13 * [0.0])
    np.testing.assert_allclose(weights[4], 1 / 15)
    np.testing.assert_allclose(
        weights[:3], np.concatenate([placement.weights(d[None]) for d in distances[:3]])
    )


def test_weights_match_umap(distances: np.ndarray) -> None:
    shares = placement.weights(distances[:3])
    np.testing.assert_allclose((shares / shares[:, :1]).sum(axis=1), np.log2(15), rtol=1e-6)


def test_medians_minimise_weighted_distance() -> None:
    rng = np.random.default_rng(1)
    points, weights = rng.normal(size=(20, 7, 2)), rng.dirichlet(np.ones(7), 20)
    found = placement.medians(points, weights).astype(float)

    def cost(places: np.ndarray) -> np.ndarray:
        return (weights * np.linalg.norm(points - places[:, None], axis=2)).sum(axis=1)

    for step in ([0.05, 0], [-0.05, 0], [0, 0.05], [0, -0.05]):
        assert (cost(found) <= cost(found + step) + 1e-6).all()


def test_several_blocks_and_empty_input(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    points, weights = rng.normal(size=(30, 5, 3)), rng.dirichlet(np.ones(5), 30)
    whole = placement.medians(points, weights)
    monkeypatch.setattr(placement, "_BLOCK", 7)
    np.testing.assert_allclose(placement.medians(points, weights), whole)
    assert placement.medians(points[:0], weights[:0]).shape == (0, 3)
