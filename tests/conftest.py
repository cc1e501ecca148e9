"""Fixtures that every test may use."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from audio_files import Encode, encoded

from soundalike.models import ModelStore, runtime

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
SHARED = ROOT.parent / "shared"


LONGEST_FIRST = (
    *("e2e/test_anatomy.py", "e2e/test_compare.py", "e2e/", "test_resume.py", "test_threads.py"),
    *("cli/test_recommend_real.py", "evaluation/test_reference.py", "training/", "test_fma_pipeline.py"),
    *("system/", "test_workers.py", "models/", "cli/", "representations/", "projection/", "pages/"),
    *("ui/", "playlist/", "indexing/", "audio/"),
)
"""Files and folders that take long come first, so that none is left for one process at the end."""
BROWSERS = (("about", "accessibility", "anatomy", "features", "map"), ())
"""What is shared out among servers and browsers of their own; the last takes the other files."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process, unless one says otherwise, and those of a browser."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=_turn)


def _group(item: pytest.Item) -> str:
    path = item.path.relative_to(TESTS)
    if path.parts[0] != "e2e":
        return str(path)
    name = item.path.stem.removeprefix("test_")
    return f"browser {next((i for i, names in enumerate(BROWSERS) if name in names), len(BROWSERS) - 1)}"


def _turn(item: pytest.Item) -> int:
    path = str(item.path.relative_to(TESTS))
    return next((i for i, part in enumerate(LONGEST_FIRST) if part in path), len(LONGEST_FIRST))


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
