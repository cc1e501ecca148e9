"""A model's file: an `.npz` with the network's weights in order, and whatever else belongs to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from soundalike.errors import DAMAGED_ARRAYS, ModelError

if TYPE_CHECKING:
    import keras

RESTORE = "please restore it"


def write(
    path: Path, network: keras.Model, dtype: type[np.floating] = np.float32, **others: NDArray[Any]
) -> None:
    """Write a network's weights, `weight_00` and so on, and other arrays by their names.

    The same arrays give the same bytes.
    """
    arrays: dict[str, Any] = dict(others)
    arrays |= {f"weight_{i:02d}": w.astype(dtype) for i, w in enumerate(network.get_weights())}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.savez(file, **arrays)


def read(arrays: NpzFile) -> list[NDArray[np.float32]]:
    """The weights that `write` wrote, in order, as float32."""
    names = sorted(name for name in arrays.files if name.startswith("weight_"))
    return [arrays[name].astype(np.float32) for name in names]


@contextmanager
def opened(path: Path, what: str, advice: str = RESTORE) -> Iterator[NpzFile]:
    """The arrays of a model's file, while they are read and checked.

    Parameters
    ----------
    path : the file
    what : what it is called in an error, such as "genre head"
    advice : what to do if it is missing

    Raises
    ------
    ModelError
        If the file is missing or damaged, or if what is done with it finds it of another kind.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            yield arrays
    except FileNotFoundError as error:
        raise ModelError(f"The {what} {path} is missing; {advice}.") from error
    except DAMAGED_ARRAYS as error:
        raise ModelError(f"The {what} {path} is damaged; {RESTORE}.") from error
