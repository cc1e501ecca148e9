"""The links of a chained Ogg file: files one after the other, as of a radio recording (RFC 3533).

FFmpeg goes on from one link to the next only if the channels stay the same, so links are decoded one by
one.
"""

from __future__ import annotations

import io
from typing import BinaryIO

MOST = 200
"""Number of links that are decoded; each costs the opening of a file, 10 ms."""
_PATTERN = b"OggS"
_HEADER = 27
_FLAGS, _SEGMENTS = 5, 26
_BEGINS = 2
"""The flag of a stream's first page."""
_PIECE = 65_536


def starts(file: BinaryIO) -> list[int]:
    """Where each link starts; the first begins with the file, whatever comes before its first page.

    Of more than `MOST` links, the start of the next one is the last that is given.
    """
    found = [0]
    began = True
    position = 0
    while (page := _next_page(file, position)) is not None and len(found) <= MOST:
        place, begins, position = page
        # The streams of one link, such as a film's, all begin at its beginning.
        if begins and not began:
            found.append(place)
        began = begins
    return found


def _next_page(file: BinaryIO, position: int) -> tuple[int, bool, int] | None:
    """Where the next page is, whether a stream begins in it, and where it ends."""
    while (place := _find(file, position)) is not None:
        file.seek(place)
        header = file.read(_HEADER)
        if len(header) < _HEADER:
            return None
        sizes = file.read(header[_SEGMENTS])
        return place, bool(header[_FLAGS] & _BEGINS), place + _HEADER + len(sizes) + sum(sizes)
    return None


def _find(file: BinaryIO, position: int) -> int | None:
    """Where the next page's pattern is."""
    file.seek(position)
    if file.read(len(_PATTERN)) == _PATTERN:
        return position
    while True:
        file.seek(position)
        piece = file.read(_PIECE)
        if (place := piece.find(_PATTERN)) >= 0:
            return position + place
        if len(piece) < _PIECE:
            return None
        position += len(piece) - len(_PATTERN) + 1


class Link(io.RawIOBase):
    """A part of a file, as a file.

    Parameters
    ----------
    file : the whole file
    start, end : where the part starts, and where it ends; None for the file's end
    """

    def __init__(self, file: BinaryIO, start: int, end: int | None) -> None:
        self._file = file
        self._start = start
        self._end = file.seek(0, io.SEEK_END) if end is None else end
        file.seek(start)

    def read(self, size: int | None = -1, /) -> bytes:
        """Read the next bytes."""
        left = max(self._end - self._file.tell(), 0)
        return self._file.read(left if size is None or size < 0 else min(size, left))

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place."""
        base = {io.SEEK_SET: self._start, io.SEEK_END: self._end}.get(whence, self._file.tell())
        return self._file.seek(max(base + offset, self._start)) - self._start

    def tell(self) -> int:
        """The place."""
        return self._file.tell() - self._start

    def seekable(self) -> bool:
        """Always."""
        return True

    def readable(self) -> bool:
        """Always."""
        return True
