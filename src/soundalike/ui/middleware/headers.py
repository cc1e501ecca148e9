"""What the answers say to browsers, and what is answered to whom.

A proxy adds what only HTTPS can keep (docs/nginx.conf, docs/Caddyfile).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from functools import cache
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import file_util

from soundalike.asgi.addresses import is_own
from soundalike.ui.middleware.answers import host_of, with_body
from soundalike.ui.middleware.uploads import ROUTE as UPLOADS

VARIABLE = "SOUNDALIKE_FRAME_ANCESTORS"
"""Environment variable: origins, separated by spaces, that may show the app in a frame."""
METRICS, HOST_CONFIG = "/_stcore/metrics", "/_stcore/host-config"


def framing_origins() -> list[str]:
    """The other origins whose pages may show the app in a frame, and send it messages."""
    return os.environ.get(VARIABLE, "").split()


@cache
def policy() -> str:
    """The Content-Security-Policy of every answer.

    Streamlit's styles are inline and components' scripts come as `blob:`. Its page has an inline script,
    which is allowed by its checksum.
    """
    page = (Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8")
    inline = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    sums = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline]
    allowed = {
        "default-src": "'self'",
        "script-src": " ".join(["'self' blob:", *(f"'sha256-{value}'" for value in sums)]),
        # A recording is drawn from where the browser keeps it.
        "connect-src": "'self' data: blob:",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "media-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": " ".join(["'self'", *framing_origins()]),
    }
    return "; ".join(f"{name} {value}" for name, value in allowed.items())


class SafeHeaders:
    """ASGI middleware that adds the headers, and keeps the operator's figures to this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(MutableHeaders(scope=message), path)
            await send(message)

        if path.endswith(METRICS) and not is_own(scope):
            await PlainTextResponse("Not Found", 404)(scope, receive, send_with_headers)
        elif path.endswith(HOST_CONFIG):
            await _with_own_origins(self._app, scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)


def _add(headers: MutableHeaders, path: str) -> None:
    headers["Content-Security-Policy"] = policy()
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "microphone=(self), camera=(), geolocation=(), payment=(), usb=()"
    if UPLOADS in path:
        # Streamlit lets the pages of a server on the visitor's own machine upload, too.
        del headers["Access-Control-Allow-Origin"]
        del headers["Access-Control-Allow-Credentials"]


async def _with_own_origins(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with Streamlit's settings, but name no other sites than those that may show the app.

    Streamlit names its company's sites, on which anybody can have pages. A page there could open the app
    and send it messages.
    """
    host = host_of(scope)
    own = [f"https://{host}", f"http://{host}"] if host else []
    allowed = {"allowedOrigins": own + framing_origins()}
    await with_body(
        app, scope, receive, send, lambda body: json.dumps(json.loads(body) | allowed).encode()
    )
