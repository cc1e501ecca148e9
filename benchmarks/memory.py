"""Memory of the served app: its networks, a visitor, a visitor's clip, and a small host.

    python benchmarks/memory.py [--sessions N] [--json]

The server's resident memory (RSS of the whole process, including mapped files), measured from outside:

1. with the networks loaded, after one upload;
2. with N more browser sessions open, each on Recommend and then on Anatomy, with a track of the library:
   the memory added per session;
3. with N more that also upload a clip: the memory added per session, without the bytes of the clip;
4. of all processes together, shared memory counted once (Linux's proportional set size), on a host with
   little memory (`SOUNDALIKE_LIGHT=1`: no VGG16, one decoding process), after four uploads and a visit
   to every page; an upload's default playlist and words are there, or the program fails.

`memory_growth.py` has what takes longer: what is released, growth, and other configurations.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import uploads
from figures import Figure, parser, show
from playwright.sync_api import Browser, Page, expect
from serving import PATIENCE_MS, SETTLED, Served, browser, served, upload, visit

MODEL_BAR_MB, SESSION_BAR_MB, CLIP_BAR_MB, SMALL_BAR_MB = 800, 10, 12, 1_000
PAGES = ("anatomy", "map", "features", "compare", "about")
UPLOADS = 4
ROWS = 10

Memory = Callable[[], float]


def main() -> None:
    """Print the figures."""
    options = parser(__doc__)
    options.add_argument("--sessions", type=int, default=6)
    chosen = options.parse_args()
    expect.set_options(timeout=PATIENCE_MS)
    with served() as server, browser() as chromium:
        memory = memory_of(server)
        upload(visit(chromium, server.address), 0)
        found = [Figure("server with the networks loaded", round(memory()), "MB", MODEL_BAR_MB)]
        looking = added(chromium, server, chosen.sessions, memory, upload_at=None)
        found.append(Figure("a session on two pages adds", looking, "MB", SESSION_BAR_MB))
        clip = len(uploads.upload(0)[1]) / 1e6
        with_clip = added(chromium, server, chosen.sessions, memory, upload_at=1)
        name = "a session with an upload adds, beside its bytes"
        found.append(Figure(name, mb(with_clip - clip), "MB", CLIP_BAR_MB))
    with browser() as chromium:
        taken = hosted(chromium, {"SOUNDALIKE_LIGHT": "1"}, words=True)
    name = "memory of all processes on a small host, without VGG16"
    found.append(Figure(name, round(taken), "MB", SMALL_BAR_MB))
    show(found, chosen.json)


def memory_of(server: Served) -> Memory:
    """A function that gives a server's memory in MB, once it has been stable for a second."""
    process = psutil.Process(server.pid)

    def memory() -> float:
        before = process.memory_info().rss
        while True:
            time.sleep(1)
            now = process.memory_info().rss
            if abs(now - before) < 2**20:
                return float(now) / 1e6
            before = now

    return memory


def added(chromium: Browser, server: Served, count: int, memory: Memory, upload_at: int | None) -> float:
    """Memory added per session in MB, with `count` of them open at once.

    Parameters
    ----------
    upload_at : number of the first session's clip; None to look around without one
    """
    with looking_around(chromium, server, 1, upload_at):
        # The first session on each page also loads shared data.
        before = memory()
        following = None if upload_at is None else upload_at + 1
        with looking_around(chromium, server, count, following):
            return mb((memory() - before) / count)


@contextmanager
def looking_around(
    chromium: Browser, server: Served, count: int, upload_at: int | None
) -> Iterator[None]:
    """Sessions that are on Anatomy, after Recommend."""
    opened: list[Page] = []
    for number in range(count):
        if upload_at is None:
            page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
            page.goto(server.address)
            expect(page.locator("tbody .title")).to_have_count(ROWS)
            page.locator(SETTLED).wait_for()
        else:
            page = visit(chromium, server.address)
            upload(page, upload_at + number)
        page.get_by_role("link", name="Anatomy").click()
        expect(page.get_by_role("heading", name="See inside the sound")).to_be_visible()
        expect(page.locator(".plots, figcaption").first).to_be_visible()
        page.locator(SETTLED).wait_for()
        opened.append(page)
    yield
    for page in opened:
        page.context.close()


def hosted(chromium: Browser, environment: dict[str, Any], words: bool = False) -> float:
    """Memory of all processes of a server in MB, after uploads and a visit to every page.

    Parameters
    ----------
    environment : variables of the server
    words : whether to wait for the words of the first clip
    """
    with served(**environment) as server:
        page = visit(chromium, server.address)
        for number in range(UPLOADS):
            upload(page, number)
        if words:
            expect(page.get_by_text("Sounds like").first).to_be_visible()
        for name in PAGES:
            page.goto(f"{server.address}/{name}")
            page.locator(SETTLED).wait_for()
            page.wait_for_timeout(1_000)
        process = psutil.Process(server.pid)
        processes = [process, *process.children(recursive=True)]
        taken = sum(each.memory_full_info().pss for each in processes) / 1e6
        page.context.close()
    return float(taken)


def mb(value: float) -> float:
    """Megabytes, rounded for quoting."""
    return round(max(value, 0.0), 1)


if __name__ == "__main__":
    main()
