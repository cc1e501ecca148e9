"""Tests of two-pass search against exact search."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scattered_index import NAMES, N, scattered, two_passes
from small_library import cosines

from soundalike.index import index, similarity
from soundalike.index.index import Index

VECTORS = {name: matrix.astype(np.float16) for name, matrix in scattered().items()}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with pytest.MonkeyPatch.context() as patched:
        yield two_passes(tmp_path_factory.mktemp("scale") / "index", patched, VECTORS)


def exact(name: str, row: int) -> np.ndarray:
    weights = {"vgg_genre": {"vgg_mel": 1.0, "genre_head": 80.0}}.get(name, {name: 1.0})
    joined = np.concatenate([VECTORS[part].astype(float) * w for part, w in weights.items()], axis=1)
    return cosines(joined[row], joined)


@pytest.mark.parametrize("name", NAMES)
def test_recall_at_50_of_exact_search(opened: Index, name: str) -> None:
    hits = 0
    for row in range(0, N, 20):
        found = opened.similarities(name, opened.embeddings(row))
        hits += len(np.intersect1d(index.nearest(found, 50), index.nearest(exact(name, row), 50)))
    assert hits / (50 * N / 20) >= 0.99


@pytest.mark.parametrize("name", ["vgg_genre", "vgg_mel"])
def test_the_best_and_the_worst_are_exact_and_the_rest_between(opened: Index, name: str) -> None:
    found, expected = opened.similarities(name, opened.embeddings(7)), exact(name, 7)
    order = np.argsort(-found, kind="stable")
    ends = np.concatenate([order[: similarity.BEST], order[-similarity.WORST :]])
    np.testing.assert_allclose(found[ends], expected[ends], atol=1e-5)
    assert np.abs(found - expected).max() < 0.1
    rest = order[similarity.BEST : -similarity.WORST]
    assert found[rest].max() < found[order[: similarity.BEST]].min()
    assert found[rest].min() > found[order[-similarity.WORST :]].max()


def test_the_farthest_are_found_too(opened: Index) -> None:
    found = index.nearest(-opened.similarities("vgg_genre", opened.embeddings(7)), 10)
    assert len(np.intersect1d(found, index.nearest(-exact("vgg_genre", 7), 10))) >= 9


def test_any_weights_and_several_queries_equal_one_by_one(opened: Index) -> None:
    rows = [3, 40, 500]
    queries = {part: opened.vectors(part, rows) for part in opened.parts("vgg_genre")}
    weights = {"vgg_mel": 0.5, "genre_head": 7.0}
    together = opened.similarities("vgg_genre", queries, weights)
    for row, values in zip(rows, together, strict=True):
        alone = opened.similarities("vgg_genre", opened.embeddings(row), weights)
        assert index.nearest(values, 1).tolist() == [row]
        np.testing.assert_array_equal(index.nearest(values, 50), index.nearest(alone, 50))
    only_genre = opened.similarities(
        "vgg_genre", opened.embeddings(3), {"vgg_mel": 0.0, "genre_head": 1.0}
    )
    np.testing.assert_allclose(
        np.sort(only_genre)[-50:], np.sort(exact("genre_head", 3))[-50:], atol=1e-6
    )


def test_neighbours_are_those_of_an_exact_search(opened: Index) -> None:
    for row in (0, 567):
        rows, similarities = opened.neighbours("vgg_mel", row)
        expected = exact("vgg_mel", row)
        np.testing.assert_allclose(similarities[:50], expected[rows[:50]], atol=1e-5)
        nearest = [other for other in index.nearest(expected, 51) if other != row]
        assert len(np.intersect1d(rows[:50], nearest)) >= 49


def test_silence_matches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = scattered(1, 400)
    for matrix in vectors.values():
        matrix[:300] = 0
    found = two_passes(tmp_path / "index", monkeypatch, vectors)
    assert not found.similarities("vgg_mel", found.embeddings(0)).any()
    to_sound = found.similarities("vgg_mel", found.embeddings(350))
    assert set(index.nearest(to_sound, 100).tolist()) == set(range(300, 400))


def test_few_tracks_are_all_compared_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = {name: matrix[:60] for name, matrix in VECTORS.items()}
    found = two_passes(tmp_path / "index", monkeypatch, vectors)
    assert (found.folder / "vgg_mel_codes.npy").is_file()
    np.testing.assert_allclose(
        found.similarities("vgg_mel", found.embeddings(5)),
        cosines(vectors["vgg_mel"][5], vectors["vgg_mel"]),
        atol=1e-5,
    )


@settings(max_examples=200)
@given(st.lists(st.floats(-1, 1, width=32), min_size=1), st.floats(-1, 1), st.floats(-1, 1))
def test_the_rest_keeps_its_order_within_the_limits(
    values: list[float], low: float, high: float
) -> None:
    given_values = np.array(values, np.float32)
    found = similarity._compress(given_values, np.float32(low), np.float32(high))
    assert (found <= np.float32(high)).all()
    assert (np.diff(found[np.argsort(given_values)]) >= 0).all()
    if low <= high:
        assert (found >= np.float32(low)).all() or given_values.max() < np.float32(low)


@pytest.mark.parametrize("k", [0, 1, 40, 3_000, 39_999, 40_000])
@pytest.mark.parametrize("kind", ["random", "ties", "rising", "best beside each other", "no similarity"])
def test_the_nearest_are_the_first_of_a_stable_sort(kind: str, k: int) -> None:
    values = np.random.default_rng(0).normal(size=40_000).astype(np.float32)
    if kind == "ties":
        values = np.round(values)
    elif kind == "rising":
        values = np.sort(values)
    elif kind == "best beside each other":
        values[1:16] += 10
    elif kind == "no similarity":
        values[::2] = -np.inf
    order = np.argsort(-values, kind="stable")
    np.testing.assert_array_equal(similarity.nearest(values, k), order[:k])
