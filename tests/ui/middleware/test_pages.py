"""What is answered at the pages' addresses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from asgi import ask
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from streamlit import config

from soundalike.ui.middleware import pages
from soundalike.ui.middleware.pages import DESCRIPTIONS, Pages

ROOT = Path(__file__).resolve().parents[3]
HEAD = "<html><head><title>Streamlit</title></head><body>here</body></html>"
VISITOR = "203.0.113.9"


async def health(request: Request) -> Response:
    return PlainTextResponse("ok")


async def anything(request: Request) -> Response:
    return HTMLResponse(HEAD)


APP = Starlette(
    routes=[Route("/_stcore/health", health), Route("/{path:path}", anything)],
    middleware=[Middleware(Pages)],
)


def test_every_page_is_known() -> None:
    names = {path.stem for path in (ROOT / "pages").glob("*.py")} - {"recommend"} | {""}
    assert set(DESCRIPTIONS) == names


@pytest.mark.parametrize("page", list(DESCRIPTIONS))
def test_a_page_is_described_in_its_head(page: str) -> None:
    status, headers, body = ask(APP, f"/{page}", VISITOR)
    head = body.decode().partition("</head>")[0]
    assert (status, int(headers["content-length"])) == (200, len(body))
    assert f'<meta name="description" content="{DESCRIPTIONS[page]}">' in head
    assert 'content="http://music.example.org/preview.webp"' in head
    assert re.findall("<title>(.*?)</title>", head) == [
        f"{page.capitalize() or 'Recommend'} · Soundalike"
    ]
    rest = body.decode().partition("</head>")[2]
    assert rest.startswith("<body>here<style>")
    assert rest.endswith("</style></body></html>")
    assert ".st-key-header" in rest


def test_the_picture_of_a_link_is_there() -> None:
    status, headers, body = ask(APP, "/preview.webp", VISITOR)
    assert (status, headers["content-type"], body[8:12]) == (200, "image/webp", b"WEBP")


@pytest.mark.parametrize("host", ['a"><script>', "a/b", ""])
def test_a_host_that_is_none_is_left_out(host: str) -> None:
    _, _, body = ask(APP, "/", VISITOR, host=host)
    assert b"og:image" not in body
    assert b"og:title" in body
    assert b"<script>" not in body


@pytest.mark.parametrize("path", ["/nowhere", "/Map", "/<script>alert(1)", "/" + "a" * 5_000])
def test_an_unknown_page_is_a_page_that_says_so(path: str) -> None:
    status, _, body = ask(APP, path, VISITOR)
    text = body.decode()
    assert status == 404
    assert "There is no page" in text
    assert '<a href="/">' in text
    assert "<script>" not in text
    assert len(text) < 2_000


@pytest.mark.parametrize("path", ["/favicon.png", "/static/js/index.js", "/_stcore/health", "/media/a"])
def test_other_addresses_are_left_alone(path: str) -> None:
    status, _, body = ask(APP, path, VISITOR)
    assert (status, body) == (200, b"ok" if path.endswith("health") else HEAD.encode())


def test_a_path_before_the_app_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "get_option", lambda name: "music")
    assert b"/music/preview.webp" in ask(APP, "/music/map", VISITOR)[2]
    status, _, body = ask(APP, "/music/nowhere", VISITOR)
    assert status == 404
    assert re.search(rb'href="/music/"', body)


def test_without_the_picture_links_have_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pages, "_PICTURE", tmp_path / "none.webp")
    assert b"og:image" not in ask(APP, "/", VISITOR)[2]
