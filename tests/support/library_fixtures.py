"""Fixtures around the small real library; a test module asks for them with `pytest_plugins`."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_library import copy_library

from soundalike import representations
from soundalike.datasets import library
from soundalike.index.index import Index
from soundalike.indexing import builder
from soundalike.indexing.builder import BuildPlan
from soundalike.models import ModelStore

NAMES = ("vgg_genre", "vgg_mel", "genre_head")
"""The representations that share one pass of VGG16."""
DEFAULT = (representations.DEFAULT,)


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_library(tmp_path_factory.mktemp("small") / "library")


@pytest.fixture(scope="session")
def small_models(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    """The shipped networks; a clip seen before in this session costs no forward pass."""
    return ModelStore(feature_cache=tmp_path_factory.mktemp("features"))


@pytest.fixture(scope="session")
def small_index(small_folder: Path, small_models: ModelStore) -> Index:
    out = small_folder.parent / "index"
    built = builder.build(library.load(small_folder), out, small_models, BuildPlan(NAMES))
    assert built.skipped == ()
    return built.index


@pytest.fixture(scope="session")
def default_index(small_folder: Path, models: ModelStore) -> Index:
    """The small library by the default representation, with all that `soundalike measure` adds."""
    out = small_folder.parent / "default"
    return builder.build(
        library.load(small_folder), out, models, BuildPlan(DEFAULT, measured=True)
    ).index
