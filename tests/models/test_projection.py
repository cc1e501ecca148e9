"""Tests of the linear projection: against scikit-learn's components, and what it keeps."""

from __future__ import annotations

import io

import numpy as np
import pytest
from sklearn.decomposition import PCA

from soundalike import paths
from soundalike.errors import ModelError
from soundalike.models import projection
from soundalike.models.projection import Projection


def vectors(n: int = 80, dim: int = 12, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, dim)) @ rng.normal(size=(dim, dim)) + 10 * rng.normal(size=dim)


def npz(**values) -> bytes:
    file = io.BytesIO()
    np.savez(file, **values)
    return file.getvalue()


def test_same_components_as_scikit_learn():
    data = vectors()
    found = projection.fit(data, 5)(data)
    expected = PCA(5).fit_transform((data - data.mean(axis=0)) / data.std(axis=0))
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found, expected * signs, atol=1e-4)


def test_all_components_keep_every_angle():
    data = vectors()
    fitted = projection.fit(data, 12)
    standardised = (data - data.mean(axis=0)) / data.std(axis=0)
    projected = fitted(data)
    np.testing.assert_allclose(projected @ projected.T, standardised @ standardised.T, atol=1e-3)
    np.testing.assert_allclose(fitted.components.T @ fitted.components, np.eye(12), atol=1e-6)


def test_directions_come_in_order_with_a_fixed_sign():
    data = vectors()
    fitted = projection.fit(data, 12)
    assert (np.diff(fitted(data).var(axis=0)) < 0).all()
    largest = np.abs(fitted.components).argmax(axis=0)
    assert (fitted.components[largest, np.arange(12)] > 0).all()


def test_scale_and_offset_of_what_comes_in_do_not_matter():
    data = vectors()
    factor, offset = np.geomspace(0.01, 100, 12), np.linspace(-5, 5, 12)
    changed = data * factor + offset
    one, other = projection.fit(data, 4)(data), projection.fit(changed, 4)(changed)
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_a_constant_number_adds_nothing():
    data = np.hstack([vectors(), np.full((80, 1), 3.0)])
    fitted = projection.fit(data, 12)
    np.testing.assert_allclose(fitted(data)[:, :6], projection.fit(vectors(), 6)(vectors()), atol=1e-4)
    assert fitted.scale[12] == 1.0


def test_one_vector_or_several():
    data = vectors().astype(np.float32)
    fitted = projection.fit(data, 3)
    assert fitted(data[0]).shape == (3,)
    assert fitted(data[0]).dtype == np.float32
    np.testing.assert_allclose(fitted(data)[7], fitted(data[7]), atol=1e-5)


def test_what_was_saved_is_loaded(tmp_path):
    fitted = projection.fit(vectors(), 3)
    fitted.save(tmp_path / "one.npz")
    loaded = Projection.load(tmp_path / "one.npz")
    loaded.save(tmp_path / "two.npz")
    np.testing.assert_array_equal(loaded.components, fitted.components)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


@pytest.mark.parametrize(
    ("data", "n_out", "message"),
    [
        (np.zeros((1, 4)), 2, "at least two vectors"),
        (np.zeros(4), 2, "at least two vectors"),
        (np.full((3, 4), np.nan), 2, "must be finite"),
        (np.zeros((3, 4)), 0, "n_out must lie between 1 and 4"),
        (np.zeros((3, 4)), 5, "n_out must lie between 1 and 4"),
    ],
)
def test_malformed_vectors(data, n_out, message):
    with pytest.raises(ValueError, match=message):
        projection.fit(data, n_out)


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match=r"is missing; .*\.$"):
        Projection.load(tmp_path / "none.npz")


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: (paths.MODELS / "soundalike.npz").read_bytes()[:5_000],
        npz,
        lambda: npz(mean=np.zeros(3), scale=np.ones(3), components=np.zeros((4, 2))),
        lambda: npz(mean=np.zeros(3), scale=np.ones(2), components=np.zeros((3, 2))),
        lambda: npz(mean=np.array([None]), scale=np.ones(1), components=np.zeros((1, 1))),
    ],
    ids=["empty", "truncated", "no arrays", "other components", "other scale", "objects"],
)
def test_a_damaged_file(make, tmp_path):
    path = tmp_path / "projection.npz"
    path.write_bytes(make())
    with pytest.raises(ModelError, match=r"is damaged; .*\.$") as caught:
        Projection.load(path)
    assert str(path) in str(caught.value)
