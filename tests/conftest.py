"""Fixtures that every test may use."""

from __future__ import annotations

import gc
import io
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import ArrayLike

from soundalike.models import ModelStore, runtime

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

Encode = Callable[..., bytes]


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


def encoded(
    samples: ArrayLike,
    sample_rate: int = 48_000,
    container: str = "wav",
    codec: str = "pcm_s16le",
    layout: str | None = None,
    tags: dict[str, str] | None = None,
) -> bytes:
    """An audio file, as bytes.

    Parameters
    ----------
    samples : [shape=(n,) or (channels, n)], in [-1, 1]
    container, codec : FFmpeg's names; "vorbis" takes stereo only
    layout : FFmpeg's name of the channel layout; by default mono, stereo or 7.1
    """
    channels = np.atleast_2d(np.asarray(samples, np.float32))
    layout = layout or {1: "mono", 2: "stereo", 8: "7.1"}[len(channels)]
    frame = av.AudioFrame.from_ndarray(channels.T.reshape(1, -1), format="flt", layout=layout)
    frame.sample_rate, frame.time_base, frame.pts = sample_rate, Fraction(1, sample_rate), 0
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        output.metadata.update(tags or {})
        options = {"strict": "experimental"} if codec == "vorbis" else {}
        stream = output.add_stream(codec, rate=sample_rate, layout=layout, options=options)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return file.getvalue()
