"""The app's pages as addresses: their descriptions for links, and an answer where there is no page.

Streamlit's own page has the same title and head for every address, and shows the first page where there
is none. It lacks our style sheet, which would move everything if it came with a page's content.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from soundalike import paths
from soundalike.ui import frontend
from soundalike.ui.middleware.answers import base_path, host_of, with_body

DESCRIPTIONS = {
    "": "Choose a clip and get a playlist of music that sounds like it. Only the audio is compared.",
    "anatomy": "See how a clip sounds: its waveform, its spectrum, its beats, and what is in it.",
    "map": "Walk through a map of music in which tracks that sound alike are close together.",
    "features": "Hear what each dimension of the embeddings responds to.",
    "compare": "Compare two ways to find similar music, and vote for one without knowing which it is.",
    "about": "How music is compared by its sound, how well that works, and where it fails.",
}
"""What each page is for, by its path, for those who get a link to it."""
PREVIEW = "preview.webp"
"""Path of the picture that is shown beside a link."""
_PICTURE = paths.ROOT / "docs" / "pictures" / "recommend-light.webp"
_NOT_HERE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>No such page · Soundalike</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.6 sans-serif; margin: 20vh auto; max-width: 34rem; padding: 0 1.5rem; }
</style>
</head>
<body>
<h1>There is no page “%s” here</h1>
<p>The link may be mistyped or old. <a href="%s">Go to Soundalike's first page.</a></p>
</body>
</html>
"""
_LONGEST_SHOWN = 60


class Pages:
    """ASGI middleware that describes the pages in their heads, and answers for pages that don't exist.

    A page asks for `_stcore` under its own path first. This must stay unanswered: the browser learns
    from it where the server's root is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        base = base_path()
        path = str(scope["path"]).removeprefix(base).strip("/")
        if path == PREVIEW and _PICTURE.is_file():
            picture = Response(_PICTURE.read_bytes(), media_type="image/webp")
            await picture(scope, receive, send)
        elif path in DESCRIPTIONS:
            head = _head(path, base, scope)
            await with_body(self._app, scope, receive, send, lambda body: _with_head(body, head))
        elif "/" not in path and "." not in path and not path.startswith("_"):
            shown = html.escape(path[:_LONGEST_SHOWN])
            answer = HTMLResponse(_NOT_HERE % (shown, f"{base}/"), 404)
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _with_head(body: bytes, head: bytes) -> bytes:
    """A page with its title and more in its head, and our style sheet after all of Streamlit's."""
    untitled = re.sub(rb"<title>.*?</title>", b"", body, count=1)
    style = f"<style>{frontend.read('app.css')}</style>".encode()
    return untitled.replace(b"</head>", head + b"</head>", 1).replace(b"</body>", style + b"</body>", 1)


def _head(page: str, base: str, scope: Scope) -> bytes:
    """A page's title and description as elements of its head, and a picture."""
    title = f"{page.capitalize() or 'Recommend'} · Soundalike"
    properties: Mapping[str, str] = {"og:title": title, "og:description": DESCRIPTIONS[page]}
    host = host_of(scope)
    if _PICTURE.is_file() and host:
        picture = f"{scope['scheme']}://{host}{base}/{PREVIEW}"
        properties = {**properties, "og:image": picture, "twitter:card": "summary_large_image"}
    lines = [
        f"<title>{title}</title>",
        f'<meta name="description" content="{html.escape(DESCRIPTIONS[page])}">',
    ]
    lines += [
        f'<meta property="{name}" content="{html.escape(value)}">' for name, value in properties.items()
    ]
    return "\n".join(lines).encode()
