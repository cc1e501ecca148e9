"""Limits on the websockets: how many there are, what they may ask for, and how often.

Streamlit starts a thread at once for each message that asks for a run of a page. Thousands of threads
keep the server from doing anything else, also long after their sender has gone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from soundalike.asgi.addresses import Address, Addresses, Bucket

RATE, BURST = 30.0, 90.0
"""Messages that a websocket may send in a second, and at once. Beyond that it is closed. A slider sends
one when it is let go, and about thirty a second while an arrow key is held down."""
PACE, AT_ONCE = 6.0, 30.0
"""Messages that are dealt with in a second, and at once. The others wait. A page takes about 60 ms of a
processor, so one visitor can take a third of one at most."""
WAITING = 60
"""Messages that may wait, not counting those that a later one makes superfluous."""
WAITING_BYTES = 32 * 2**20
BYTES_A_TOKEN = 128 * 1024
"""A message counts once more for each of these."""
SOCKETS, SOCKETS_OF_ONE = 500, 100
"""Open websockets, in all and of one address."""
FLOOD_TOKENS = 30.0
"""Openings that a flood counts for."""
MOST_FILES = 20
"""Files that are asked for with one message."""

_CLICKS = {"trigger_value", "string_trigger_value", "json_trigger_value", "chat_input_value"}
_SAME = ("page_script_hash", "page_name", "fragment_id", "query_string", "is_history_navigation")
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


@dataclass
class _Waiting:
    """A message in line, what it asks for, and its size."""

    message: Message
    asked: BackMsg | None = None
    size: int = 0


class _Line:
    """The messages of one websocket, in line for their turns."""

    def __init__(self, receive: Receive, address: Address) -> None:
        self._receive = receive
        self._address = address
        self._arrivals, self._pace = Bucket(RATE, BURST), Bucket(PACE, AT_ONCE)
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()

    async def read(self) -> None:
        """Read messages into the line until the sender leaves, or there are too many."""
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                self._append(_Waiting(message))
                if message["type"] == "websocket.disconnect":
                    return
                continue
            content = message.get("bytes") or b""
            asked = parsed(content)
            if asked is not None and not is_of_a_page(asked):
                message = {}
            elif self._waiting and supersedes(asked, self._waiting[-1].asked):
                self._waiting.pop()
            if message:
                self._append(_Waiting(message, asked, len(content)))
            if not self._arrivals.take_if_there() or self._is_full():
                self._address.openings.take(FLOOD_TOKENS)
                self._waiting.clear()
                self._append(_Waiting({"type": "websocket.disconnect", "code": 1008}))
                return

    async def receive(self) -> Message:
        """The next message, when its turn has come."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        first = self._waiting.popleft()
        if first.message["type"] == "websocket.receive":
            tokens = 1 + first.size / BYTES_A_TOKEN
            await asyncio.sleep(max(self._pace.take(tokens), self._address.messages.take(tokens)))
        return first.message

    def _append(self, waiting: _Waiting) -> None:
        self._waiting.append(waiting)
        self._arrived.set()

    def _is_full(self) -> bool:
        size = sum(waiting.size for waiting in self._waiting)
        return len(self._waiting) > WAITING or size > WAITING_BYTES


def parsed(content: bytes) -> BackMsg | None:
    """What a message asks for; None where Streamlit will close the websocket for it."""
    asked = BackMsg()
    try:
        asked.ParseFromString(content)
    except DecodeError:
        return None
    return asked


def is_of_a_page(asked: BackMsg) -> bool:
    """Whether one of the app's pages may ask for that."""
    kind = asked.WhichOneof("type")
    if kind == "file_urls_request":
        return len(asked.file_urls_request.file_names) <= MOST_FILES
    if kind == "backend_operation_request":
        payload = asked.backend_operation_request.WhichOneof("payload")
        return payload in ("deferred_file", "dataframe_chunk")
    return kind in _ASKED_BY_PAGES


def supersedes(newer: BackMsg | None, older: BackMsg | None) -> bool:
    """Whether a request to run a page says all that an older one says, which still waits.

    A page sends the values of all its widgets with each request, but a click only once.
    """
    if newer is None or older is None:
        return False
    if not newer.HasField("rerun_script") or not older.HasField("rerun_script"):
        return False
    clicks = {state.WhichOneof("value") for state in older.rerun_script.widget_states.widgets} & _CLICKS
    return not clicks and all(
        getattr(newer.rerun_script, name) == getattr(older.rerun_script, name) for name in _SAME
    )
