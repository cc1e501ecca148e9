"""Read rows of an array from disk without a lasting memory map.

Pages of a memory map count as the process's memory once they are read. The memory of a server would
grow with its queries, and that of a build with its library. So rows are read with ordinary reads. A
column is read through maps that last for one call, since a read for each of its values takes far longer.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.index import storage

BLOCK_VALUES = 8_000_000
"""Maximum number of values per block of rows, 32 MB in float32."""

_PIECE_VALUES = 1 << 18
"""Number of values per block of single rows, which fits in the processor's cache."""
_COLUMN_BYTES = 32 * 2**20
"""Size of a map from which a part of a column is read."""

Rows = Sequence[int] | NDArray[np.integer[Any]]


_FRACTION_SHIFT = 13
_SIGN_AND_MOVED = np.int32(-0x7000_0001)
"""All bits except the three filled with the sign when a negative number is shifted."""
_BIAS = np.float32(2.0**112)
_PIECE = 1 << 17
"""Number of values per block, which fits in the processor's cache for all three steps."""


class RowReader:
    """An array's rows, in float32.

    Parameters
    ----------
    path : an `.npy` file, float16 or float32 [shape=(n, dim)]

    Raises
    ------
    IndexFolderError
        If the file is missing, damaged or not such an array.
    """

    def __init__(self, path: Path) -> None:
        mapped: Any = storage.open_array(path)
        ordered = mapped.flags.c_contiguous and mapped.dtype in (np.float16, np.float32)
        if mapped.ndim != 2 or not ordered:
            raise storage.damaged(path)
        self.shape: tuple[int, int] = mapped.shape
        self._stored = self.shape[0]
        self.dtype = mapped.dtype
        self._path = path
        self._offset = int(mapped.offset)
        self._chosen: NDArray[np.intp] | None = None

    def subset(self, rows: Rows) -> RowReader:
        """A reader of the given rows only, renumbered 0, 1, 2 and so on."""
        part = copy.copy(self)
        wanted = np.asarray(rows, np.intp)
        part._chosen = wanted if self._chosen is None else self._chosen[wanted]
        part.shape = (len(wanted), self.shape[1])
        return part

    def rows(self, rows: Rows) -> NDArray[np.float32]:
        """Read some rows, in any order [shape=(m, dim)]."""
        found = np.empty((len(rows), self.shape[1]), np.float32)
        for places, block in self.pieces(rows):
            found[places] = block
        return found

    def pieces(self, rows: Rows) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Yield some rows, in any order, a few at a time with their places; each block is overwritten.

        Raises
        ------
        IndexFolderError
            If the file is shorter than expected.
        """
        wanted = np.asarray(rows, np.intp)
        if self._chosen is not None:
            wanted = self._chosen[wanted]
        dim = self.shape[1]
        size = min(max(1, _PIECE_VALUES // max(dim, 1)), max(len(wanted), 1))
        stored, converted = np.empty((size, dim), self.dtype), np.empty((size, dim), np.float32)
        targets = stored.view(np.uint8)
        with self._path.open("rb", buffering=0) as file:
            for start in range(0, len(wanted), size):
                places = slice(start, min(start + size, len(wanted)))
                count = places.stop - start
                for row, into in zip(wanted[places].tolist(), targets, strict=False):
                    file.seek(self._offset + row * len(into))
                    if file.readinto(into) < len(into):
                        self._read(file, row, into)
                yield places, to_float32(stored[:count], converted[:count])

    def column(self, column: int) -> NDArray[np.float32]:
        """Read one column [shape=(n,)].

        Raises
        ------
        IndexFolderError
            If the file is shorter than expected.
        """
        found = np.empty(self._stored, self.dtype)
        size = max(1, _COLUMN_BYTES // max(self.shape[1] * self.dtype.itemsize, 1))
        for start in range(0, self._stored, size):
            stop = min(start + size, self._stored)
            found[start:stop] = self._map(start, stop)[:, column]
        return np.asarray(found if self._chosen is None else found[self._chosen], np.float32)

    def _map(self, first: int, last: int) -> NDArray[Any]:
        """Map consecutive rows of the file; their pages leave this process's memory with the array."""
        row_bytes = self.shape[1] * self.dtype.itemsize
        shape = (last - first, self.shape[1])
        try:
            return np.memmap(self._path, self.dtype, "r", self._offset + first * row_bytes, shape)
        except (OSError, ValueError) as error:
            raise storage.damaged(self._path) from error

    def blocks(
        self, size: int | None = None, first: int = 0, last: int | None = None
    ) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Yield blocks of consecutive rows with their positions.

        Parameters
        ----------
        size : number of rows per block; by default, blocks have at most `BLOCK_VALUES` numbers
        first, last : range of rows, excluding the last; all by default

        Raises
        ------
        IndexFolderError
            If the file is shorter than expected.
        """
        n, dim = self.shape
        size = size or max(1, BLOCK_VALUES // max(dim, 1))
        end = n if last is None else last
        with self._path.open("rb", buffering=0) as file:
            for start in range(first, end, size):
                rows = slice(start, min(start + size, end))
                if self._chosen is not None:
                    yield rows, self.rows(np.arange(start, rows.stop))
                    continue
                stored = np.empty((rows.stop - start, dim), self.dtype)
                self._read(file, start, stored)
                yield rows, to_float32(stored)

    def _read(self, file: FileIO, row: int, into: NDArray[Any]) -> None:
        """Fill an array with consecutive rows of the file, in the stored type."""
        file.seek(self._offset + row * self.shape[1] * self.dtype.itemsize)
        left = into.reshape(-1).view(np.uint8).data
        while len(left):
            count = file.readinto(left)
            if not count:
                raise storage.damaged(self._path)
            left = left[count:]


def to_float32(stored: NDArray[Any], out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Convert stored rows to float32; written to `out` if given."""
    if stored.dtype == np.float16:
        return half_to_float32(stored, out)
    if out is None:
        return np.asarray(stored, np.float32)
    out[:] = stored
    return out


def half_to_float32(
    halves: NDArray[np.float16], out: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Convert float16 to float32 without loss, several times faster than NumPy.

    NumPy converts one number at a time unless its build uses the processor's instruction: 3.3 ns per
    number, compared with 0.7 here. The conversion is most of the time of an exact search. We move the
    bits of a half to their position in a single, in three whole-array steps. The exponent is then too
    small by the difference of the formats' biases, 127 - 15 = 112, which a multiplication by 2^112
    corrects, including subnormal numbers and signed zeros (IEEE 754-2019, 3.4).

    Parameters
    ----------
    halves : finite numbers of any shape, contiguous
    out : output array of the same shape, contiguous; created if not given
    """
    singles: NDArray[np.float32] = np.empty(halves.shape, np.float32) if out is None else out
    source, target = halves.view(np.int16).reshape(-1), singles.reshape(-1)
    for start in range(0, len(source), _PIECE):
        piece = target[start : start + _PIECE]
        bits = piece.view(np.int32)
        bits[...] = source[start : start + _PIECE]
        bits <<= _FRACTION_SHIFT
        bits &= _SIGN_AND_MOVED
        piece *= _BIAS
    return singles
