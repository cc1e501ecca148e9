"""Ask an ASGI app something without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from starlette.datastructures import Headers
from starlette.types import ASGIApp

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread: the browser's tests leave an event loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def ask(
    app: ASGIApp, path: str, client: str, method: str = "GET", **headers: str
) -> tuple[int, Headers, bytes]:
    """An answer's status, headers and body."""
    named = {"host": "music.example.org", "accept_encoding": "gzip"} | headers
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]
    scope = {
        **{
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
        },
        **{"headers": raw, "client": (client, 1), "server": ("127.0.0.1", 80), "scheme": "http"},
        **{"http_version": "1.1", "root_path": "", "asgi": {"version": "3.0"}},
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    async def work() -> None:
        await app(scope, receive, send)

    run(work())
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], Headers(raw=sent[0]["headers"]), body
