"""What an index takes from one audio file: one decode, and everything that is wanted of the clip.

A want is a name: a representation's vector as its `embed` gives it, or one of these.

    head_input          what any genre head reads, VGG16's feature map pooled to 7 x 10 x 512, so that a
                        head can be trained or exchanged after the file has been heard
    descriptors, keys, fingerprints
                        what `soundalike measure` adds (`features_builder` says what they are)
    <name>_moments      a representation's embedding by stretches of 3 s, where it has such
    picture             the clip's mel spectrogram as a picture's bytes, uint8
    picture_start       where in its file the clip begins, in seconds

Files are taken one at a time, each by itself and with one thread (`threads`), here or in another process
or on another machine: the same file and models give the same bytes by the same runtime on the same kind
of processor, however many of them there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from soundalike import paths, representations, threads
from soundalike.audio import decoding, tags
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import Clip
from soundalike.errors import AudioError, SoundalikeError
from soundalike.features import fingerprint, key, thumbnail, track_descriptors
from soundalike.index import track_arrays
from soundalike.models import ModelStore, genre_head, stretches, vgg_features
from soundalike.models.stretches import MOMENTS as MOMENTS

HEAD_INPUT = "head_input"
HEAD_INPUT_SHAPE = (7, 10, 512)
VERSION = "2"
"""To be raised when something is taken in another way, so that what is known is not taken for it."""
DESCRIPTORS, KEYS, FINGERPRINTS = track_arrays.DESCRIPTORS, track_arrays.KEYS, track_arrays.FINGERPRINTS
MOMENT_FILES = tuple(
    f"{name}{MOMENTS}" for name, item in representations.REGISTRY.items() if item.moments is not None
)
PICTURE, PICTURE_START = "picture", "picture_start"

_Take = Callable[[Clip, ModelStore], Any]


@dataclass(frozen=True)
class Extraction:
    """What was taken from a file.

    Attributes
    ----------
    sha256 : of its content
    tags : what it says of itself (`tags.read`)
    values : what was wanted, by name
    """

    sha256: str
    tags: dict[str, str]
    values: dict[str, NDArray[Any]]


@dataclass(frozen=True)
class ExtractionFailure:
    """Why nothing can be taken from a file; `sha256` is "" where it may be worth another try."""

    sha256: str
    reason: str


@dataclass(frozen=True)
class _Kind:
    """A want that is no representation: how it is taken, kept, and which networks it needs.

    Its shape is None where files differ.
    """

    extract: _Take
    dtype: DTypeLike
    shape: tuple[int, ...] | None
    models: tuple[str, ...] = ()


_KINDS = {
    HEAD_INPUT: _Kind(
        lambda clip, models: genre_head.head_input(vgg_features.feature_map(clip, models)),
        np.float16,
        HEAD_INPUT_SHAPE,
        ("vgg16",),
    ),
    DESCRIPTORS: _Kind(
        lambda clip, models: track_descriptors.summarise(clip), np.float32, (track_descriptors.SIZE,)
    ),
    KEYS: _Kind(lambda clip, models: key.estimate(clip), np.int8, (2,)),
    FINGERPRINTS: _Kind(lambda clip, models: fingerprint.of(clip), np.uint32, (fingerprint.N_FRAMES,)),
    PICTURE: _Kind(
        lambda clip, models: np.frombuffer(thumbnail.draw(clip).content, np.uint8), np.uint8, None
    ),
    PICTURE_START: _Kind(lambda clip, models: clip.start, np.float64, ()),
} | {
    f"{name}{MOMENTS}": _Kind(item.moments, np.float16, (stretches.COUNT, item.dim), item.models)
    for name, item in representations.REGISTRY.items()
    if item.moments is not None
}


@threads.single_threaded()
def extract(path: Path, wanted: Sequence[str], models: ModelStore) -> Extraction | ExtractionFailure:
    """Decode a file and take what is wanted; whatever the file holds, this returns.

    Raises
    ------
    ModelError
        If a network is missing or damaged, which is not the file's fault.
    """
    sha256 = ""
    try:
        sha256 = paths.sha256_of(path)
        clip = analysis_window(decoding.decode(path))
        values = {name: _value(name, clip, models) for name in wanted}
    except AudioError as error:
        return ExtractionFailure(sha256, str(error))
    except OSError as error:
        return ExtractionFailure("", f"This file cannot be read: {error.strerror or 'unknown reason'}.")
    except MemoryError:
        return ExtractionFailure("", "This file takes more memory than there is.")
    except SoundalikeError:
        raise
    except Exception as error:  # noqa: BLE001
        # Whatever a file does to a decoder or an analysis, it must not stop a run over thousands.
        return ExtractionFailure(sha256, f"This file cannot be analysed ({type(error).__name__}).")
    return Extraction(sha256, tags.read(path), values)


def dtype(name: str) -> np.dtype[Any]:
    """How a wanted thing is kept: what an index will scale with every digit, the others in half."""
    if name in _KINDS:
        return np.dtype(_KINDS[name].dtype)
    return np.dtype(np.float32 if representations.get(name).scaling else np.float16)


def shape(name: str) -> tuple[int, ...]:
    """The shape of a wanted thing, but for a picture, which has as many bytes as it takes."""
    if name not in _KINDS:
        return (representations.get(name).dim,)
    found = _KINDS[name].shape
    assert found is not None
    return found


def models_of(name: str) -> tuple[str, ...]:
    """The networks that a wanted thing is taken by."""
    return _KINDS[name].models if name in _KINDS else representations.get(name).models


def digest(name: str, models: ModelStore) -> str:
    """What a wanted thing depends on besides the file: its networks, and how they are shown a clip.

    Raises
    ------
    ModelError
        If a network's file is missing.
    """
    needed = models_of(name)
    parts = [VERSION, *(f"{model} {models.checksum(model)}" for model in needed)]
    if "vgg16" in needed:
        parts.append(vgg_features.DRAWING)
    return "\n".join(parts)


def _value(name: str, clip: Clip, models: ModelStore) -> NDArray[Any]:
    kind = _KINDS.get(name)
    value = representations.get(name).embed(clip, models) if kind is None else kind.extract(clip, models)
    return np.asarray(value, dtype(name))
