"""Taking in the bodies of requests: how many bytes at once, and how fast they have to come."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Message, Receive, Scope

from soundalike import system
from soundalike.asgi.addresses import Address

LEAST_BYTES, MOST_BYTES, SHARE = 128 * 2**20, 2**30, 8
"""All files that are kept may take this part of the memory, but not less or more than these."""
RECEIVED_BYTES, RECEIVED_OF_ONE_BYTES = 128 * 2**20, 64 * 2**20
"""Files that are being received, in all and from one address; more wait."""
ROOM_S, STALL_S, LONGEST_S = 60.0, 20.0, 600.0
"""Time that an upload waits for room, that it may pause, and that it may take."""


def share_of_memory() -> int:
    """The bytes that uploads may take."""
    return min(MOST_BYTES, max(LEAST_BYTES, (system.memory_limit() or 0) // SHARE))


class Room:
    """A number of bytes that is shared out, in all and to each address.

    Parameters
    ----------
    most : bytes in all
    most_of_one : bytes to one address
    """

    def __init__(self, most: int = RECEIVED_BYTES, most_of_one: int = RECEIVED_OF_ONE_BYTES) -> None:
        self._most, self._most_of_one = most, most_of_one
        self._taken: dict[str, int] = defaultdict(int)
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def taken(self, who: str, size: int, patience_s: float = ROOM_S) -> AsyncIterator[None]:
        """Hold some bytes.

        Raises
        ------
        TimeoutError
            If there is no room for too long.
        """
        async with asyncio.timeout(patience_s), self._changed:
            await self._changed.wait_for(lambda: self._fits(who, size))
            self._taken[who] += size
        try:
            yield
        finally:
            self._taken[who] -= size
            if not self._taken[who]:
                del self._taken[who]
            async with self._changed:
                self._changed.notify_all()

    def _fits(self, who: str, size: int) -> bool:
        in_all = sum(self._taken.values()) + size
        return in_all <= self._most and self._taken.get(who, 0) + size <= self._most_of_one


async def turn(address: Address, size: int) -> None:
    """Wait until an address has sent little enough to send that many bytes.

    Raises
    ------
    TimeoutError
        If that is far off.
    """
    wait_s = address.uploads.take(size)
    if wait_s > ROOM_S:
        address.uploads.take(-size)
        raise TimeoutError
    await asyncio.sleep(wait_s)


class Steady:
    """A request's body, which ends when its sender pauses for too long.

    Parameters
    ----------
    receive : as in ASGI
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._end = time.monotonic() + LONGEST_S

    async def receive(self) -> Message:
        """The next part, or a disconnection if it is late."""
        try:
            async with asyncio.timeout(min(STALL_S, max(0.0, self._end - time.monotonic()))):
                return await self._receive()
        except TimeoutError:
            return {"type": "http.disconnect"}


def length(scope: Scope) -> int | None:
    """The bytes that a request says it has."""
    text = dict(scope["headers"]).get(b"content-length", b"")
    return int(text) if text.isdigit() else None
