"""Limits on the websockets: how many there are, what they may ask for, and how often.

Streamlit starts a thread at once for each message that asks for a run of a page. Thousands of threads
keep the server from doing anything else, also long after their sender has gone.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from soundalike.ui.middleware.addresses import Address, Addresses, Bucket

RATE, BURST = 15.0, 30.0
"""Messages a second of one websocket, and how many at once. Dragging a slider sends five a second."""
WAITING = 60
"""Messages that may wait for their turn; a websocket that sends more is closed."""
WAITING_BYTES = 32 * 2**20
BYTES_A_TOKEN = 128 * 1024
"""A message counts once more for each of these."""
SOCKETS, SOCKETS_OF_ONE = 500, 100
"""Open websockets, in all and of one address."""
FLOOD_TOKENS = 30.0
"""Openings that a flood counts for."""
MOST_FILES = 20
"""Files that are asked for with one message."""

_ASKED_BY_PAGES = {"rerun_script", "stop_script", "app_heartbeat"}
"""What any page asks for. Streamlit also takes orders to empty the caches that all visitors share, to
look at the source's repository, and to write files; no page of this app gives them."""


class MessageLimits:
    """ASGI middleware with the limits; see the module.

    Parameters
    ----------
    app : what it stands in front of
    addresses : what is remembered of addresses
    """

    def __init__(self, app: ASGIApp, addresses: Addresses | None = None) -> None:
        self._app = app
        self._addresses = addresses or Addresses()
        self._sockets = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a websocket in, and its messages through as their turns come."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        address = self._addresses.of(scope)
        if not self._may_open(address):
            await receive()
            await send({"type": "websocket.close", "code": 1013})
            return
        self._sockets += 1
        address.sockets += 1
        line = _Line(receive, address)
        reading = asyncio.create_task(line.read())
        try:
            # After a flood nothing closes the websocket by its protocol: while a server waits for the
            # answer to that, it has to read on. When the app returns, uvicorn closes the connection.
            await self._app(scope, line.receive, send)
        finally:
            self._sockets -= 1
            address.sockets -= 1
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading

    def _may_open(self, address: Address) -> bool:
        few = self._sockets < SOCKETS and address.sockets < SOCKETS_OF_ONE
        return few and address.openings.take_if_there()


class _Line:
    """The messages of one websocket, in line for their turns."""

    def __init__(self, receive: Receive, address: Address) -> None:
        self._receive = receive
        self._address = address
        self._pace = Bucket(RATE, BURST)
        self._waiting: asyncio.Queue[Message] = asyncio.Queue()
        self._bytes = 0

    async def read(self) -> None:
        """Read messages into the line until the sender leaves, or there are too many."""
        while True:
            message = await self._receive()
            self._bytes += _size(message)
            if self._waiting.qsize() >= WAITING or self._bytes > WAITING_BYTES:
                self._address.openings.take(FLOOD_TOKENS)
                message = {"type": "websocket.disconnect", "code": 1008}
                while not self._waiting.empty():
                    self._waiting.get_nowait()
            self._waiting.put_nowait(message)
            if message["type"] == "websocket.disconnect":
                return

    async def receive(self) -> Message:
        """The next message that a page may send, when its turn has come."""
        while True:
            message = await self._waiting.get()
            if message["type"] != "websocket.receive":
                return message
            size = _size(message)
            tokens = 1 + size / BYTES_A_TOKEN
            await asyncio.sleep(max(self._pace.take(tokens), self._address.messages.take(tokens)))
            self._bytes -= size
            if is_of_a_page(message.get("bytes")):
                return message


def _size(message: Message) -> int:
    return len(message.get("bytes") or message.get("text") or "")


def is_of_a_page(content: bytes | None) -> bool:
    """Whether a message may come from one of the app's pages."""
    asked = BackMsg()
    try:
        asked.ParseFromString(content or b"")
    except DecodeError:
        # Streamlit closes the websocket.
        return True
    kind = asked.WhichOneof("type")
    if kind == "file_urls_request":
        return len(asked.file_urls_request.file_names) <= MOST_FILES
    if kind == "backend_operation_request":
        payload = asked.backend_operation_request.WhichOneof("payload")
        return payload in ("deferred_file", "dataframe_chunk")
    return kind in _ASKED_BY_PAGES or content is None
