"""Dimension profiles: labels from measurements only."""

from __future__ import annotations

import numpy as np
import pytest
from small_library import write_index

from soundalike.analysis import dimension_profile, dimension_stats
from soundalike.analysis.dimension_sets import DimensionSets
from soundalike.features import track_descriptors
from soundalike.features.track_descriptors import CELL, CLIP, SIZE
from soundalike.models import ModelStore

N = 60


@pytest.fixture
def index(tmp_path):
    """Feature 0 grows with brightness, 1 is silent, 2 fires for two tracks, 3 is noise."""
    random = np.random.default_rng(0)
    features = random.normal(size=(N, 32))
    features[:, 0] = np.linspace(1, 4, N)
    features[:, 1] = 0
    features[:, 2] = 0
    features[[4, 9], 2] = (1, 2)
    return write_index(tmp_path / "index", {"genre_head": features}, ["genre_head"])


@pytest.fixture
def descriptors() -> np.ndarray:
    random = np.random.default_rng(1)
    made = random.uniform(1, 2, (N, SIZE)).astype(np.float32)
    made[:, 2] = 500 * 2 ** np.linspace(0, 2, N)
    return made


def paint(index, dimension: int, descriptors=None) -> dimension_profile.Portrait:
    groups = dimension_stats.group(list(index.tracks["genre"]), list(index.tracks["artist"]))
    return dimension_profile.paint(
        DimensionSets(index, ModelStore()), "genre_head", dimension, groups, descriptors
    )


def test_label_from_correlated_descriptors(index, descriptors) -> None:
    painted = paint(index, 0, descriptors)
    assert painted.label() == "High: bright."
    assert painted.findings[0].descriptor.name == "spectral centroid (Hz)"
    assert painted.findings[0].correlation == pytest.approx(1.0, abs=1e-3)
    assert painted.top == (59, 58, 57, 56, 55)
    assert painted.least == (0, 1, 2, 3, 4)
    assert painted.share_below(painted.values[30]) == pytest.approx(0.5)
    assert painted.score(59) == pytest.approx(1.703, abs=0.01)


def test_label_without_findings(index, descriptors) -> None:
    assert paint(index, 3, descriptors).label() == "No name found"
    assert paint(index, 0).findings == ()


def test_dead_dimension_has_no_tracks(index, descriptors) -> None:
    painted = paint(index, 1, descriptors)
    assert painted.dead
    assert painted.top == ()
    assert painted.label().startswith("Silent")


def test_sparse_dimension_lists_active_tracks_only(index, descriptors) -> None:
    painted = paint(index, 2, descriptors)
    assert painted.top == (9, 4)
    assert painted.label() == "Rare: active for 2 of 60 clips"
    assert painted.names == ()
    assert painted.least == ()


def test_genres_that_stand_out(tmp_path) -> None:
    features = np.random.default_rng(2).normal(size=(N, 32))
    features[:30, 0] += 4
    index = write_index(tmp_path / "index", {"genre_head": features}, ["genre_head"])
    groups = dimension_stats.group(["Jazz"] * 30 + ["Rock"] * 30, [f"a{i}" for i in range(N)])
    painted = dimension_profile.paint(DimensionSets(index, ModelStore()), "genre_head", 0, groups, None)
    (genre, enrichment, error) = painted.genres[0]
    assert (genre, enrichment > 4 * error) == ("Jazz", True)


def test_dimension_is_compared_with_its_cell(descriptors) -> None:
    known, values = track_descriptors.of_dimension(descriptors, (3, 7))
    assert known == CLIP + CELL
    assert np.array_equal(values[:, -2], descriptors[:, 8 + 37])
    assert np.array_equal(values[:, -1], descriptors[:, 8 + 50 + 37])
    assert values[:, 2] == pytest.approx(np.log2(descriptors[:, 2]))


@pytest.mark.parametrize(
    ("r", "n", "low", "high"), [(0.5, 103, 0.284, 0.668), (0.0, 103, -0.252, 0.252)]
)
def test_fisher_interval(r, n, low, high) -> None:
    """At 99 %: tanh(atanh(r) -+ 2.576 / sqrt(n - 3))."""
    assert dimension_profile.interval(r, n) == pytest.approx((low, high), abs=1e-3)
    assert dimension_profile.interval(r, 3) == (-1.0, 1.0)
