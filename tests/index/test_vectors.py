"""Tests that vectors read from disk and from memory give equal results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundalike.index import vectors
from soundalike.index.row_reader import RowReader
from soundalike.index.vectors import Vectors

N, DIM = 700, 24


@pytest.fixture(params=["in memory", "on disk"])
def made(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Vectors, np.ndarray]:
    if request.param == "on disk":
        monkeypatch.setattr(vectors, "IN_MEMORY", 0)
    for name, value in (("_BLOCK", 64), ("_BLOCK_IN_MEMORY", 64), ("_SPREAD_FROM", 128)):
        monkeypatch.setattr(vectors, name, value)
    matrix = np.random.default_rng(0).normal(size=(N, DIM)).astype(np.float16)
    path = tmp_path / "vgg_mel.npy"
    np.save(path, matrix)
    norms = np.linalg.norm(matrix.astype(np.float32), axis=1)
    return Vectors(RowReader(path), norms), matrix.astype(np.float32)


def test_rows_in_any_order_and_twice(made: tuple[Vectors, np.ndarray]) -> None:
    store, matrix = made
    rows = [5, N - 1, 0, 5]
    np.testing.assert_array_equal(store.rows(rows), matrix[rows])
    assert store.rows([]).shape == (0, DIM)


@pytest.mark.parametrize("shape", [(DIM,), (3, DIM)])
def test_products_with_all_tracks(made: tuple[Vectors, np.ndarray], shape: tuple[int, ...]) -> None:
    store, matrix = made
    queries = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    np.testing.assert_allclose(store.products(queries), queries @ matrix.T, atol=1e-4)
    np.testing.assert_array_equal(store.estimates(queries), store.products(queries))


@pytest.mark.parametrize("count", [0, 1, 7, 8, 100])
def test_products_with_some_tracks(made: tuple[Vectors, np.ndarray], count: int) -> None:
    store, matrix = made
    rows = np.random.default_rng(2).choice(N, count, replace=False)
    query = matrix[3]
    np.testing.assert_allclose(store.products_with(rows, query), matrix[rows] @ query, atol=1e-4)
