"""Tests that the float16 conversion equals NumPy's for all finite numbers."""

from __future__ import annotations

import numpy as np

from soundalike.index import row_reader

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
