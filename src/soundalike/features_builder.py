"""What the pages need of an index beside its embeddings, measured once for every track.

    descriptors         what a clip is in plain quantities (`spectral_summary`)
    pictures, …_places  its mel spectrogram (`moments`)
    keys                its key, if one stands out (`harmony`)
    fingerprints        to tell copies from other recordings (`fingerprint`)
    duplicates          the pairs of tracks that are one recording (`duplicates`)
    soundalike_moments  its `soundalike` vector by stretches of 3 s (`explain`), where the index has it

Without them the app still works: labels are built from genres alone, pictures are drawn on demand, and
an order by tempo or a key that fits cannot be asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike import (
    audio,
    duplicates,
    explain,
    fingerprint,
    harmony,
    index_files,
    moments,
    representations,
    spectral_summary,
)
from soundalike import index as indices
from soundalike.audio import Clip
from soundalike.index import Index
from soundalike.models import ModelStore

FILES = (
    spectral_summary.FILE,
    moments.PICTURES,
    moments.PLACES,
    harmony.FILE,
    fingerprint.FILE,
    duplicates.FILE,
    explain.MOMENTS,
)
_SOUNDALIKE = "soundalike"


def add(index: Index, models: ModelStore, on_track: Callable[[str], None] = lambda file: None) -> None:
    """`build`, and name the arrays in the index's manifest, so that opening it checks them."""
    build(index, models, on_track)
    register(index.folder)


def register(folder: Path) -> None:
    """Name the arrays that are in an index folder in its manifest."""
    path = folder / indices.MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for name in FILES:
        array = folder / f"{name}.npy"
        if array.is_file():
            manifest["files"][array.name] = index_files.file_facts(array)
    manifest["files"] = dict(sorted(manifest["files"].items()))
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(index_files.manifest_text(manifest), encoding="utf-8")
    aside.replace(path)


def build(index: Index, models: ModelStore, on_track: Callable[[str], None] = lambda file: None) -> None:
    """Decode and measure every track, and write the arrays into the index's folder.

    Parameters
    ----------
    index : the index; its manifest is left as it is
    models : the networks that it was built with
    on_track : called after each track with its file name, for a progress bar

    Raises
    ------
    AudioError
        If a file cannot be decoded.
    IndexFolderError, ModelError
        If the networks are missing or are not the index's.
    """
    index.check_models(models)
    kinds: dict[str, Callable[[Clip], Any]] = {
        spectral_summary.FILE: spectral_summary.summarise,
        harmony.FILE: harmony.of,
        fingerprint.FILE: fingerprint.of,
    }
    if _SOUNDALIKE in index.stored:
        kinds[explain.MOMENTS] = lambda clip: representations.soundalike.moments(clip, models)
    types = {harmony.FILE: np.int8, explain.MOMENTS: np.float16, fingerprint.FILE: np.uint32}
    found: dict[str, list[Any]] = {name: [] for name in kinds}
    pictures = []
    for row in range(len(index)):
        clip = audio.analysis_window(audio.decode(index.path(row)))
        for name, measure in kinds.items():
            found[name].append(measure(clip))
        pictures.append(moments.draw(clip))
        on_track(index.fact("file", row))
    arrays: dict[str, NDArray[Any]] = {
        name: np.array(values, types.get(name, np.float32)) for name, values in found.items()
    }
    arrays[moments.PICTURES], arrays[moments.PLACES] = moments.pack(pictures)
    arrays[duplicates.FILE] = duplicates.find(index, arrays[fingerprint.FILE])
    for name, array in arrays.items():
        np.save(index.folder / f"{name}.npy", array, allow_pickle=False)
