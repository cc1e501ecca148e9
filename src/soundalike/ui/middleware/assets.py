"""Streamlit's scripts, styles and fonts, each in one piece, and compressed.

Streamlit sends them as they are, since it would compress them for each visitor anew, and reads them in
threads, a piece at a time. A first visit takes a hundred of them, and in a new server each step waits
for the modules that are being imported. Here a browser on the server's own machine gets a file as it is,
read in one go. For visitors elsewhere its compressed form is made once and kept: less than a third of
the bytes.
"""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import file_util

from soundalike.asgi.addresses import is_own
from soundalike.ui.middleware.answers import base_path

FOLDER = "static"
TYPES = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2"}
COMPRESSED = (".js", ".css")
LARGEST = 2**20
"""Size in bytes of a file that is read in one go."""
_FOREVER = "public, immutable, max-age=31536000"
"""As Streamlit does: a changed file has another name."""
_PASSED_ON = ("range", "if-none-match", "if-modified-since")


class Assets:
    """ASGI middleware that answers for the files; all other requests are passed on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        root = Path(file_util.get_static_dir())
        self._files = {
            f"/{path.relative_to(root).as_posix()}": path
            for path in (root / FOLDER).rglob("*")
            if path.suffix in TYPES
        }
        self._compressed: dict[Path, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        file = self._wanted(scope)
        answer = self._app if file is None else await self._answer(file, scope)
        await answer(scope, receive, send)

    def _wanted(self, scope: Scope) -> Path | None:
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        headers = Headers(scope=scope)
        if any(name in headers for name in _PASSED_ON):
            return None
        return self._files.get(str(scope["path"]).removeprefix(base_path()))

    async def _answer(self, file: Path, scope: Scope) -> ASGIApp:
        headers = {"Cache-Control": _FOREVER}
        try:
            if is_own(scope):
                # To decompress it would cost a browser here more time than it saves.
                if file.stat().st_size > LARGEST:
                    return self._app
                content = file.read_bytes()
            elif file.suffix in COMPRESSED and _accepts_gzip(Headers(scope=scope)):
                headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
                content = await self._smaller(file)
            else:
                return self._app
        except OSError:
            return self._app
        return Response(content, headers=headers, media_type=TYPES[file.suffix])

    async def _smaller(self, file: Path) -> bytes:
        if file not in self._compressed:
            self._compressed[file] = await run_in_threadpool(_compress, file)
        return self._compressed[file]


def _compress(file: Path) -> bytes:
    return gzip.compress(file.read_bytes(), mtime=0)


def _accepts_gzip(headers: Headers) -> bool:
    for accepted in headers.get("accept-encoding", "").split(","):
        coding, _, quality = accepted.partition(";")
        if coding.strip().lower() == "gzip":
            return re.fullmatch(r"q=0(\.0*)?", quality.strip()) is None
    return False
