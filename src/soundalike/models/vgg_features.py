"""VGG16's feature maps of a clip, computed once per kind of picture.

A kind of picture is a name and a function that draws a clip. Most representations use the mel
spectrogram; others define their own picture.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.features import spectral, spectrogram_image
from soundalike.models import ModelStore, vgg16

DRAWING = "canvas"
"""Renderer of the network's input picture; part of an index's parameters."""

FeatureMaps = WeakKeyDictionary[Clip, NDArray[np.float32]]


@dataclass(frozen=True)
class Picture:
    """A way to draw a clip as VGG16's input.

    Attributes
    ----------
    name : name in the feature cache; a changed drawing needs a new name
    draw : draws a clip as the network's input [shape=(height, width, 3)], uint8 or float32
    grid : rows and columns of the feature map: height and width of the input, each divided by 32
    """

    name: str
    draw: Callable[[Clip], NDArray[np.uint8] | NDArray[np.float32]]
    grid: tuple[int, int] = vgg16.GRID


_images: WeakKeyDictionary[Clip, NDArray[np.uint8]] = WeakKeyDictionary()
_other_maps: WeakKeyDictionary[ModelStore, dict[str, FeatureMaps]] = WeakKeyDictionary()


def mel_image(clip: Clip) -> NDArray[np.uint8]:
    """The clip's mel spectrogram as VGG16's input [shape=(480, 640, 3), BGR]."""
    if clip not in _images:
        _images[clip] = spectrogram_image.canvas(spectral.mel_spectrogram(clip))
    return _images[clip]


MEL = Picture("mel", lambda clip: mel_image(clip))


def feature_map(clip: Clip, models: ModelStore, picture: Picture = MEL) -> NDArray[np.float32]:
    """VGG16's last feature map of a picture of the clip [shape=(*picture.grid, 512)].

    The default picture is the mel spectrogram [shape=(15, 20, 512)]. The map is cached for the clip's
    lifetime, and permanently if the models have a feature cache (which stores float16).
    """
    maps = _maps_of(models, picture)
    if clip not in maps:
        maps[clip] = _cached_map(clip, models, picture)
    return maps[clip]


def _maps_of(models: ModelStore, picture: Picture) -> FeatureMaps:
    if picture == MEL:
        return models.feature_maps
    kinds = _other_maps.setdefault(models, {})
    return kinds.setdefault(picture.name, WeakKeyDictionary())


def _cached_map(clip: Clip, models: ModelStore, picture: Picture) -> NDArray[np.float32]:
    if models.feature_cache is None:
        return models.vgg16(picture.draw(clip))
    samples = hashlib.sha256(np.ascontiguousarray(clip.samples).data).hexdigest()
    drawing = DRAWING if picture == MEL else picture.name
    path = models.feature_cache / f"{drawing}-{models.checksum('vgg16')[:8]}-{samples[:32]}.npy"
    if (kept := _read(path, (*picture.grid, vgg16.CHANNELS))) is not None:
        return kept
    computed = models.vgg16(picture.draw(clip)).astype(np.float16)
    _write(path, computed)
    return computed.astype(np.float32)


def _read(path: Path, shape: tuple[int, int, int]) -> NDArray[np.float32] | None:
    try:
        kept = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return kept.astype(np.float32) if kept.shape == shape else None


def _write(path: Path, array: NDArray[np.float16]) -> None:
    """Write to a temporary file and rename it, so that a killed run leaves no partial file.

    Nothing is kept where nothing can be written, as without a home folder.
    """
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            np.save(file, array)
        Path(aside).replace(path)
