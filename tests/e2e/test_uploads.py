"""What a visitor sends: its name is shown as it is, and nothing of it is left when they have gone."""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect
from uploading import noise, upload

NAME = "<img src=x onerror=alert(1)> **b** [l](javascript:alert(1)) $x$ :red[r].wav"
PATIENCE_S = 60
TTL_S = 2
"""How long the server keeps a session whose browser has gone."""

pytestmark = pytest.mark.e2e


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.sweep
def test_nothing_is_left_of_an_upload(context, serve, tmp_path) -> None:
    own = tmp_path / "server"
    own.mkdir()
    part = noise(tmp_path / "noise.wav")
    with serve(own, STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL=str(TTL_S)) as address:
        page = context.new_page()
        played: list[str] = []
        page.on("request", lambda request: played.append(request.url))
        page.goto(address)
        upload(page, tmp_path / "noise.wav")
        single = page.locator(".single")
        expect(single.locator(".title")).to_have_text("noise.wav")
        single.get_by_role("button", name=re.compile("^Play ")).click()
        expect(single.get_by_role("button", name=re.compile("^Pause "))).to_be_visible()
        (media,) = {url for url in played if "/media/" in url and url.endswith(".wav")}
        assert status(media) == 200
        page.close()
        until = time.monotonic() + PATIENCE_S
        while status(media) == 200 and time.monotonic() < until:
            # Sessions that have run out are looked for when others come and go.
            time.sleep(TTL_S)
            other = context.new_page()
            other.goto(address)
            expect(other.locator(".single .title")).to_be_visible()
            other.close()
        assert status(media) == 404
        files = [path for path in own.rglob("*") if path.is_file()]
        assert own / "log" in files
        assert [path for path in files if part in path.read_bytes()] == []
        assert list((own / "tmp").rglob("*.wav")) == []


@pytest.mark.parametrize(
    "where", ["/", *(pytest.param(path, marks=pytest.mark.sweep) for path in ("/anatomy", "/map"))]
)
def test_a_file_name_of_markup_is_shown_as_it_is(where, open_page, tmp_path) -> None:
    path = tmp_path / NAME
    noise(path)
    page = open_page(where)
    if where == "/map":
        page.get_by_role("button", name="Place a clip").click()
        page.locator("input[type=file]").set_input_files(path)
    else:
        upload(page, path)
    expect(page.locator(".single .title, .player .title").first).to_have_text(NAME)
    expect(page.locator("img[src=x]")).to_have_count(0)
    expect(page.locator("a[href^=javascript]")).to_have_count(0)
