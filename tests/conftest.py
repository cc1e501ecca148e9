"""Fixtures that every test may use."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from audio_files import Encode, encoded
from hypothesis import HealthCheck, settings
from schedule import Schedule, turn

from soundalike import paths, threads
from soundalike.index import index as indices
from soundalike.index.index import Index
from soundalike.models import ModelStore, runtime
from soundalike.words import library
from soundalike.words.library import LibraryWords

# How long an example takes depends on what else the machine does.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where several processes share a run."""
    return Schedule(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Where processes share the processors a network takes one: its threads wait for each other."""
    if hasattr(config, "workerinput"):
        threads._networks.set(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long."""
    items.sort(key=lambda item: turn(item.nodeid))


@pytest.fixture(scope="module", autouse=True)
def spared_collector() -> None:
    """Keep the garbage collector, which Streamlit calls after each run, from what has been imported."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def cold_start() -> Iterator[None]:
    """Keep pages that tests run from loading the networks in the background."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOUNDALIKE_WARM_UP", "0")
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference values that lies beside the project."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared, which CI has")
    return SHARED


@pytest.fixture(scope="session")
def library_clip() -> Path:
    """A clip of the starter library, 30 s of Opus."""
    return ROOT / "assets" / "library" / "clips" / "0001.opus"


@pytest.fixture(scope="session")
def models() -> ModelStore:
    """The bundled networks."""
    return ModelStore()


@pytest.fixture(scope="session")
def bundled() -> Index:
    """The bundled library's index."""
    return indices.load(paths.BUNDLED_INDEX)


@pytest.fixture(scope="session")
def words(bundled: Index, models: ModelStore) -> LibraryWords:
    """The words of the bundled library's tracks."""
    found = library.of(bundled, models)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def exact_models() -> ModelStore:
    """The bundled networks in single precision, whatever the processor likes better."""
    store = ModelStore()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(runtime.VARIABLE, runtime.OPENVINO_F32)
        # The runtime is chosen when a network is loaded.
        assert store.vgg16
        assert store.tagger
        assert store.yamnet
    return store


@pytest.fixture(scope="session")
def encode() -> Encode:
    """Writes an audio file and returns its bytes; see `encoded`."""
    return encoded
