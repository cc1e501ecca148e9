"""What the Features page needs beside the embeddings, measured once for an index.

Three arrays: each track's spectral descriptors (`spectral_summary`), and its picture (`moments`) in two.
Without them the page still works: labels are built from genres alone, and pictures are drawn on demand.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from soundalike import audio, index_builder, moments, spectral_summary
from soundalike import index as indices
from soundalike.index import Index

FILES = (spectral_summary.FILE, moments.PICTURES, moments.PLACES)


def add(index: Index, on_track: Callable[[str], None] = lambda file: None) -> None:
    """`build`, and name the arrays in the index's manifest, so that opening it checks them."""
    build(index, on_track)
    register(index.folder)


def register(folder: Path) -> None:
    """Name the arrays that are in an index folder in its manifest."""
    path = folder / indices.MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for name in FILES:
        array = folder / f"{name}.npy"
        manifest["files"][array.name] = index_builder.file_facts(array)
    manifest["files"] = dict(sorted(manifest["files"].items()))
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(index_builder.manifest_text(manifest), encoding="utf-8")
    aside.replace(path)


def build(index: Index, on_track: Callable[[str], None] = lambda file: None) -> None:
    """Decode and measure every track, and write the arrays into the index's folder.

    Parameters
    ----------
    index : the index; its manifest is left as it is
    on_track : called after each track with its file name, for a progress bar

    Raises
    ------
    AudioError
        If a file cannot be decoded.
    """
    descriptors = np.empty((len(index), spectral_summary.SIZE), np.float32)
    pictures = []
    for row in range(len(index)):
        clip = audio.analysis_window(audio.decode(index.path(row)))
        descriptors[row] = spectral_summary.summarise(clip)
        pictures.append(moments.draw(clip))
        on_track(str(index.tracks["file"].iloc[row]))
    content, places = moments.pack(pictures)
    np.save(index.folder / f"{spectral_summary.FILE}.npy", descriptors, allow_pickle=False)
    np.save(index.folder / f"{moments.PICTURES}.npy", content, allow_pickle=False)
    np.save(index.folder / f"{moments.PLACES}.npy", places, allow_pickle=False)
