"""Fixtures around the small real library; a test module asks for them with `pytest_plugins`."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_artefacts import made_once, shared_folder
from small_library import copy_library

from soundalike import representations
from soundalike.datasets import library
from soundalike.index import index
from soundalike.index.index import Index
from soundalike.indexing import builder
from soundalike.indexing.builder import BuildPlan
from soundalike.models import ModelStore

NAMES = ("vgg_genre", "vgg_mel", "genre_head")
"""The representations that share one pass of VGG16."""
DEFAULT = (representations.DEFAULT,)


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "small_library", copy_library)


@pytest.fixture(scope="session")
def small_models(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    """The shipped networks; a clip seen before in this run costs no forward pass."""
    return ModelStore(feature_cache=shared_folder(tmp_path_factory) / "features")


@pytest.fixture(scope="session")
def small_index(
    small_folder: Path, small_models: ModelStore, tmp_path_factory: pytest.TempPathFactory
) -> Index:
    def build(out: Path) -> None:
        built = builder.build(library.load(small_folder), out, small_models, BuildPlan(NAMES))
        assert built.skipped == ()

    return index.load(made_once(tmp_path_factory, "small_index", build))


@pytest.fixture(scope="session")
def default_index(
    small_folder: Path, models: ModelStore, tmp_path_factory: pytest.TempPathFactory
) -> Index:
    """The small library by the default representation, with all that `soundalike measure` adds."""

    def build(out: Path) -> None:
        plan = BuildPlan(DEFAULT, measured=True)
        assert builder.build(library.load(small_folder), out, models, plan).skipped == ()

    return index.load(made_once(tmp_path_factory, "default_index", build))
