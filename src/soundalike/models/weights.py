"""Model files: an `.npz` with the network's weights in order, and further arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
PARTS, NORM = ("kernel", "bias"), ("gamma", "beta", "mean", "variance")
"""Arrays of a layer, and of a batch normalisation, in Keras's order."""
Layers = Mapping[str, Sequence[NDArray[np.floating]]]
"""Arrays by the name of the layer."""


def write(
    path: Path,
    layers: Sequence[NDArray[np.floating]],
    dtype: type[np.floating] = np.float32,
    **others: NDArray[Any],
) -> None:
    """Write a network's weights as `weight_00` and so on, and other arrays by name.

    The same arrays give the same bytes.
    """
    arrays: dict[str, Any] = dict(others)
    arrays |= {f"weight_{i:02d}": w.astype(dtype) for i, w in enumerate(layers)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.savez(file, **arrays)


def read(arrays: NpzFile, shapes: Sequence[tuple[int, ...]]) -> list[NDArray[np.float32]]:
    """Read the weights that `write` wrote, in order, as float32.

    Raises
    ------
    ValueError
        If the weights do not have these shapes.
    """
    names = sorted(name for name in arrays.files if name.startswith("weight_"))
    found = {name: arrays[name] for name in names}
    check(found, shapes)
    return [array.astype(np.float32) for array in found.values()]


def read_layers(path: Path, shapes: Mapping[str, Sequence[tuple[int, ...]]]) -> Layers:
    """Read the arrays `<layer>_<part>` of a file; a layer with a name in `_norm` is a normalisation.

    Parameters
    ----------
    path : the file
    shapes : shapes of each layer's arrays

    Raises
    ------
    ModelError
        If the file is missing or does not contain the network's weights.
    """
    layers = {}
    with opened(path, "model file") as arrays:
        for layer, wanted in shapes.items():
            parts = NORM if layer.endswith("_norm") else PARTS
            found = {f"{layer}_{part}": arrays[f"{layer}_{part}"] for part in parts}
            check(found, wanted)
            layers[layer] = list(found.values())
    return layers


def assign(network: keras.Model, layers: Layers) -> keras.Model:
    """Set the weights of a network's layers, by their names; return the network."""
    for name, arrays in layers.items():
        network.get_layer(name).set_weights([array.astype(np.float32) for array in arrays])
    return network


def check(arrays: Mapping[str, NDArray[Any]], shapes: Sequence[tuple[int, ...]]) -> None:
    """Check that arrays are floating point and have the given shapes, in order.

    Raises
    ------
    ValueError
        If they do not.
    """
    if len(arrays) != len(shapes):
        raise ValueError(f"there are {len(arrays)} arrays of weights, not {len(shapes)}")
    for (name, array), shape in zip(arrays.items(), shapes, strict=True):
        if array.shape != shape or not np.issubdtype(array.dtype, np.floating):
            raise ValueError(f"{name} is {array.dtype} of {array.shape}, not numbers of {shape}")


@contextmanager
def opened(path: Path, what: str, advice: str = RESTORE) -> Iterator[NpzFile]:
    """Open a model file for reading and checking.

    Parameters
    ----------
    path : the file
    what : name of the file in errors, such as "genre head"
    advice : what to do if the file is missing

    Raises
    ------
    ModelError
        If the file is missing or damaged, or if the code in the block rejects its contents.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            yield arrays
    except FileNotFoundError as error:
        raise ModelError(f"The {what} {path} is missing; {advice}.") from error
    except DAMAGED_ARRAYS as error:
        raise ModelError(f"The {what} {path} is damaged; {RESTORE}.") from error
