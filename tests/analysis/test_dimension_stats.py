"""Statistics of dimensions, on synthetic matrices with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.analysis import dimension_stats
from soundalike.analysis.dimension_stats import group, summarise

GENRES = ["Rock"] * 40 + ["Jazz"] * 40 + ["Folk"] * 20
ARTISTS = [f"artist {i // 2}" for i in range(100)]


@pytest.fixture
def matrix() -> np.ndarray:
    """Dead, sparse, one that Jazz sets off, and noise [shape=(100, 4)]."""
    random = np.random.default_rng(0)
    made = np.zeros((100, 4), np.float16)
    made[7, 1] = 5.0
    made[:, 2] = random.uniform(1, 2, 100)
    made[40:80, 2] += 3.0
    made[:, 3] = random.uniform(1, 2, 100)
    return made


def test_the_three_flags(matrix) -> None:
    summary = summarise(matrix, group(GENRES, ARTISTS))
    assert summary.dead.tolist() == [True, False, False, False]
    assert summary.sparse.tolist() == [False, True, False, False]
    assert summary.genre_like.tolist() == [False, False, True, False]
    assert summary.groups.genres[summary.genre_of[2]] == "Jazz"
    assert summary.awake() == [1, 2, 3]


def test_a_constant_dimension_is_dead_even_if_not_zero() -> None:
    summary = summarise(np.full((100, 1), 3.3, np.float16), group(GENRES, ARTISTS))
    assert summary.dead.all()
    assert not summary.sparse.any()
    assert (summary.enrichment == 0).all()


def test_enrichment_matches_definition(matrix) -> None:
    summary = summarise(matrix, group(GENRES, ARTISTS))
    column = matrix[:, 2].astype(np.float64)
    jazz = summary.groups.genres.index("Jazz")
    expected = (column[40:80].mean() - column.mean()) / column.std()
    assert summary.enrichment[jazz, 2] == pytest.approx(expected, rel=1e-5)


def test_error_matches_artist_bootstrap() -> None:
    """Against drawing whole artists with replacement, which assumes nothing."""
    random = np.random.default_rng(1)
    artists = np.repeat(np.arange(30), random.integers(1, 6, 30))
    own = random.normal(size=30)
    values = (own[artists] + 0.3 * random.normal(size=len(artists))).astype(np.float32)
    names = [f"a{artist}" for artist in artists]
    _, errors = group(["Rock"] * len(values), names).means(values[:, np.newaxis])
    totals = np.array([[values[artists == a].sum(), (artists == a).sum()] for a in range(30)])
    drawn = totals[random.integers(0, 30, (4_000, 30))].sum(axis=1)
    bootstrap = (drawn[:, 0] / drawn[:, 1]).std()
    assert errors[0, 0] == pytest.approx(bootstrap, rel=0.15)
    naive = values.std() / np.sqrt(len(values))
    assert errors[0, 0] > 1.5 * naive


def test_genre_with_one_artist_has_infinite_error() -> None:
    groups = group(["Rock"] * 20, ["one"] * 20)
    means, errors = groups.means(np.arange(20, dtype=np.float32)[:, np.newaxis])
    assert means[0, 0] == 9.5
    assert np.isinf(errors[0, 0])
    assert not groups.trusted.any()


def test_tracks_without_a_genre_count_for_the_library_only() -> None:
    groups = group(["", "Rock", "Rock", ""], ["a", "b", "c", "d"])
    assert groups.genres == ("Rock",)
    assert groups.sizes.tolist() == [2]
    summary = summarise(np.array([[0], [2], [4], [2]], np.float16), groups)
    assert summary.mean[0] == 2.0


def test_no_genres_at_all() -> None:
    summary = summarise(np.array([[0.0], [2.0]], np.float16), group(["", ""], ["a", "b"]))
    assert not summary.genre_like.any()
    assert len(dimension_stats.overview(summary, "genre_head")) == 1


def test_random_genres_rarely_stand_out() -> None:
    random = np.random.default_rng(2)
    noise = np.maximum(random.normal(size=(300, 2_000)), 0).astype(np.float16)
    genres = random.permutation(["Rock", "Jazz", "Folk"] * 100).tolist()
    summary = summarise(noise, group(genres, [f"a{i}" for i in range(300)]))
    assert summary.genre_like.sum() <= 2


def test_correlations_match_numpy(matrix) -> None:
    random = np.random.default_rng(3)
    values = random.normal(size=(100, 2))
    summary = summarise(matrix, group(GENRES, ARTISTS))
    found = dimension_stats.correlations(matrix, values, summary.deviation)
    for k in range(2):
        for dimension in (1, 2, 3):
            expected = np.corrcoef(values[:, k], matrix[:, dimension].astype(np.float64))[0, 1]
            assert found[k, dimension] == pytest.approx(expected, abs=1e-5)
    assert (found[:, 0] == 0).all()
    assert (dimension_stats.correlations(matrix, np.ones(100), summary.deviation) == 0).all()


def test_strongest_excludes_sparse_dimensions(matrix) -> None:
    summary = summarise(matrix, group(GENRES, ARTISTS))
    found = dimension_stats.strongest(matrix[7], summary, 10)
    assert 1 not in [dimension for dimension, _ in found]
    for dimension, score in dimension_stats.strongest(matrix[50], summary, 10):
        column = matrix[:, dimension].astype(np.float64)
        assert score == pytest.approx((column[50] - column.mean()) / column.std(), rel=1e-3)


def test_channels_are_means_over_cells() -> None:
    random = np.random.default_rng(4)
    stored = random.uniform(size=(3, 25_600)).astype(np.float16)
    gathered = dimension_stats.gather(stored)
    assert gathered[1, 77] == pytest.approx(stored[1, 77::512].astype(np.float32).mean(), rel=1e-5)
    by_cell = dimension_stats.by_cell(stored[1].astype(np.float32), 77)
    assert by_cell[2, 3] == stored[1, (2 * 10 + 3) * 512 + 77]


def test_overview_filters_and_sorts(matrix) -> None:
    summary = summarise(matrix, group(GENRES, ARTISTS))

    def shown(**choice: object) -> list[int]:
        return dimension_stats.overview(summary, "genre_head", **choice)["dimension"].tolist()

    assert shown() == [0, 1, 2, 3]
    assert shown(kind="dead") == [0]
    assert shown(kind="sparse") == [1]
    assert shown(kind="genre", genre="Jazz") == [2]
    assert shown(genre="Rock") == []
    assert shown(order="mean")[0] == 2
    assert shown(order="enrichment")[0] == 2


def test_narrow_blocks_change_no_statistic(matrix, monkeypatch) -> None:
    wide = summarise(matrix, group(GENRES, ARTISTS))
    monkeypatch.setattr(dimension_stats, "_BLOCK_VALUES", 2 * len(matrix))
    narrow = summarise(matrix, group(GENRES, ARTISTS))
    for name in ("mean", "deviation", "largest", "zeros", "enrichment", "error"):
        np.testing.assert_array_equal(getattr(narrow, name), getattr(wide, name))
