"""Writing an index folder: arrays, and the manifest with every file's size and checksum.

A manifest is replaced as a whole. What is added to an index later is written while the manifest does not
know it, so that a killed run leaves an index that is whole without it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from soundalike import paths
from soundalike.index import storage


def save(folder: Path, name: str, array: NDArray[Any]) -> None:
    """Write one array of an index, by file name without `.npy`."""
    np.save(folder / f"{name}.npy", array, allow_pickle=False)


def create(folder: Path, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> np.memmap[Any, Any]:
    """An array of an index that is filled on disk, row by row; to be flushed when it is full."""
    path = folder / f"{name}.npy"
    array = np.lib.format.open_memmap(path, "w+", np.dtype(dtype), shape)
    if hasattr(os, "posix_fallocate"):
        # All of its room now: a full disk is an error here, and a fatal signal where pages are written.
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


def file_facts(path: Path) -> dict[str, Any]:
    """What the manifest says of a file: size, checksum, and of an array its shape and type."""
    facts: dict[str, Any] = {"bytes": path.stat().st_size, "sha256": paths.sha256_of(path)}
    if path.suffix == ".npy":
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        facts |= {"shape": list(array.shape), "dtype": str(array.dtype)}
    return facts


def manifest_text(manifest: dict[str, Any]) -> str:
    """A manifest as its file holds it."""
    return json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest of a folder that is being built, with what there is of files by now.

    What the manifest says already of a file that is still there is kept, since checksums of large files
    take long; nothing that was written once is written again while an index is built.

    Parameters
    ----------
    folder : the unfinished index
    manifest : its `files` are brought up to date
    """
    known = manifest["files"]
    there = sorted(
        path
        for path in folder.iterdir()
        if path.name != storage.MANIFEST and not storage.is_systems(path.name)
    )
    manifest["files"] = {
        path.name: known[path.name] if path.name in known else file_facts(path) for path in there
    }
    _replace(folder, manifest)


def exchange(folder: Path, files: Iterable[str], write: Callable[[], None]) -> None:
    """Write files of a finished index anew, unknown to its manifest until all of them are there.

    Parameters
    ----------
    folder : the index
    files : names that the manifest is to know afterwards, of those that are there
    write : writes them
    """
    names = set(files)
    manifest = json.loads((folder / storage.MANIFEST).read_text(encoding="utf-8"))
    known = {name: facts for name, facts in manifest["files"].items() if name not in names}
    _replace(folder, manifest | {"files": known})
    write()
    there = {name: file_facts(folder / name) for name in names if (folder / name).is_file()}
    _replace(folder, manifest | {"files": dict(sorted((known | there).items()))})


def _replace(folder: Path, manifest: dict[str, Any]) -> None:
    path = folder / storage.MANIFEST
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(manifest_text(manifest), encoding="utf-8")
    aside.replace(path)
