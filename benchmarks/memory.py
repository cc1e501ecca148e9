"""Memory of the served app, and whether it is released.

    python benchmarks/memory.py [--sessions N] [--uploads N] [--hosted N] [--json]

The server's resident memory (RSS of the whole process, including mapped files), measured from outside:

1. with the networks loaded, after one upload;
2. with N more browser sessions open, each with an upload on Recommend and on Anatomy: the memory added
   per session; and the remainder after the sessions were closed, released by Streamlit and collected by
   the app. Streamlit releases a session two minutes after its browser left, when the next one leaves;
   the app collects garbage every half minute while it has users;
3. over N consecutive uploads in one browser page: the median of the last tenth compared with that of the
   second tenth, after one-off growth;
4. of all processes together, shared memory counted once (Linux's proportional set size), after N uploads
   and a visit to every page, in three configurations: for a host with little memory
   (`SOUNDALIKE_LIGHT=1`: no VGG16, one decoding process), the default, and on TensorFlow.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import psutil
import uploads
from figures import Figure, parser, show
from playwright.sync_api import Browser, BrowserContext, Page, expect
from serving import PATIENCE_MS, SETTLED, browser, served, upload, visit

MODEL_BAR_MB, SESSION_BAR_MB, GROWTH_BAR, SMALL_BAR_MB = 800, 12, 5.0, 1_000
LET_GO_S, COLLECTED_S = 125, 35
PAGES = ("anatomy", "map", "features", "compare", "about")
SMALL = "on a small host, without VGG16"
WAYS = {
    SMALL: {"SOUNDALIKE_LIGHT": "1"},
    "with both networks": {"SOUNDALIKE_LIGHT": "0"},
    "with both networks on TensorFlow": {"SOUNDALIKE_LIGHT": "0", "SOUNDALIKE_RUNTIME": "tensorflow"},
}

Memory = Callable[[], float]


def main() -> None:
    """Print the figures."""
    options = parser(__doc__)
    options.add_argument("--sessions", type=int, default=20)
    options.add_argument("--uploads", type=int, default=500)
    options.add_argument("--hosted", type=int, default=6)
    chosen = options.parse_args()
    expect.set_options(timeout=PATIENCE_MS)
    found = []
    with served() as server, browser() as chromium:
        process = psutil.Process(server.pid)

        def memory() -> float:
            """In MB, once it has been stable for a second."""
            before = process.memory_info().rss
            while True:
                time.sleep(1)
                now = process.memory_info().rss
                if abs(now - before) < 2**20:
                    return float(now) / 1e6
                before = now

        page = visit(chromium, server.address)
        upload(page, 0)
        loaded = memory()
        found.append(Figure("server with the networks loaded", round(loaded), "MB", MODEL_BAR_MB))
        if chosen.sessions:
            found += sessions(chromium, server.address, chosen.sessions, memory)
        if chosen.uploads:
            found += in_a_row(page, chosen.uploads, memory)
    if chosen.hosted:
        with browser() as chromium:
            found += [hosted(chromium, way, chosen.hosted) for way in WAYS]
    show(found, chosen.json)


def sessions(chromium: Browser, address: str, count: int, memory: Memory) -> list[Figure]:
    """Memory added per session, and the remainder afterwards."""
    # The first session on each page also loads shared data.
    leave(look_around(chromium, address, 1))
    before = memory()
    opened = [look_around(chromium, address, 2 + number) for number in range(count)]
    held = memory()
    for context in opened:
        leave(context)
    for later, pause_s in enumerate((LET_GO_S, COLLECTED_S)):
        time.sleep(pause_s)
        leave(look_around(chromium, address, 2 + count + later))
    after = memory()
    kept = (after - before) / count
    return [
        Figure(
            "a session with an upload on two pages adds",
            mb((held - before) / count),
            "MB",
            SESSION_BAR_MB,
        ),
        Figure("left of it when it is over", mb(kept), "MB"),
        Figure("given back", round(100 * (held - after) / max(held - before, 1e-9)), "%"),
    ]


def in_a_row(page: Page, count: int, memory: Memory) -> list[Figure]:
    """Growth of memory over uploads in one page."""
    sizes = []
    for number in range(count):
        upload(page, 1_000 + number)
        sizes.append(memory())
    tenth = max(count // 10, 1)
    early, late = median(sizes[tenth : 2 * tenth]), median(sizes[-tenth:])
    return [
        Figure(
            f"growth over {count} uploads in a row",
            round(100 * (late / early - 1), 1),
            "%",
            GROWTH_BAR,
            f"{early:.0f} MB in the second tenth, {late:.0f} in the last, at most {max(sizes):.0f} MB",
        )
    ]


def hosted(chromium: Browser, way: str, count: int) -> Figure:
    """Memory of all processes of a server in one configuration."""
    environment: dict[str, Any] = WAYS[way]
    with served(**environment) as server:
        page = visit(chromium, server.address)
        for number in range(count):
            upload(page, number)
        for name in PAGES:
            page.goto(f"{server.address}/{name}")
            page.locator(SETTLED).wait_for()
            page.wait_for_timeout(1_000)
        process = psutil.Process(server.pid)
        processes = [process, *process.children(recursive=True)]
        taken = sum(each.memory_full_info().pss for each in processes) / 1e6
        page.context.close()
    bar = SMALL_BAR_MB if way == SMALL else None
    return Figure(f"memory of all processes {way}", round(taken), "MB", bar)


def look_around(chromium: Browser, address: str, number: int) -> BrowserContext:
    """Open a session that uploads a clip on Recommend and on Anatomy, and stays."""
    page = visit(chromium, address)
    upload(page, number)
    page.get_by_role("link", name="Anatomy").click()
    expect(page.get_by_role("heading", name="See inside the sound")).to_be_visible()
    page.locator(SETTLED).wait_for()
    page.get_by_text("Upload", exact=True).first.click()
    name, content = uploads.upload(number)
    field = page.locator("input[type=file]")
    field.set_input_files({"name": name, "mimeType": "audio/mpeg", "buffer": content})
    expect(page.locator(".plots, figcaption").first).to_be_visible()
    page.locator(SETTLED).wait_for()
    return page.context


def leave(context: BrowserContext) -> None:
    """Close a session."""
    context.close()


def mb(value: float) -> float:
    """Megabytes, rounded for quoting."""
    return round(max(value, 0.0), 1)


if __name__ == "__main__":
    main()
