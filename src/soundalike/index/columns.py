"""A second copy of many tracks' vectors, dimension by dimension.

A dimension of 100,000 tracks is spread over the whole file of vectors, and reading it takes longer than
all else that a click on Features does. In this copy its values are beside each other. Very long vectors
have none: it would take as much room as they do.

    <name>_columns.npy    as `<name>.npy`, transposed, float16 [shape=(dim, n)]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from soundalike.index import storage

MANY_TRACKS = 30_000
"""Number of tracks above which the copy is made."""
LONGEST = 2_048
"""Maximum vector length for a copy."""
_BLOCK_VALUES = 16_000_000


def file_name(name: str) -> str:
    """File name of a representation's copy."""
    return f"{name}_columns.npy"


def worthwhile(n: int, dim: int) -> bool:
    """Whether n vectors of length dim are stored by dimension too."""
    return n > MANY_TRACKS and dim <= LONGEST


def write(folder: Path, name: str) -> None:
    """Write the copy in blocks of dimensions, whose pages leave the process's memory with each block.

    Parameters
    ----------
    folder : an unfinished index with `<name>.npy`
    name : a stored representation
    """
    source, target = folder / f"{name}.npy", folder / file_name(name)
    n, dim = storage.open_array(source).shape
    storage.create(folder, target.stem, (dim, n), np.float16)
    size = max(1, _BLOCK_VALUES // n)
    for start in range(0, dim, size):
        block = slice(start, start + size)
        np.lib.format.open_memmap(target, "r+")[block] = storage.open_array(source)[:, block].T
