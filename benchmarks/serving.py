"""Serve the app as `make demo` does, and open it in a headless Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uploads
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "app.py"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
]
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"
"""Selector of a page whose script isn't running."""
PATIENCE_MS = 120_000


@dataclass(frozen=True)
class Served:
    """A running server.

    Attributes
    ----------
    address : URL of the app, without a trailing slash
    pid : process id of the server
    started : time of its start, by `time.monotonic`
    """

    address: str
    pid: int
    started: float


@contextmanager
def served(script: Path = APP, **environment: str) -> Iterator[Served]:
    """Serve the app on a free port, with its own folder for files it might write, once it responds.

    Parameters
    ----------
    script : what Streamlit runs
    environment : variables in addition to this process's
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        log, temporary = Path(folder) / "log", Path(folder) / "tmp"
        temporary.mkdir()
        own = {"TMPDIR": str(temporary), "SOUNDALIKE_VOTES": str(Path(folder) / "votes.sqlite")}
        with log.open("wb") as output:
            started = time.monotonic()
            server = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
                + ["--server.headless", "true"],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | own | environment,
            )
        try:
            address = f"http://localhost:{port}"
            wait_for(address, server)
            yield Served(address, server.pid, started)
        finally:
            server.terminate()
            server.wait(20)


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until a server responds; fail with advice after a minute or when it has exited."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    sys.exit("The app did not start; try `make demo` to see why.")


@contextmanager
def browser() -> Iterator[Browser]:
    """An installed Chromium, headless."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=installed(), args=FLAGS)
        yield started
        started.close()


def installed() -> str:
    """Path of a Chromium."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or sys.exit("There is no Chromium on this machine; install Debian's package chromium.")


def visit(chromium: Browser, address: str) -> Page:
    """Open a new session at the first page, ready for an upload."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(address)
    page.locator(SETTLED).wait_for()
    page.get_by_text("Upload", exact=True).first.click()
    page.locator("input[type=file]").first.wait_for(state="attached")
    page.locator(SETTLED).wait_for()
    return page


def upload(page: Page, number: int) -> None:
    """Upload a clip (`uploads`) and wait for its playlist."""
    name, content = uploads.upload(number)
    field = page.locator("input[type=file]").first
    field.set_input_files({"name": name, "mimeType": "audio/mpeg", "buffer": content})
    expect(page.locator(".single .title")).to_have_text(name, timeout=PATIENCE_MS)
    expect(page.locator("tbody .title")).to_have_count(10, timeout=PATIENCE_MS)
    page.locator(SETTLED).wait_for()
