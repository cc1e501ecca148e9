"""The first pass over joined codes estimates the cosine of the joined vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundalike.index import pca_prefilter, similarity, vectors
from soundalike.index.joined_codes import JoinedCodes
from soundalike.index.pca_prefilter import FirstPass
from soundalike.index.row_reader import RowReader
from soundalike.index.vectors import Vectors

N, DIM, SHORT = 500, 96, 8
WEIGHTS = {"long": 0.7, "short": 2.0}


@pytest.fixture
def values() -> dict[str, np.ndarray]:
    """Vectors with a few strong principal directions, in half precision; one track has none."""
    rng = np.random.default_rng(0)
    drawn = rng.normal(size=(N, DIM)) * np.arange(1, DIM + 1) ** -1.5
    found = {"long": drawn @ np.linalg.qr(rng.normal(size=(DIM, DIM)))[0]}
    found["short"] = rng.normal(size=(N, SHORT)) * 0.1
    for matrix in found.values():
        matrix[3] = 0
    return {name: matrix.astype(np.float16).astype(np.float32) for name, matrix in found.items()}


@pytest.fixture
def parts(
    values: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Vectors]:
    monkeypatch.setattr(vectors, "_SPREAD_FROM", 100)
    monkeypatch.setattr(vectors, "_BLOCK", 64)
    made = {}
    for name, matrix in values.items():
        np.save(tmp_path / f"{name}.npy", matrix.astype(np.float16))
        norms = np.linalg.norm(matrix, axis=1)
        np.save(tmp_path / f"{name}_norms.npy", norms)
        first = None
        if name == "long":
            pca_prefilter.write(tmp_path, name)
            codes = RowReader(tmp_path / f"{name}_codes.npy")
            first = FirstPass(np.load(tmp_path / f"{name}_pca.npy"), codes)
        made[name] = Vectors(RowReader(tmp_path / f"{name}.npy"), norms, first)
    return made


def test_products_estimate_the_cosines(values: dict[str, np.ndarray], parts: dict[str, Vectors]) -> None:
    lengths = similarity.lengths(parts, WEIGHTS)
    joined = np.concatenate([weight * values[name] for name, weight in WEIGHTS.items()], axis=1)
    np.testing.assert_allclose(lengths, np.linalg.norm(joined, axis=1), rtol=1e-5)
    codes = JoinedCodes(parts, WEIGHTS, lengths)
    for row in (0, 7):
        found = codes.products({name: matrix[row] for name, matrix in values.items()}) / lengths[row]
        cosines = joined @ joined[row] / np.where(lengths > 0, lengths, 1) / lengths[row]
        assert np.abs(found - cosines).max() < 0.03
        assert np.argmax(found) == row
        assert found[3] == 0


def test_half_of_the_codes_is_used_and_short_parts_whole(parts: dict[str, Vectors]) -> None:
    codes = JoinedCodes(parts, WEIGHTS, similarity.lengths(parts, WEIGHTS))
    assert codes.dimensions == pca_prefilter.LEAST_DIMENSIONS // 2 + SHORT


def test_the_search_with_them_is_exact_at_both_ends(
    values: dict[str, np.ndarray], parts: dict[str, Vectors]
) -> None:
    lengths = similarity.lengths(parts, WEIGHTS)
    query = {name: matrix[11] for name, matrix in values.items()}
    codes = JoinedCodes(parts, WEIGHTS, lengths)
    found = similarity.similarities(parts, WEIGHTS, query, 40, 10, codes)
    exact = similarity.similarities(parts, WEIGHTS, query, N, 0)
    nearest, farthest = similarity.nearest(found, 40), similarity.nearest(-found, 10)
    np.testing.assert_allclose(found[nearest], exact[nearest], atol=1e-5)
    np.testing.assert_allclose(found[farthest], exact[farthest], atol=1e-5)
    assert len(np.intersect1d(nearest[:20], similarity.nearest(exact, 20))) >= 19


def test_a_query_of_zeros_is_like_no_track(parts: dict[str, Vectors]) -> None:
    codes = JoinedCodes(parts, WEIGHTS, similarity.lengths(parts, WEIGHTS))
    query = {"long": np.zeros(DIM, np.float32), "short": np.zeros(SHORT, np.float32)}
    assert not similarity.similarities(parts, WEIGHTS, query, joined=codes).any()
