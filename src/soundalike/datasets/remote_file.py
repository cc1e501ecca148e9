"""A file on a web server that is read like one on the disk, by HTTP ranges.

`zipfile` reads an archive's directory and single members through it. Ranges that are going to be read
can be announced (`announce`); each is then one request, whose answer is read as it arrives. A broken
connection is taken up again at the byte where it broke.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from soundalike.datasets import web
from soundalike.errors import FetchError

if TYPE_CHECKING:
    import requests

TAIL = 2**16
"""Bytes at the file's end that the first request asks for; an archive's directory ends there."""

Span = tuple[int, int]
"""Offsets of a range's first byte and of the byte after its last."""


class RemoteFile(io.RawIOBase):
    """A file on a web server, opened for reading.

    Parameters
    ----------
    url : its address

    Attributes
    ----------
    size : number of bytes of the file
    requests : number of requests that were answered so far
    received : number of bytes that arrived so far

    Raises
    ------
    FetchError
        On opening and on reading: if the server can't be reached, doesn't have the file, knows no
        ranges, sends others than were asked for, or the file has changed since it was opened.
    """

    def __init__(self, url: str) -> None:
        import requests

        super().__init__()
        self.url = url
        self.size = self.requests = self.received = 0
        self._session = requests.Session()
        self._retries = web.Retries(url)
        self._version: tuple[str | None, ...] = ()
        self._if_range = ""
        self._announced: list[Span] = []
        self._position = 0
        self._tail = b""
        self._response: requests.Response | None = None
        self._pieces: Iterator[bytes] = iter(())
        # What arrived last and where it lies in the file, and where the answer ends.
        self._held, self._held_at, self._stop = b"", 0, 0
        self._persist(self._ask_for_tail)
        self._position = self._held_at
        self._tail = self.read()

    def announce(self, spans: Sequence[Span]) -> None:
        """Say which ranges are going to be read; what lies between their reads is skipped over."""
        self._announced = list(spans)

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """The position in the file."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to a position; nothing is requested before it is read."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise ValueError("The position lies before the file.")
        self._position = start + offset
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """Read a number of bytes, or fewer at the file's end."""
        left = max(0, self.size - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        found = bytearray()
        while len(found) < wanted:
            piece = self._next(wanted - len(found))
            self._position += len(piece)
            found += piece
        return bytes(found)

    def close(self) -> None:
        """Close the connection."""
        if not self.closed:
            self._drop()
            self._session.close()
        super().close()

    def _next(self, most: int) -> bytes:
        """Some of the bytes at the position: at least one, and at most as many as asked for."""
        tail_at = self.size - len(self._tail)
        if self._position >= tail_at:
            return self._tail[self._position - tail_at :][:most]
        most = min(most, tail_at - self._position)
        while not self._held_at <= self._position < self._held_at + len(self._held):
            self._persist(lambda: self._approach(most))
        return self._held[self._position - self._held_at :][:most]

    def _approach(self, wanted: int) -> None:
        """Take the next piece of the answer that leads to the position, or ask for one."""
        if self._response is None or not self._held_at <= self._position < self._stop:
            self._ask(self._position, self._end_of_range(wanted))
        self._held_at += len(self._held)
        self._held = b""
        piece = next(self._pieces, b"")[: self._stop - self._held_at]
        if not piece:
            raise web.RetryError
        self._held = piece
        self.received += len(piece)

    def _end_of_range(self, wanted: int) -> int:
        for start, stop in self._announced:
            if start <= self._position < stop:
                return stop
        return self._position + wanted

    def _ask_for_tail(self) -> None:
        response = self._get({"Range": f"bytes=-{TAIL}"})
        if response.status_code == 416:
            raise FetchError(f"{self.url} is empty; name another address with --url.")
        if response.status_code != 206:
            raise FetchError(
                f"{web.host(self.url)} doesn't serve parts of a file; name another address with --url, "
                "or download the whole archive with `soundalike fetch fma-small`."
            )
        size = web.total(response)
        asked = (max(0, (size or 0) - TAIL), size or 0)
        if size is None or web.part(response) != asked:
            raise self._other_part()
        self.size, self._version, self._if_range = size, _version(response), web.version(response)
        self._begin(response, *asked)

    def _ask(self, start: int, stop: int) -> None:
        headers = {"Range": f"bytes={start}-{stop - 1}"}
        if self._if_range:
            headers["If-Range"] = self._if_range
        response = self._get(headers)
        if (
            response.status_code != 206
            or web.total(response) != self.size
            or _version(response) != self._version
        ):
            raise FetchError(
                f"{self.url} has changed while it was read; run the command again, or name another "
                "address with --url."
            )
        first, last = web.part(response) or (0, 0)
        if first != start or not start < last <= stop:
            raise self._other_part()
        self._begin(response, first, last)

    def _get(self, headers: dict[str, str]) -> requests.Response:
        self._drop()
        self._response = web.get(self._session, self.url, headers)
        self.requests += 1
        return self._response

    def _begin(self, response: requests.Response, start: int, stop: int) -> None:
        if response.headers.get("Content-Length", str(stop - start)) != str(stop - start):
            raise self._other_part()
        self._pieces = response.iter_content(web.CHUNK)
        self._held, self._held_at, self._stop = b"", start, stop

    def _persist(self, attempt: Callable[[], None]) -> None:
        """Try something until it succeeds or there is no use in trying on."""
        while True:
            try:
                return attempt()
            except web.failures() as error:
                self._drop()
                self._retries.after(error, self.received)

    def _drop(self) -> None:
        """Forget the current answer; its connection is kept if it was read to its end."""
        if self._response is not None:
            self._response.close()
        self._response = None
        self._held = b""

    def _other_part(self) -> FetchError:
        return FetchError(
            f"{web.host(self.url)} doesn't send the part of the file that it was asked for; name "
            "another address with --url."
        )


def _version(response: requests.Response) -> tuple[str | None, ...]:
    return tuple(response.headers.get(name) for name in ("ETag", "Last-Modified"))
