"""What answers carry, and who may ask for what."""

from __future__ import annotations

import json

import pytest
from asgi import ask
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from soundalike.ui.middleware import headers
from soundalike.ui.middleware.headers import SafeHeaders

THEIRS = {
    "allowedOrigins": [f"https://*.{number}.streamlit.app" for number in range(100)],
    "metricsUrl": "",
}


async def host_config(request: Request) -> Response:
    return JSONResponse(THEIRS)


async def upload(request: Request) -> Response:
    theirs = {"Access-Control-Allow-Origin": "http://localhost:8501"}
    return Response(status_code=204, headers={**theirs, "Access-Control-Allow-Credentials": "true"})


async def anything(request: Request) -> Response:
    return Response("here")


APP = Starlette(
    routes=[
        Route("/_stcore/host-config", host_config),
        Route("/_stcore/upload_file/{a}/{b}", upload, methods=["PUT"]),
        Route("/{path:path}", anything),
    ],
    middleware=[Middleware(SafeHeaders), Middleware(GZipMiddleware, minimum_size=100)],
)
VISITOR = "203.0.113.9"


@pytest.fixture(autouse=True)
def _policy_anew():
    headers.policy.cache_clear()
    yield
    headers.policy.cache_clear()


@pytest.mark.parametrize("path", ["/", "/media/a.mp3", "/_stcore/host-config", "/_stcore/metrics"])
def test_every_answer_has_the_headers(path: str) -> None:
    _, answer, _ = ask(APP, path, VISITOR)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "microphone=(self)" in answer["Permissions-Policy"]
    (policy,) = answer.getlist("Content-Security-Policy")
    assert "frame-ancestors 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.partition("script-src ")[2].partition(";")[0]


def test_figures_are_for_this_machine_alone() -> None:
    assert ask(APP, "/_stcore/metrics", "127.0.0.1")[0] == 200
    assert ask(APP, "/_stcore/metrics", VISITOR)[0] == 404
    assert ask(APP, "/_stcore/metrics", "127.0.0.1", x_forwarded_for=VISITOR)[0] == 404


def test_other_sites_may_neither_frame_the_app_nor_send_it_messages() -> None:
    _, answer, body = ask(APP, "/_stcore/host-config", VISITOR)
    own = ["https://music.example.org", "http://music.example.org"]
    assert json.loads(body) == {"allowedOrigins": own, "metricsUrl": ""}
    assert int(answer["Content-Length"]) == len(body)
    odd = ask(APP, "/_stcore/host-config", VISITOR, host='a"b')[2]
    assert json.loads(odd)["allowedOrigins"] == []


def test_an_embedding_site_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(headers.VARIABLE, "https://school.example  https://*.streamlit.app")
    _, answer, body = ask(APP, "/_stcore/host-config", VISITOR)
    named = ["https://school.example", "https://*.streamlit.app"]
    assert json.loads(body)["allowedOrigins"][2:] == named
    assert f"frame-ancestors 'self' {' '.join(named)}" in answer["Content-Security-Policy"]


def test_uploads_are_for_the_app_s_own_pages() -> None:
    status, answer, _ = ask(APP, "/_stcore/upload_file/s/f", VISITOR, "PUT")
    assert status == 204
    assert [name for name in answer if name.startswith("access-control-allow-")] == []
