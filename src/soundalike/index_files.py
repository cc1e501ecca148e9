"""The files of an index as its manifest lists them: size, checksum, and of an array shape and type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike import index, paths


def save(folder: Path, name: str, array: NDArray[Any]) -> None:
    """Write one array of an index, by file name without `.npy`."""
    np.save(folder / f"{name}.npy", array, allow_pickle=False)


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
    there = sorted(path for path in folder.iterdir() if path.name != index.MANIFEST)
    manifest["files"] = {
        path.name: known[path.name] if path.name in known else file_facts(path) for path in there
    }
    (folder / index.MANIFEST).write_text(manifest_text(manifest), encoding="utf-8")
