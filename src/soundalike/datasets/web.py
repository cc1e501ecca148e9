"""HTTP requests for downloads, which are retried as long as they make progress."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from soundalike.errors import FetchError

if TYPE_CHECKING:
    import requests

TRIES = 5
"""Maximum number of consecutive failures without progress."""
WAIT = 1.0
"""Seconds before the second attempt, doubled before each further one."""
CHUNK = 2**16
"""Bytes of a response that are read at a time."""
_LONGEST_WAIT = 60.0
_TIMEOUT = (10.0, 60.0)
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "soundalike"}


class RetryError(Exception):
    """A failed attempt that may be retried, after the server's delay if it specified one."""

    def __init__(self, wait: float | None = None) -> None:
        super().__init__()
        self.wait = wait


def get(session: requests.Session, url: str, headers: Mapping[str, str]) -> requests.Response:
    """Request a file or a part of it; the status is 200, 206 or 416.

    Raises
    ------
    FetchError
        If the server rejects the request permanently.
    RetryError
        If the request may succeed later.
    """
    response = session.get(url, headers=_HEADERS | dict(headers), stream=True, timeout=_TIMEOUT)
    if response.status_code in (200, 206, 416):
        return response
    response.close()
    if response.status_code in _TRY_AGAIN:
        after = response.headers.get("Retry-After", "")
        raise RetryError(float(after) if after.isdecimal() else None)
    hint = "name another address" if response.status_code in (404, 410) else "try again later"
    raise FetchError(f"{url} answers {response.status_code} {response.reason}; {hint}.")


def failures() -> tuple[type[Exception], ...]:
    """The exceptions of a failed attempt, for `Retries.after`."""
    from requests import exceptions

    # A redirect to an invalid address raises a plain ValueError.
    return exceptions.RequestException, RetryError, ValueError


class Retries:
    """Decides after each failed attempt whether to try again, and waits.

    Parameters
    ----------
    url : the file's address
    received : number of bytes that are there before the first attempt
    """

    def __init__(self, url: str, received: int = 0) -> None:
        self._url = url
        self._received = received
        self._failures = 0

    def after(self, error: Exception, received: int, kept: bool = False) -> None:
        """Wait before the next attempt.

        Parameters
        ----------
        error : why the attempt failed
        received : number of bytes that are there now
        kept : whether they are kept if this was the last attempt

        Raises
        ------
        FetchError
            If another attempt is useless, or too many have failed without progress.
        """
        from requests import exceptions

        if isinstance(error, exceptions.SSLError):
            raise FetchError(
                f"{host(self._url)} cannot prove who it is ({error}); name another address."
            ) from error
        temporary = (exceptions.ConnectionError, exceptions.Timeout, exceptions.ChunkedEncodingError)
        if not isinstance(error, (*temporary, RetryError)):
            raise FetchError(f"{self._url} is no address that can be asked: {error}.") from error
        if "NameResolutionError" in repr(error):
            raise _unreachable(self._url) from error
        self._failures = 1 if received > self._received else self._failures + 1
        self._received = max(self._received, received)
        if self._failures >= TRIES:
            raise _unreachable(self._url, received if kept else 0) from error
        wait = getattr(error, "wait", None) or WAIT * 2 ** (self._failures - 1)
        time.sleep(min(wait, _LONGEST_WAIT))


def total(response: requests.Response) -> int | None:
    """The size of the whole file, if the server states it."""
    if response.status_code == 200:
        length = response.headers.get("Content-Length", "")
        return int(length) if length.isdecimal() else None
    found = re.fullmatch(r"bytes (?:\d+-\d+|\*)/(\d+)", response.headers.get("Content-Range", ""))
    return int(found.group(1)) if found else None


def part(response: requests.Response) -> tuple[int, int] | None:
    """The offsets of the first byte of a partial response and of the byte after its last."""
    found = re.match(r"bytes (\d+)-(\d+)/", response.headers.get("Content-Range", ""))
    return (int(found[1]), int(found[2]) + 1) if found else None


def version(response: requests.Response) -> str:
    """The file's version for `If-Range`, in which a weak ETag is not allowed; "" if there is none."""
    etag = response.headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")


def host(url: str) -> str:
    """The name of an address's server."""
    return urlsplit(url).hostname or url


def _unreachable(url: str, kept: int = 0) -> FetchError:
    there = f" {kept / 1e6:,.0f} MB are kept." if kept else ""
    return FetchError(
        f"{host(url)} cannot be reached or breaks off; check the network and run the "
        f"command again, or name another address.{there}"
    )
