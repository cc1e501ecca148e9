"""Extract everything that an index needs from one audio file, with a single decode.

Values are requested by name: a representation's vector from its `embed`, or one of these.

    head_input          input of any genre head, VGG16's feature map pooled to 7 x 10 x 512, with which
                        a head can be trained or exchanged without reprocessing the file
    descriptors, keys, fingerprints
                        measurements of `soundalike measure` (described in `measurements`)
    <name>_moments      a representation's embedding per 3 s segment, if it has one
    picture             the clip's mel spectrogram as an image file, uint8
    picture_start       start of the clip within its file, in seconds

Files are processed independently, each with one thread (`threads`), in this process, in others or on
other machines. The same file and models give the same bytes with the same runtime on the same kind of
processor, regardless of the number of processors.
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
"""Increment when extraction changes, to invalidate stored values."""
DESCRIPTORS, KEYS, FINGERPRINTS = track_arrays.DESCRIPTORS, track_arrays.KEYS, track_arrays.FINGERPRINTS
MOMENT_FILES = tuple(
    f"{name}{MOMENTS}" for name, item in representations.REGISTRY.items() if item.moments is not None
)
PICTURE, PICTURE_START = "picture", "picture_start"
LENGTH = "duration_s"
"""Column of an index's table with the length of a track's file in seconds."""

_Take = Callable[[Clip, ModelStore], Any]


@dataclass(frozen=True)
class Extraction:
    """Values extracted from a file.

    Attributes
    ----------
    sha256 : checksum of its content
    tags : the file's tags (`tags.read`), and its length as `LENGTH`
    values : the requested values, by name
    """

    sha256: str
    tags: dict[str, str]
    values: dict[str, NDArray[Any]]


@dataclass(frozen=True)
class ExtractionFailure:
    """Reason why extraction fails for a file; `sha256` is "" if a retry may succeed."""

    sha256: str
    reason: str


@dataclass(frozen=True)
class _Kind:
    """A value other than a representation: its function, storage format and required networks.

    Its shape is None if it differs between files.
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
    """Decode a file and extract the requested values; always returns, whatever the file contains.

    Raises
    ------
    ModelError
        If a network is missing or damaged, which isn't the file's fault.
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
        # No decoder or analysis failure on one file may stop a run over thousands.
        return ExtractionFailure(sha256, f"This file cannot be analysed ({type(error).__name__}).")
    facts = tags.read(path) | {LENGTH: f"{clip.source_duration:.2f}"}
    return Extraction(sha256, facts, values)


def stated_length(path: Path) -> str:
    """A file's length in seconds by its header; "" if it states none or can't be read."""
    try:
        seconds = decoding.probe(path).duration
    except AudioError:
        return ""
    return "" if seconds is None else f"{seconds:.2f}"


def dtype(name: str) -> np.dtype[Any]:
    """Storage type of a value: float32 if the index will scale it, otherwise float16."""
    if name in _KINDS:
        return np.dtype(_KINDS[name].dtype)
    return np.dtype(np.float32 if representations.get(name).scaling else np.float16)


def shape(name: str) -> tuple[int, ...]:
    """Shape of a value; variable for a picture, which has any number of bytes."""
    if name not in _KINDS:
        return (representations.get(name).dim,)
    found = _KINDS[name].shape
    assert found is not None
    return found


def models_of(name: str) -> tuple[str, ...]:
    """The networks that a value is computed with."""
    return _KINDS[name].models if name in _KINDS else representations.get(name).models


def digest(name: str, models: ModelStore) -> str:
    """Digest of everything besides the file that a value depends on: networks and preprocessing.

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
