"""Changing Streamlit's own answers."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config

_DROPPED = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"range")
"""Headers by which a browser would get something else than the whole text."""


def base_path() -> str:
    """The path that the app is served under, as "/music"; "" for the root."""
    return f"/{str(config.get_option('server.baseUrlPath')).strip('/')}".rstrip("/")


def host_of(scope: Scope) -> str:
    """The host that a request names, with its port; "" if what it names can't be one."""
    host = Headers(scope=scope).get("host", "")
    return host if re.fullmatch(r"[\w.:\[\]-]+", host) else ""


async def with_body(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send, change: Callable[[bytes], bytes]
) -> None:
    """Answer as an app does, with a changed body.

    Parameters
    ----------
    app, scope, receive, send : the app and the request, as in ASGI
    change : makes the new body from the app's; not called for an error or an empty body
    """
    start: Message = {}
    body = b""

    async def keep(message: Message) -> None:
        nonlocal start, body
        if message["type"] == "http.response.start":
            start = message
            return
        body += message.get("body", b"")
        if message.get("more_body"):
            return
        if body and start["status"] == 200:
            body = change(body)
            MutableHeaders(scope=start)["Content-Length"] = str(len(body))
        await send(start)
        await send({"type": "http.response.body", "body": body})

    plain = [(name, value) for name, value in scope["headers"] if name not in _DROPPED]
    await app(dict(scope, headers=plain), receive, keep)
