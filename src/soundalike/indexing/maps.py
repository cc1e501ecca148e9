"""Add maps to an index: one array per representation and setting, and their entries in the manifest.

The manifest's `maps` has for each array its representation, setting, seed, the versions of the software,
and its trustworthiness with the number of tracks and neighbours it was computed from. For a large
library, it also has the number of tracks that UMAP laid out (`fitted_tracks`); the others were placed
among them.

While arrays are replaced, the manifest lists no maps: a killed run leaves a valid index without maps.
Nothing else in the folder is changed. The same index gives the same bytes on the same kind of processor,
regardless of the number of processors.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike import representations, threads
from soundalike.index import index as indices
from soundalike.index import storage, subset
from soundalike.index.index import Index
from soundalike.projection import layout, placement, quality
from soundalike.projection.layout import DEFAULT, MIN_TRACKS, SETTINGS, Setting

OnMap = Callable[[str], None]
"""Called after each map with its array's name."""


@threads.single_threaded_blas()
def add(
    folder: Path,
    settings: Sequence[Setting] = SETTINGS,
    seed: int = layout.SEED,
    on_map: OnMap = lambda name: None,
) -> Index:
    """Compute the maps of an index and add them to its folder, replacing existing ones.

    An index of fewer than `layout.MIN_TRACKS` tracks gets no maps.

    Parameters
    ----------
    folder : an index
    settings : settings of the maps for each representation
    seed : random seed of UMAP
    on_map : progress callback, called after each map

    Returns
    -------
    the reopened index

    Raises
    ------
    IndexFolderError
        If the folder is not an index, or is damaged.
    """
    opened = indices.load(folder)
    made: dict[str, tuple[NDArray[np.float32], dict[str, Any]]] = {}
    if len(opened) >= MIN_TRACKS:
        for representation in mapped(opened):
            for setting, points, facts in _maps(opened, representation, settings, seed):
                name = layout.array_name(representation, setting)
                made[name] = points, facts
                on_map(name)
    _write(folder, made)
    return indices.load(folder)


def mapped(index: Index) -> list[str]:
    """Representations of an index that get maps: the first ones offered, among those with vectors."""
    return representations.main(name for name in index.names if index.has_vectors(name))


def _maps(
    opened: Index, representation: str, settings: Sequence[Setting], seed: int
) -> Iterator[tuple[Setting, NDArray[np.float32], dict[str, Any]]]:
    """Map for each setting; the default one first, because the others are aligned with it."""
    ordered = sorted(settings, key=lambda setting: (setting != DEFAULT, setting))
    rows = layout.fitted_rows(len(opened), seed)
    others = np.setdiff1d(np.arange(len(opened)), rows)
    fitted = subset.of(opened, representation, rows) if len(others) else opened
    reference: NDArray[np.float32] | None = None
    metrics = sorted({setting.metric for setting in ordered})
    found = {
        metric: layout.neighbours(
            fitted, representation, metric, _most_neighbours(ordered, metric), seed
        )
        for metric in metrics
    }
    near = {
        metric: layout.nearest_fitted(opened, fitted, representation, metric, others)
        for metric in metrics
    }
    for setting in ordered:
        laid_out = layout.layout(found[setting.metric], setting, seed)
        laid_out = layout.align(laid_out, reference)
        if reference is None and setting.dims == 2:
            reference = laid_out
        points = np.zeros((len(opened), setting.dims), np.float32)
        points[rows] = laid_out
        points[others] = _placed(laid_out, *near[setting.metric])
        yield setting, points, _facts(opened, representation, setting, points, seed)


def _placed(
    points: NDArray[np.float32], rows: NDArray[np.intp], distances: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Positions of tracks among those that UMAP laid out."""
    if not len(rows):
        return np.empty((0, points.shape[1]), np.float32)
    return placement.medians(points[rows], placement.weights(distances))


def _most_neighbours(settings: Sequence[Setting], metric: str) -> int:
    return max(setting.n_neighbors for setting in settings if setting.metric == metric)


def _facts(
    opened: Index, representation: str, setting: Setting, points: NDArray[np.float32], seed: int
) -> dict[str, Any]:
    trust = quality.trustworthiness(opened, representation, setting.metric, points, seed)
    sampled = {"fitted_tracks": layout.FITTED} if len(opened) > layout.FITTED else {}
    return {
        "representation": representation,
        **asdict(setting),
        "seed": seed,
        **sampled,
        "umap": version("umap-learn"),
        "trustworthiness": round(trust, 4),
        "trustworthiness_neighbours": quality.trust_neighbours(len(opened)),
        "trustworthiness_tracks": min(len(opened), quality.TRUST_SAMPLE),
    }


def _write(folder: Path, made: dict[str, tuple[NDArray[np.float32], dict[str, Any]]]) -> None:
    manifest = json.loads((folder / indices.MANIFEST).read_text(encoding="utf-8"))
    old = [file for file in manifest["files"] if file.startswith(layout.PREFIX)]
    manifest.pop("maps", None)
    manifest["files"] = {file: facts for file, facts in manifest["files"].items() if file not in old}
    _replace(folder / indices.MANIFEST, storage.manifest_text(manifest).encode())
    for file in old:
        (folder / file).unlink(missing_ok=True)
    for name, (points, _) in made.items():
        path = folder / f"{name}.npy"
        np.save(path, points, allow_pickle=False)
        manifest["files"][path.name] = storage.file_facts(path)
    manifest["maps"] = {name: facts for name, (_, facts) in sorted(made.items())}
    manifest["files"] = dict(sorted(manifest["files"].items()))
    _replace(folder / indices.MANIFEST, storage.manifest_text(manifest).encode())


def _replace(path: Path, content: bytes) -> None:
    aside = path.with_name(f".{path.name}.part")
    aside.write_bytes(content)
    aside.replace(path)
