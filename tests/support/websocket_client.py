"""Open the app's websocket as a page of some origin would."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect


def opens(address: str, host: str, origin: str) -> bool:
    """Whether a websocket opens for a page of some origin that names the server so."""
    port = urlsplit(address).port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port)) as raw:
        try:
            with connect(f"ws://{host}/_stcore/stream", sock=raw, origin=origin, open_timeout=30):
                return True
        except InvalidStatus as error:
            if error.response.status_code != 403:
                raise
            return False
