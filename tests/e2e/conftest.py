"""A served app and a real browser."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
import serving
from browsing import Watch
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from soundalike.audio import decoding

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_MS = 120_000
"""What is waited for mostly takes a second. On a machine busy with other things a page has taken a
minute; how fast pages are is for the benchmarks to say."""
FIRST_PAGE_MS = 240_000
"""A server that has just started imports, and loads its networks beside its first page."""
APP = (sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", "--server.port")
"""A command that takes a port."""
FLAGS = [
    *serving.FLAGS,
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give some tests a second try.

    On a busy machine one in thousands of a browser's fails by chance. Python 3.11's parser fails now and
    then while another thread uses it ("AST constructor recursion depth mismatch"), as in `system`.
    """
    for item in items:
        if {"e2e", "system"} & set(item.path.parts):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app, served as `make demo` serves it, from a folder of its own for what it might write."""
    with served(tmp_path_factory.mktemp("server")) as address:
        yield address


@contextmanager
def served(
    folder: Path,
    *before: str,
    port: int = 0,
    command: Sequence[str] = APP,
    cwd: Path = ROOT,
    **environment: str,
) -> Iterator[str]:
    """A server of its own for the app, in some environment; whatever it writes goes to a folder.

    Parameters
    ----------
    before : what its command begins with, as to trace it
    port : its port; a free one if 0
    command : how it is started, but for the port at the end
    cwd : where it is started
    """
    if not port:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    log = folder / "log"
    (folder / "tmp").mkdir()
    own = {
        "SOUNDALIKE_WARM_UP": "1",
        "TMPDIR": str(folder / "tmp"),
        "SOUNDALIKE_VOTES": str(folder / "votes.sqlite"),
    }
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*before, *command, str(port)],
            cwd=cwd,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | own | environment,
        )
    try:
        _wait_until_healthy(f"http://localhost:{port}/_stcore/health", server, log)
        yield f"http://localhost:{port}"
        # Streamlit itself logs a traceback when a browser leaves in the middle of a message.
        ours = re.compile(r'File ".*(/pages/|/src/soundalike/|/app\.py)')
        assert not ours.search(log.read_text(errors="replace"))
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[str]]:
    """`served`, for a module that needs a server in an environment of its own."""
    return served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Whichever Chromium is installed, headless."""
    found = next(filter(None, map(shutil.which, serving.BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium on this machine; install Debian's package chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def new_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that nobody has visited."""
    with served(tmp_path_factory.mktemp("new")) as address:
        yield address


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One for all pages, so that Streamlit's own files are fetched once; each page is a session."""
    context = browser.new_context(permissions=["microphone"])
    context.set_default_timeout(PATIENCE_MS)
    # Stays blank: without it each page would open a window, which costs a second of processor time.
    context.new_page()
    yield context
    context.close()


@pytest.fixture(scope="session")
def started_app(context: BrowserContext, app_url: str) -> str:
    """The address of the app once it has shown somebody a page."""
    page = context.new_page()
    page.goto(app_url, timeout=FIRST_PAGE_MS)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=FIRST_PAGE_MS)
    page.close()
    return app_url


@contextmanager
def visiting(context: BrowserContext) -> Iterator[Callable[..., Page]]:
    """Opens addresses, each in a new session; at the end nothing must have gone wrong in any."""
    watches = []

    def open_at(address: str, width: int = 1280, scheme: str = "light") -> Page:
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        watches.append(Watch(page))
        page.goto(address)
        # What is below the title is hidden until then.
        page.locator("html[data-settled]").wait_for(state="attached", timeout=PATIENCE_MS)
        return page

    yield open_at
    for page in context.pages[1:]:
        page.close()
    assert [problem for watch in watches for problem in watch.problems] == []


@pytest.fixture
def visit(context: BrowserContext) -> Iterator[Callable[..., Page]]:
    """Open an address, such as that of a server of one's own."""
    with visiting(context) as open_at:
        yield open_at


@pytest.fixture
def open_page(context: BrowserContext, started_app: str) -> Iterator[Callable[..., Page]]:
    """Open the app at a path."""
    with visiting(context) as open_at:
        yield lambda path="/", *how, **more: open_at(started_app + path, *how, **more)


@pytest.fixture
def encode_excerpt() -> Callable[[Path], Path]:
    """Write twelve seconds from the middle of a library clip, in the format that the name says."""

    def encode(target: Path) -> Path:
        clip = decoding.decode(ROOT / "assets" / "library" / "clips" / "0102.opus")
        excerpt = clip.samples[8 * clip.sample_rate : 20 * clip.sample_rate]
        with av.open(str(target), "w") as container:
            stream = container.add_stream("aac", rate=clip.sample_rate, layout="mono")
            for start in range(0, len(excerpt), 1024):
                block = np.ascontiguousarray(excerpt[np.newaxis, start : start + 1024])
                frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
                frame.sample_rate = clip.sample_rate
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return target

    return encode


def _wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the app did not start:\n{log.read_text(errors='replace')}")
