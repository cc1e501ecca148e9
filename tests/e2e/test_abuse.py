"""What one visitor can do to the server: little, and not for long."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import attacks
import psutil
import pytest
from distant import Wire
from playwright.sync_api import Locator, Page, expect
from uploading import noise, upload

MESSAGES = 3_000
FILES = 25
MEGABYTE = 2**20
SLOW_S = 2.0
"""What the others may wait for at most. On two cores shared with other tests it is some hundredths."""
END_S = 5.0

pytestmark = pytest.mark.e2e


@pytest.fixture
def server(
    serve: Callable[..., AbstractContextManager[str]], tmp_path: Path
) -> Iterator[tuple[str, psutil.Process]]:
    """A server of its own, whose first page has been shown, and its process."""
    with attacked(serve, tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def lasting(
    serve: Callable[..., AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, psutil.Process]]:
    """The same, for several tests after which it goes on as before."""
    with attacked(serve, tmp_path_factory.mktemp("lasting")) as found:
        yield found


@contextmanager
def attacked(
    serve: Callable[..., AbstractContextManager[str]], folder: Path
) -> Iterator[tuple[str, psutil.Process]]:
    with serve(folder, SOUNDALIKE_WARM_UP="0") as address:
        with Wire(address) as wire:
            wire.run("")
        port = int(address.rpartition(":")[2])
        (found,) = (
            process
            for process in psutil.Process().children(recursive=True)
            if any(str(port) == part for part in process.cmdline())
        )
        yield address, found


@contextmanager
def watched(address: str) -> Iterator[list[float]]:
    """Ask the server how it is while something happens; collects the seconds that it took."""
    waits: list[float] = []
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.05):
            waits.append(attacks.health_s(address))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield waits
    finally:
        over.set()
        asking.join()


def test_a_flood_of_messages_is_cut_off_and_others_do_not_wait(lasting) -> None:
    address, process = lasting
    threads = process.num_threads()
    with watched(address) as waits:
        sent, cut_off = attacks.flood(address, MESSAGES)
        time.sleep(2)
    assert cut_off
    assert sent < MESSAGES
    assert max(waits) < SLOW_S
    assert process.num_threads() < threads + 20
    with Wire(address) as wire:
        assert wire.run("map")[-1].seconds < 20


def test_a_visitor_cannot_empty_what_all_share(lasting) -> None:
    address, _ = lasting
    with Wire(address) as wire:
        wire.run("about")
        attacks.forget_all(address)
        answer = wire.run("about")
    assert not [part for part in answer if "Opening the library" in str(part.message)]


@pytest.mark.sweep
def test_files_that_nobody_uses_do_not_stay(server) -> None:
    address, process = server
    before = process.memory_info().rss
    assert set(attacks.unused_uploads(address, FILES)) <= {403, 0}
    assert process.memory_info().rss - before < 64 * MEGABYTE
    # Those of one address take turns after 256 MB.
    assert set(attacks.unused_uploads(address, 9, asked=True)) == {204}
    assert process.memory_info().rss - before < 192 * MEGABYTE


@pytest.mark.sweep
def test_an_honest_upload_is_used(server, tmp_path) -> None:
    address, _ = server
    noise(tmp_path / "noise.wav")
    content = (tmp_path / "noise.wav").read_bytes()
    with Wire(address) as wire:
        wire.run("", "from=upload")
        answer = wire.upload("noise.wav", content)
    assert [part for part in answer if part.component.get("kind") == "table"]


def test_a_server_ends_in_five_seconds_though_an_upload_is_open(server) -> None:
    address, process = server
    with attacks.slow_upload(address):
        os.kill(process.pid, signal.SIGTERM)
        begun = time.monotonic()
        psutil.wait_procs([process], timeout=30)
        assert time.monotonic() - begun < END_S


def test_answers_carry_the_headers_and_name_no_other_site(app_url: str) -> None:
    with urllib.request.urlopen(f"{app_url}/") as answer:
        headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    with urllib.request.urlopen(f"{app_url}/_stcore/host-config") as answer:
        allowed = json.load(answer)["allowedOrigins"]
    assert {origin.partition("//")[2] for origin in allowed} == {app_url.partition("//")[2]}


@pytest.mark.sweep
def test_the_log_names_no_session(serve, tmp_path) -> None:
    with serve(tmp_path, SOUNDALIKE_WARM_UP="0") as address, Wire(address) as wire:
        wire.run("")
        attacks.flood(address, 200)
        place = wire.place("a.wav")
        assert wire.put(place.upload_url, "a.wav", b"RIFF") == 204
        assert wire.session
        log = (tmp_path / "log").read_text(errors="replace")
        assert wire.session not in log
        assert place.file_id not in log


# --- what honest visitors send -------------------------------------------------------------------


@pytest.mark.sweep
def test_dragging_a_slider_fast_is_no_flood(open_page) -> None:
    page: Page = open_page("/?track=0102")
    sent: list[float] = []
    closed: list[float] = []
    page.on("websocket", lambda socket: _listen(socket, sent, closed))
    page.reload()
    page.get_by_role("button", name="Options").click()
    slider = page.get_by_test_id("stSlider").get_by_role("slider").first
    expect(slider).to_be_visible()
    page.wait_for_timeout(2_000)
    box = _resting_box(page, slider)
    sent.clear()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    begun = time.monotonic()
    step = 0
    while time.monotonic() - begun < 5:
        step += 1
        page.mouse.move(box["x"] + (step * 37) % 240 - 120, box["y"] + box["height"] / 2)
        page.wait_for_timeout(16)
    # Streamlit sends nothing where a drag ends at the value that it began with.
    page.mouse.move(box["x"] + 100, box["y"] + box["height"] / 2)
    page.mouse.up()
    page.wait_for_timeout(1_000)
    dragged = len(sent)
    begun = time.monotonic()
    for _ in range(100):
        # As an arrow key that is held down.
        slider.press("ArrowRight", delay=20)
        slider.press("ArrowLeft", delay=20)
    held_s = time.monotonic() - begun
    held = len(sent) - dragged
    print(f"{step} moves in 5 s: {dragged} messages; 200 keys in {held_s:.1f} s: {held} messages")
    assert not closed
    assert 1 <= dragged <= 5 * 8


def _resting_box(page: Page, slider: Locator) -> dict[str, float]:
    """Where the slider is once the page has stopped growing above it."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    for _ in range(30):
        page.wait_for_timeout(500)
        before, box = box, slider.bounding_box()
        if box is not None and box == before:
            return box
    pytest.fail("the slider never rested")


def _listen(socket, sent: list[float], closed: list[float]) -> None:
    socket.on("framesent", lambda _: sent.append(time.monotonic()))
    socket.on("close", lambda _: closed.append(time.monotonic()))


@pytest.mark.sweep
def test_an_upload_in_the_browser_is_used_under_the_policy(open_page, tmp_path) -> None:
    noise(tmp_path / "noise.wav")
    page = open_page("/")
    upload(page, tmp_path / "noise.wav")
    expect(page.locator(".single .title")).to_have_text("noise.wav")
