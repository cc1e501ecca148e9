"""Streamlit's own files: whole, compressed for visitors elsewhere, and nothing else."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from asgi import ask
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from streamlit import config, file_util

from soundalike.ui.middleware import assets
from soundalike.ui.middleware.assets import Assets

ROOT = Path(file_util.get_static_dir())
VISITOR, HERE = "203.0.113.9", "127.0.0.1"
PASSED_ON = b"passed on"


async def anything(request: Request) -> Response:
    return PlainTextResponse(PASSED_ON)


@pytest.fixture
def app() -> Assets:
    return Assets(Starlette(routes=[Route("/{path:path}", anything, methods=["GET", "HEAD", "POST"])]))


@pytest.fixture
def script() -> str:
    """The address of the largest script that the first page names."""
    page = (ROOT / "index.html").read_text(encoding="utf-8")
    named = re.findall(r'"\./(static/js/[^"]+)"', page)
    return "/" + max(named, key=lambda name: (ROOT / name).stat().st_size)


@pytest.fixture
def below_music() -> Iterator[None]:
    config.set_option("server.baseUrlPath", "music")
    yield
    config.set_option("server.baseUrlPath", "")


def test_a_browser_on_this_machine_gets_a_script_as_it_is(app: Assets, script: str) -> None:
    status, headers, body = ask(app, script, HERE)
    assert (status, body) == (200, (ROOT / script[1:]).read_bytes())
    assert "content-encoding" not in headers
    assert headers["content-type"].startswith("text/javascript")
    assert "immutable" in headers["cache-control"]


def test_a_visitor_elsewhere_gets_it_compressed(app: Assets, script: str) -> None:
    original = (ROOT / script[1:]).read_bytes()
    _, headers, body = ask(app, script, VISITOR)
    assert (headers["content-encoding"], headers["vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(body) == original
    assert int(headers["content-length"]) == len(body) < len(original) / 2


def test_so_does_a_visitor_through_a_proxy_on_this_machine(app: Assets, script: str) -> None:
    _, headers, _ = ask(app, script, HERE, x_forwarded_for=VISITOR)
    assert headers["content-encoding"] == "gzip"


def test_it_is_compressed_once(app: Assets, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, first = ask(app, script, VISITOR)
    monkeypatch.setattr(assets, "_compress", lambda file: pytest.fail("compressed again"))
    assert ask(app, script, VISITOR)[2] == first


REFUSING = ["", "br", "identity", "identity, gzip;q=0", "gzip; q=0.0", "gzipped"]


@pytest.mark.parametrize("accepted", REFUSING)
def test_who_cannot_read_it_gets_streamlits_answer(app: Assets, script: str, accepted: str) -> None:
    assert ask(app, script, VISITOR, accept_encoding=accepted)[2] == PASSED_ON


@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP;q=0.5", "deflate,gzip ; q=1"])
def test_who_can_read_it_gets_it_compressed(app: Assets, script: str, accepted: str) -> None:
    assert ask(app, script, VISITOR, accept_encoding=accepted)[1]["content-encoding"] == "gzip"


def test_fonts_are_compressed_already(app: Assets) -> None:
    font = next((ROOT / "static" / "media").glob("*.woff2"))
    _, headers, body = ask(app, f"/static/media/{font.name}", HERE)
    assert (headers["content-type"], body) == ("font/woff2", font.read_bytes())
    assert ask(app, f"/static/media/{font.name}", VISITOR)[2] == PASSED_ON


def test_a_large_file_is_not_read_in_one_go(app: Assets) -> None:
    large = max((ROOT / "static" / "js").glob("*.js"), key=lambda path: path.stat().st_size)
    assert large.stat().st_size > assets.LARGEST
    assert ask(app, f"/static/js/{large.name}", HERE)[2] == PASSED_ON
    assert gzip.decompress(ask(app, f"/static/js/{large.name}", VISITOR)[2]) == large.read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/index.html", "/static/js/", "/static/js/nothing.js", "/static/../index.html"),
        *("/static/js/../../index.html", "//static/js/index.js", "/_stcore/health", "/media/a.js"),
    ],
)
def test_everything_else_is_passed_on(app: Assets, path: str) -> None:
    assert ask(app, path, VISITOR)[2] == PASSED_ON


@pytest.mark.parametrize("name", ["range", "if_none_match", "if_modified_since"])
def test_what_asks_for_less_than_the_whole_is_passed_on(app: Assets, script: str, name: str) -> None:
    assert ask(app, script, VISITOR, **{name: "bytes=0-9"})[2] == PASSED_ON


@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_other_methods_are_passed_on(app: Assets, script: str, method: str) -> None:
    assert "content-encoding" not in ask(app, script, VISITOR, method)[1]


def test_an_app_under_a_path_has_its_files_there(app: Assets, script: str, below_music: None) -> None:
    assert gzip.decompress(ask(app, f"/music{script}", VISITOR)[2]) == (ROOT / script[1:]).read_bytes()


@pytest.mark.parametrize("client", [VISITOR, HERE])
def test_a_file_that_has_gone_is_passed_on(
    tmp_path: Path, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "a.js").write_text("1")
    monkeypatch.setattr(file_util, "get_static_dir", lambda: str(tmp_path))
    app = Assets(Starlette(routes=[Route("/{path:path}", anything)]))
    assert ask(app, "/static/a.js", HERE)[2] == b"1"
    (tmp_path / "static" / "a.js").unlink()
    assert ask(app, "/static/a.js", client)[2] == PASSED_ON
