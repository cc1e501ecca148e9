"""Receiving a clip: how large it may be and how fast it has to come. It stays in memory throughout."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.types import Receive

from soundalike.asgi import receiving
from soundalike.asgi.addresses import Addresses, name_of
from soundalike.asgi.receiving import Room
from soundalike.audio import decoding
from soundalike.service import problems
from soundalike.service.problems import LATE, MALFORMED, TOO_LARGE, ProblemError

FIELD = "file"
"""Name of the part of a form that has the clip."""
FORM_BYTES = 2**20
"""What a form may have around the clip."""
_MB = decoding.MAX_BYTES // 2**20


class _InMemory(MultiPartParser):
    """Starlette's parser, which by default writes what is over a megabyte to a file."""

    spool_max_size = decoding.MAX_BYTES + FORM_BYTES


class Uploads:
    """Takes in clips, as many at once as there is room for.

    Parameters
    ----------
    addresses : what is remembered of addresses
    """

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._room = Room(receiving.share_of_memory())

    @asynccontextmanager
    async def received(self, request: Request) -> AsyncIterator[bytes]:
        """Receive a clip, and hold its place in memory until the end of the block.

        Raises
        ------
        ProblemError
            If it is too large, comes too slowly, or is no clip in a form; or if others take all room.
        """
        is_form = request.headers.get("content-type", "").lower().startswith("multipart/")
        most = decoding.MAX_BYTES + (FORM_BYTES if is_form else 0)
        announced = receiving.length(request.scope)
        if announced is not None and announced > most:
            raise _too_large()
        size = most if announced is None else announced
        who = name_of(request.scope)
        async with AsyncExitStack() as held:
            try:
                await receiving.turn(self._addresses.of(request.scope), size)
                await held.enter_async_context(self._room.taken(who, size))
            except TimeoutError as error:
                raise problems.busy(
                    f"Too many files at once. Try again in {problems.RETRY_S} seconds."
                ) from error
            chunks = _chunks(receiving.Steady(request.receive).receive, most)
            yield await _from_form(request, chunks) if is_form else await _joined(chunks)


async def _chunks(receive: Receive, most: int) -> AsyncGenerator[bytes, None]:
    """The parts of a request's body."""
    size, is_more = 0, True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ProblemError(LATE, "The upload stopped before its end. Send it again without pauses.")
        is_more = message.get("more_body", False)
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise _too_large()
        if chunk:
            yield chunk


async def _joined(chunks: AsyncGenerator[bytes, None]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


async def _from_form(request: Request, chunks: AsyncGenerator[bytes, None]) -> bytes:
    """The clip in a form; its name is not looked at."""
    parser = _InMemory(request.headers, chunks, max_files=1, max_fields=0)
    try:
        form = await parser.parse()
    except (MultiPartException, UnicodeError) as error:
        raise _malformed() from error
    found = form.get(FIELD)
    if not isinstance(found, UploadFile):
        raise _malformed()
    content = await found.read()
    await form.close()
    if len(content) > decoding.MAX_BYTES:
        raise _too_large()
    return content


def _malformed() -> ProblemError:
    return ProblemError(
        MALFORMED,
        f"Send the clip as the only part of the form, a file named {FIELD}, or as the whole body. "
        "Options go into the address.",
    )


def _too_large() -> ProblemError:
    return ProblemError(TOO_LARGE, f"Send a file of at most {_MB} MB.")
