"""Reading an array from its file, and converting float16 as NumPy does for all finite numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundalike.errors import IndexFolderError
from soundalike.index import row_reader
from soundalike.index.row_reader import RowReader

ALL = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
FINITE = ALL[np.isfinite(ALL)]


def test_all_finite_numbers_to_the_last_bit() -> None:
    found = row_reader.half_to_float32(FINITE)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found.view(np.uint32), FINITE.astype(np.float32).view(np.uint32))


def test_any_shape_over_several_blocks_and_into_a_given_array() -> None:
    wanted = np.resize(FINITE, (3, 70_001))
    out = np.empty(wanted.shape, np.float32)
    assert row_reader.half_to_float32(wanted, out) is out
    np.testing.assert_array_equal(out, wanted.astype(np.float32))
    assert row_reader.half_to_float32(np.empty((0, 4), np.float16)).shape == (0, 4)


@pytest.fixture(params=[np.float16, np.float32])
def written(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, np.ndarray]:
    """An array that is read in many pieces."""
    monkeypatch.setattr(row_reader, "_PIECE_VALUES", 30)
    monkeypatch.setattr(row_reader, "_COLUMN_BYTES", 200)
    values = np.random.default_rng(0).normal(size=(301, 7)).astype(request.param)
    np.save(tmp_path / "values.npy", values)
    return tmp_path / "values.npy", values.astype(np.float32)


def test_rows_and_columns_of_a_file(written: tuple[Path, np.ndarray]) -> None:
    path, values = written
    reader = RowReader(path)
    rows = np.array([300, 0, 5, 5, *range(40)])
    np.testing.assert_array_equal(reader.rows(rows), values[rows])
    for column in (0, 6):
        np.testing.assert_array_equal(reader.column(column), values[:, column])


def test_rows_and_columns_of_a_subset(written: tuple[Path, np.ndarray]) -> None:
    path, values = written
    rows = np.random.default_rng(1).permutation(301)[:90]
    reader, part = RowReader(path).subset(rows), values[rows]
    np.testing.assert_array_equal(reader.rows([3, 80]), part[[3, 80]])
    np.testing.assert_array_equal(reader.column(2), part[:, 2])
    blocks = list(reader.blocks(25))
    np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), part)
    assert [places.start for places, _ in blocks] == [0, 25, 50, 75]


def test_a_file_that_was_cut_short_is_damaged(written: tuple[Path, np.ndarray]) -> None:
    path, _ = written
    reader = RowReader(path)
    path.write_bytes(path.read_bytes()[:400])
    for read in (
        lambda: reader.rows([300]),
        lambda: reader.column(0),
        lambda: list(reader.blocks()),
    ):
        with pytest.raises(IndexFolderError, match="damaged"):
            read()
