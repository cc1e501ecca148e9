"""A visitor whose browser is on another machine: only what goes over the web socket.

A browser draws on the processor that it runs on. Where server and browsers share one, what a visitor
elsewhere would wait for the server shows in a session that draws nothing: it sends what a browser sends
when another page is chosen, and takes the answer to the end of the script's run.
"""

from __future__ import annotations

import random
import threading
import time
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

PAGES = ("", "anatomy", "map", "features", "compare", "about")


class Distant:
    """Goes from page to page in a thread of its own, from `start` until `stop`.

    Parameters
    ----------
    address : the app's
    number : decides the order of its pages
    think_s : least and greatest time between an answer and the next page

    Attributes
    ----------
    page_ms : what each page took, but for the first one of each kind
    """

    def __init__(self, address: str, number: int, think_s: tuple[float, float]) -> None:
        self.page_ms: list[float] = []
        self._address = urlsplit(address).netloc
        self._think_s = think_s
        self._chance = random.Random(number)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the page that is being waited for."""
        self._over.set()
        self._thread.join(120)

    def _go(self) -> None:
        url = f"ws://{self._address}/_stcore/stream"
        with connect(url, origin=Origin(f"http://{self._address}"), max_size=None) as socket:
            for page in PAGES:
                visit(socket, page)
            while not self._over.wait(self._chance.uniform(*self._think_s)):
                self.page_ms.append(visit(socket, self._chance.choice(PAGES)))


def visit(socket: ClientConnection, page: str) -> float:
    """Milliseconds from asking for a page to the end of its script."""
    message = BackMsg()
    message.rerun_script.query_string = ""
    message.rerun_script.page_name = page
    begun = time.monotonic()
    socket.send(message.SerializeToString())
    while True:
        payload = socket.recv(timeout=120)
        if not isinstance(payload, bytes) or len(payload) > 300:
            continue
        answer = ForwardMsg()
        answer.ParseFromString(payload)
        if answer.WhichOneof("type") == "script_finished":
            return (time.monotonic() - begun) * 1_000
