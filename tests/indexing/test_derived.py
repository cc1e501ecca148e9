"""Data derived from vectors in blocks is bit-identical to that of the whole matrix."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from small_library import made_up_tracks, write_index

from soundalike import representations
from soundalike.index import hubness_correction, index, row_reader, storage
from soundalike.indexing import derived
from soundalike.representations.scaling import CENTRED, STANDARDISED, Scaling

quick = settings(deadline=None, max_examples=40)
few_values = st.sampled_from([0.0, -0.0, 1.0, 2.5, -3.0])
matrices = hnp.arrays(np.float16, st.tuples(st.integers(1, 30), st.integers(1, 6)), elements=few_values)


@quick
@given(matrices, st.integers(1, 12), st.integers(1, 7))
def test_top_rows_match_stable_sort(matrix: np.ndarray, size: int, k: int) -> None:
    top = derived.TopRows(matrix.shape[1], k)
    for start in range(0, len(matrix), size):
        top.add(matrix[start : start + size].astype(np.float32))
    np.testing.assert_array_equal(top.rows, np.argsort(-matrix, axis=0, kind="stable")[:k])


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(20, 4000))
def test_vector_facts_are_independent_of_block_size(seed: int, n: int, values: int) -> None:
    matrix = np.random.default_rng(seed).normal(size=(n, 20)).astype(np.float16)
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patched:
        patched.setattr(row_reader, "BLOCK_VALUES", values)
        folder = Path(name)
        storage.save(folder, "vgg_mel", matrix)
        derived.write_vector_facts(folder, "vgg_mel")
        norms, top = (np.load(folder / f"vgg_mel_{fact}.npy") for fact in ("norms", "top_tracks"))
    np.testing.assert_array_equal(norms, np.linalg.norm(matrix.astype(np.float32), axis=1))
    np.testing.assert_array_equal(top, np.argsort(-matrix, axis=0, kind="stable")[:5].T)
    assert top.dtype == np.int32


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(200, 20_000))
def test_centring_in_blocks(seed: int, n: int, values: int) -> None:
    matrix = np.random.default_rng(seed).gamma(2, size=(n, 200)).astype(np.float32)
    scale, stored = scaled_in_blocks("musicnn", CENTRED, matrix, values)
    mean = (n / (n + 10) * matrix.mean(axis=0, dtype=np.float64)).astype(np.float32)
    np.testing.assert_array_equal(scale, [mean, np.ones(200, np.float32)])
    left = matrix - mean
    expected = left / np.linalg.norm(left, axis=1, keepdims=True)
    np.testing.assert_allclose(stored, expected, atol=5e-4)
    assert stored.dtype == np.float16


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(518, 20_000))
def test_standardising_in_blocks(seed: int, n: int, values: int) -> None:
    dim = representations.get("fma518").dim
    rng = np.random.default_rng(seed)
    matrix = (rng.normal(size=(n, dim)) * rng.lognormal(sigma=3, size=dim) + 5).astype(np.float32)
    matrix[:, 7] = 0.5
    scale, stored = scaled_in_blocks("fma518", STANDARDISED, matrix, values)
    mean = matrix.mean(axis=0, dtype=np.float64)
    deviation = matrix.std(axis=0, dtype=np.float64)
    expected = np.stack([mean, np.where(deviation > 1e-6, deviation, np.inf)]).astype(np.float32)
    np.testing.assert_array_equal(scale, expected)
    np.testing.assert_array_equal(stored, ((matrix - expected[0]) / expected[1]).astype(np.float16))
    assert not stored[:, 7].any()


def scaled_in_blocks(
    name: str, kind: Scaling, matrix: np.ndarray, values: int
) -> tuple[np.ndarray, np.ndarray]:
    """The scale and the vectors that are stored, where so many values are read at once."""
    with TemporaryDirectory() as aside, pytest.MonkeyPatch.context() as patched:
        patched.setattr(row_reader, "BLOCK_VALUES", values)
        folder = Path(aside)
        storage.save(folder, name, matrix)
        derived.scale(folder, name, kind)
        assert not list(folder.glob(".*"))
        return np.load(folder / f"{name}_scale.npy"), np.load(folder / f"{name}.npy")


def test_neighbours_are_independent_of_block_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = {"vgg_mel": np.random.default_rng(0).normal(size=(30, 8))}
    whole = write_index(tmp_path / "whole", vectors)
    monkeypatch.setattr(derived, "_SIMILARITIES", 100)
    parts = write_index(tmp_path / "parts", vectors)
    for fact in ("neighbours", "similarities"):
        np.testing.assert_allclose(
            parts.array(f"vgg_mel_{fact}"), whole.array(f"vgg_mel_{fact}"), atol=1e-6
        )


def test_large_library_biases_use_fewer_queries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, ...]] = []
    real = hubness_correction.bias
    monkeypatch.setattr(
        hubness_correction, "bias", lambda matrix, rows: asked.append(matrix.shape) or real(matrix, rows)
    )
    rng = np.random.default_rng(0)
    parts = representations.get("soundalike").parts
    vectors = {part: rng.normal(size=(60, representations.get(part).dim)) for part in parts}
    write_index(tmp_path / "all", vectors, ["soundalike"])
    monkeypatch.setattr(derived, "_BIAS_SIMILARITIES", 60 * 20)
    opened = write_index(tmp_path / "some", vectors, ["soundalike"])
    assert asked == [(60, 60), (20, 60)]
    assert opened.array("soundalike_bias").shape == (60,)


def test_progress_counts_every_track_of_every_representation(tmp_path: Path) -> None:
    names = ["vgg_mel", "genre_head"]
    rng = np.random.default_rng(0)
    for name in names:
        storage.save(tmp_path, name, rng.normal(size=(300, 4)).astype(np.float16))
        derived.write_vector_facts(tmp_path, name)
    made_up_tracks(300).to_parquet(tmp_path / index.TRACKS, index=False)
    manifest = {
        "schema": index.SCHEMA,
        "tracks": 300,
        "library": {"folder": ".", "fingerprint": "0" * 64},
        "representations": derived.describe(tmp_path, names),
        "genres": [],
        "models": {},
        "files": {},
    }
    seen = dict.fromkeys(names, 0)

    def count(name: str, tracks: int) -> None:
        seen[name] += tracks

    derived.write_track_facts(tmp_path, manifest, on_tracks=count)
    assert seen == {"vgg_mel": 300, "genre_head": 300}
    index.load(tmp_path, checksums=True)
