"""Tests of the model store: loading once, checksums, and errors for missing files."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest

from soundalike import paths
from soundalike.errors import ModelError
from soundalike.models import FILES, ModelStore


def test_each_network_is_loaded_once(models):
    assert models.vgg16 is models.vgg16
    assert models.genre_head is models.genre_head


@pytest.mark.parametrize("name", FILES)
def test_checksums_are_those_of_the_files(name, models):
    expected = hashlib.sha256((paths.MODELS / FILES[name]).read_bytes()).hexdigest()
    assert models.checksum(name) == expected


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_has_no_checksum(name, tmp_path):
    with pytest.raises(ModelError, match=r"is missing; please restore it\.$"):
        ModelStore(tmp_path).checksum(name)


def test_a_missing_network(tmp_path):
    store = ModelStore(tmp_path)
    for load in (lambda: store.vgg16, lambda: store.genre_head):
        with pytest.raises(ModelError, match="is missing"):
            load()


def test_another_genre_head_than_the_folders(models, tmp_path):
    path = tmp_path / "own.npz"
    models.genre_head.save(path)
    store = ModelStore(genre_head=path)
    assert store.genre_head.genres == models.genre_head.genres
    assert store.checksum("genre_head") == paths.sha256_of(path)
    assert store.checksum("vgg16") == models.checksum("vgg16")


def test_a_store_with_other_files_shares_the_rest(models, tmp_path):
    path = tmp_path / "own.npz"
    models.genre_head.save(path)
    own = models.with_files(genre_head=path)
    assert own.genre_head is not models.genre_head
    assert own.genre_head is own.genre_head
    assert own.vgg16 is models.vgg16
    assert own.feature_maps is models.feature_maps
    assert own.checksum("genre_head") == paths.sha256_of(path)
    assert own.checksum("vgg16") == models.checksum("vgg16")
    assert own.file("genre_head") == path
    assert own.file("vgg16") == models.file("vgg16")
    assert own.names == models.names
    with pytest.raises(ModelError, match="no model 'factors'"):
        own.file("factors")


def test_a_store_with_other_files_may_have_more_models(models, tmp_path):
    own = models.with_files(factors=tmp_path / "factors.npz")
    assert own.names == models.names | {"factors"}
    with pytest.raises(ModelError, match="is missing"):
        own.checksum("factors")
    with pytest.raises(ModelError, match="listening data"):
        _ = models.factors


def test_importing_the_package_imports_no_tensorflow():
    code = (
        "import sys; from soundalike import models, representations; models.ModelStore();"
        "from soundalike.playlist import query;"
        "print([name for name in ('tensorflow', 'keras', 'librosa') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
