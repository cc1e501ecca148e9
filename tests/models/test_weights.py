"""Tests of model files: round trip, and errors for damaged files."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.errors import ModelError
from soundalike.models import weights

LAYERS = [np.full((2, i), i / 8, np.float32) for i in range(12)]
"""So many that their names would be out of order if they were not padded."""
SHAPES = [array.shape for array in LAYERS]


def test_weights_are_read_in_order_with_further_arrays(tmp_path):
    path = tmp_path / "new" / "model.npz"
    weights.write(path, LAYERS, genres=np.array(["Folk", "Jazz"]))
    with weights.opened(path, "model") as arrays:
        assert list(arrays["genres"]) == ["Folk", "Jazz"]
        found = weights.read(arrays, SHAPES)
    for array, expected in zip(found, LAYERS, strict=True):
        np.testing.assert_array_equal(array, expected)


def test_half_precision_is_read_as_single(tmp_path):
    path = tmp_path / "model.npz"
    weights.write(path, LAYERS, np.float16)
    with weights.opened(path, "model") as arrays:
        assert arrays["weight_03"].dtype == np.float16
        assert {array.dtype for array in weights.read(arrays, SHAPES)} == {np.dtype(np.float32)}


def test_the_same_weights_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        weights.write(tmp_path / name, LAYERS, scale=np.ones(3))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_missing_file_says_what_to_do(tmp_path):
    path = tmp_path / "none.npz"
    with (
        pytest.raises(ModelError, match=r"^The ear .*none\.npz is missing; train one\.$"),
        weights.opened(path, "ear", "train one"),
    ):
        pass


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY", b"no archive"])
def test_a_damaged_file_gives_a_one_line_error(tmp_path, content):
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    with (
        pytest.raises(ModelError, match=r"is damaged; please restore it\.$"),
        weights.opened(path, "model") as arrays,
    ):
        weights.read(arrays, SHAPES)


def test_arrays_of_another_kind_are_rejected(tmp_path):
    path = tmp_path / "model.npz"
    weights.write(path, LAYERS)
    with pytest.raises(ModelError, match="is damaged"), weights.opened(path, "model") as arrays:
        arrays["mean"]
