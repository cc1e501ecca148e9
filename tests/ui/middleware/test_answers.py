"""Answers of Streamlit's that are changed."""

from __future__ import annotations

import pytest
from asgi import ask
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from soundalike.ui.middleware import answers

VISITOR = "203.0.113.9"


async def text(request: Request) -> Response:
    return PlainTextResponse("here " * 100)


async def missing(request: Request) -> Response:
    return PlainTextResponse("not here", 404)


INNER = GZipMiddleware(Starlette(routes=[Route("/", text), Route("/missing", missing)]), minimum_size=9)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await answers.with_body(INNER, scope, receive, send, lambda body: body.replace(b"here", b"there"))


def test_a_body_is_changed_as_a_whole_and_has_its_length() -> None:
    status, headers, body = ask(app, "/", VISITOR)
    assert (status, body) == (200, b"there " * 100)
    assert int(headers["content-length"]) == len(body)
    assert "content-encoding" not in headers


def test_an_error_is_left_as_it_is() -> None:
    assert ask(app, "/missing", VISITOR)[::2] == (404, b"not here")


@pytest.mark.parametrize(
    ("named", "host"),
    [
        *(("music.example.org", "music.example.org"), ("[::1]:8501", "[::1]:8501")),
        *(("a/b", ""), ('a"', ""), ("", "")),
    ],
)
def test_a_host(named: str, host: str) -> None:
    assert answers.host_of({"type": "http", "headers": [(b"host", named.encode())]}) == host
