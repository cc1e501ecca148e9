"""Test whether the app fits a host with 1 GB of memory.

    python benchmarks/hosting.py [--json]

Serves the app in three configurations: for a host with little memory (`SOUNDALIKE_LIGHT=1`: no VGG16,
one decoding process), the default, and on TensorFlow. In each, six clips are uploaded, then every page
is opened. We report the memory of all of the app's processes after that, with shared memory counted once
(Linux's proportional set size).
"""

from __future__ import annotations

from typing import Any

from figures import Figure, parser, show
from playwright.sync_api import Browser
from psutil import Process
from serving import SETTLED, browser, served, upload, visit

BAR_MB = 1_000
UPLOADS = 6
PAGES = ("anatomy", "map", "features", "compare", "about")
WAYS = {
    "on a small host, without VGG16": {"SOUNDALIKE_LIGHT": "1"},
    "with both networks": {"SOUNDALIKE_LIGHT": "0"},
    "with both networks on TensorFlow": {"SOUNDALIKE_LIGHT": "0", "SOUNDALIKE_RUNTIME": "tensorflow"},
}


def main() -> None:
    """Print the figures."""
    options = parser(__doc__).parse_args()
    with browser() as chromium:
        taken = {way: megabytes(chromium, environment) for way, environment in WAYS.items()}
    small = next(iter(WAYS))
    show(
        [
            Figure(
                f"memory of all processes {way}", round(value), "MB", BAR_MB if way == small else None
            )
            for way, value in taken.items()
        ],
        options.json,
    )


def megabytes(chromium: Browser, environment: dict[str, Any]) -> float:
    """Memory of a server after some uploads and a visit to every page."""
    with served(**environment) as server:
        page = visit(chromium, server.address)
        for number in range(UPLOADS):
            upload(page, number)
        for name in PAGES:
            page.goto(f"{server.address}/{name}")
            page.locator(SETTLED).wait_for()
            page.wait_for_timeout(1_000)
        process = Process(server.pid)
        processes = [process, *process.children(recursive=True)]
        taken = sum(each.memory_full_info().pss for each in processes) / 1e6
        page.context.close()
    return float(taken)


if __name__ == "__main__":
    main()
