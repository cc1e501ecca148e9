"""The app calls nobody: not on any page, not for an upload, and not when another site asks.

`tests/system/test_private.py` is the same for the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import outgoing
import pytest
from browsing import Watch, settled
from outgoing import Call, Recorder
from playwright.sync_api import BrowserContext, expect
from uploading import noise, upload
from websocket_client import opens

PAGES = ("anatomy", "map", "features", "compare", "about")
SERVER_AND_DECODERS = 3

pytestmark = [pytest.mark.e2e, pytest.mark.sweep]


@pytest.fixture(scope="module")
def visited(
    context: BrowserContext,
    serve: Callable[..., AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Recorder, list[Call]]]:
    """A server that has ended after a visit to each page, and what was recorded of it."""
    folder = tmp_path_factory.mktemp("private")
    noise(folder / "noise.wav")
    with pytest.MonkeyPatch.context() as patch, outgoing.recorder(folder / "record") as recorder:
        # Packages may call nobody where they find themselves in CI.
        patch.delenv("CI", raising=False)
        with serve(folder, *recorder.tracer, **recorder.environment) as address:
            visit(context, address, folder / "noise.wav")
            assert not opens(address, "localhost", "https://elsewhere.example")
        yield recorder, recorder.by_python()


def visit(context: BrowserContext, address: str, clip: Path) -> None:
    """Send a clip, wait for its playlist, and look at every other page."""
    page = context.new_page()
    watch = Watch(page)
    page.goto(address)
    rows = page.get_by_role("table").locator("tbody tr")
    expect(rows).to_have_count(10)
    upload(page, clip)
    expect(page.locator(".single .title")).to_have_text(clip.name)
    expect(rows).to_have_count(10)
    for name in PAGES:
        page.goto(f"{address}/{name}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        settled(page)
    page.close()
    assert watch.problems == []


def test_the_app_calls_nobody(visited: tuple[Recorder, list[Call]]) -> None:
    calls = visited[1]
    assert len({call.pid for call in calls if call.event == "start"}) >= SERVER_AND_DECODERS
    assert outgoing.outward(calls) == []


def test_nor_do_its_libraries_in_c(visited: tuple[Recorder, list[Call]]) -> None:
    if not outgoing.may_trace():
        pytest.skip("needs Debian's package strace, and leave to trace processes")
    assert outgoing.outward(visited[0].by_the_system()) == []


def test_the_app_leaves_nothing_in_the_home_folder(visited: tuple[Recorder, list[Call]]) -> None:
    assert list(visited[0].home.rglob("*")) == []
