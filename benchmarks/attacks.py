"""Attackers of a running app, each by itself and with nothing but sockets.

`abuse.py` runs one of each beside honest visitors; `tests/e2e/test_abuse.py` runs them alone.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from distant import LISTS, Wire
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

UPLOAD_BYTES = 29 * 2**20
OPEN_S = 30.0


def socket_of(address: str) -> ClientConnection:
    """A websocket of a new session."""
    host = urlsplit(address).netloc
    origin = Origin(f"http://{host}")
    return connect(f"ws://{host}/_stcore/stream", origin=origin, max_size=None, open_timeout=OPEN_S)


def rerun(page: str = "") -> bytes:
    """A request to run a page, as a browser sends it at first."""
    message = BackMsg()
    message.rerun_script.page_name = page
    message.rerun_script.query_string = ""
    content: bytes = message.SerializeToString()
    return content


def flood(address: str, messages: int, per_second: float = float("inf")) -> tuple[int, bool]:
    """Send requests to run a page. Returns how many were sent, and whether the server hung up."""
    content, begun = rerun(), time.monotonic()
    with socket_of(address) as opened:
        listener = threading.Thread(target=_read_all, args=[opened], daemon=True)
        listener.start()
        for number in range(messages):
            try:
                opened.send(content)
            except (ConnectionClosed, OSError):
                return number, True
            time.sleep(max(0.0, begun + number / per_second - time.monotonic()))
        listener.join(1)
        return messages, not listener.is_alive()


def _read_all(opened: ClientConnection) -> None:
    with suppress(ConnectionClosed, OSError):
        for _ in opened:
            pass


def forget_all(address: str) -> None:
    """Ask the server to empty the caches that all visitors share."""
    message = BackMsg()
    message.clear_cache = True
    with socket_of(address) as opened:
        opened.send(message.SerializeToString())
        time.sleep(0.5)


def unused_uploads(
    address: str, count: int, size: int = UPLOAD_BYTES, *, asked: bool = False
) -> list[int]:
    """Send files that no widget uses, and return the answers' status codes.

    Parameters
    ----------
    asked : send them to addresses that the server gave; otherwise to invented ones
    """
    with Wire(address) as wire:
        wire.run("")
        content = bytes(size)
        statuses = []
        for number in range(count):
            if asked:
                url = wire.place(f"{number}.wav").upload_url
            else:
                url = f"/_stcore/upload_file/{wire.session}/{uuid.uuid4()}"
            statuses.append(wire.put(url, f"{number}.wav", content))
        return statuses


@contextmanager
def slow_upload(address: str) -> Iterator[Callable[[], bytes]]:
    """Announce a large file and send none of it; yields what waits for the answer's first line."""
    with Wire(address) as wire:
        wire.run("")
        url = wire.place("slow.wav").upload_url
        host, port = urlsplit(address).hostname, urlsplit(address).port
        connection = http.client.HTTPConnection(host or "", port, timeout=OPEN_S)
        connection.putrequest("PUT", url)
        for name, value in wire.token().items():
            connection.putheader(name, value)
        connection.putheader("Content-Type", "multipart/form-data; boundary=x")
        connection.putheader("Content-Length", str(UPLOAD_BYTES))
        connection.endheaders()
        yield lambda: connection.sock.recv(100)
        connection.close()


def clips_of_those_who_leave(address: str, content: bytes, sessions: int = 8) -> None:
    """Have a clip decoded by several sessions, none of which waits for it."""
    for _ in range(sessions):
        with Wire(address) as wire:
            wire.run("", "from=upload")
            wire.leave(wire.given("clip.flac", content))


def list_of_attributes(address: str, size: int = 5_000_000) -> None:
    """Have a playlist read that is one tag with as many attributes as fit into a size in bytes."""
    head, tail = b'<playlist xmlns="http://xspf.org/ns/0/" version="1"', b"><trackList/></playlist>"
    attributes = b"".join(b' a%06d="1"' % number for number in range((size - 100) // 12))
    with Wire(address) as wire:
        wire.run("")
        wire.run("", "", wire.given("list.xspf", head + attributes + tail, LISTS))


@contextmanager
def another_address(address: str = "127.0.0.2") -> Iterator[None]:
    """Let all connections of this process come from another address of this machine."""
    own = socket.socket.connect

    def connect_from_there(self: socket.socket, to: Any) -> None:
        if self.family == socket.AF_INET:
            self.bind((address, 0))
        own(self, to)

    setattr(socket.socket, "connect", connect_from_there)  # noqa: B010
    try:
        yield
    finally:
        setattr(socket.socket, "connect", own)  # noqa: B010


def health_s(address: str, patience_s: float = 60.0) -> float:
    """Seconds that the server takes to say that it is well."""
    begun = time.monotonic()
    with urllib.request.urlopen(f"{address}/_stcore/health", timeout=patience_s) as answer:
        answer.read()
    return time.monotonic() - begun
