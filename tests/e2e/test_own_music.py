"""Indexing a folder of the server's from a page, in a real browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from browsing import keep, serious_violations, settled
from playwright.sync_api import Page, expect

from soundalike import paths
from soundalike.indexing import background_worker

pytestmark = pytest.mark.e2e

CLIPS = 24
"""So many that a run on a fast machine does not end before it is stopped."""
PATIENCE_MS = 480_000
"""The work gives way to everything else on the machine."""


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of music; in a folder in it, a broken file is among good ones."""
    folder = tmp_path_factory.mktemp("served") / "music"
    (folder / "Jazz").mkdir(parents=True)
    for clip in sorted((paths.LIBRARY / "clips").iterdir())[:CLIPS]:
        shutil.copyfile(clip, folder / "Jazz" / clip.name)
    (folder / "Jazz" / "broken.mp3").write_bytes(b"nonsense" * 100)
    return folder


@pytest.fixture(scope="module")
def start(serve, music: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable:
    """Starts a server that may index the folder; all write their indexes into one folder."""

    def begin():
        own = {"SOUNDALIKE_MUSIC": str(music), "SOUNDALIKE_OWN_INDEXES": str(music.parent / "own")}
        return serve(tmp_path_factory.mktemp("server"), **own)

    return begin


def choose_jazz(page: Page) -> None:
    settled(page)
    page.get_by_role("combobox", name="Folder in music").click()
    page.get_by_role("option", name="Jazz", exact=True).click()
    settled(page)


def button(page: Page, name: str):
    return page.get_by_role("button", name=name, exact=True)


def wait_for(page: Page, text: str | re.Pattern[str]) -> None:
    expect(page.get_by_text(text).first).to_be_visible(timeout=PATIENCE_MS)


def workers(music: Path) -> list[psutil.Process]:
    """The processes that analyse files now, which tests hold up so that they see a run under way."""
    for process in psutil.process_iter(["cmdline"]):
        with suppress(psutil.Error):
            is_ours = process.environ().get("SOUNDALIKE_MUSIC") == str(music)
            if is_ours and background_worker.__name__ in process.info["cmdline"]:
                return process.children()
    return []


@pytest.mark.sweep
def test_a_folder_is_indexed_stopped_gone_on_with_and_opened(start, visit, music: Path) -> None:
    with start() as address:
        page = visit(address)
        button(page, "Add music").click()
        expect(page).to_have_url(re.compile("section=music"))
        choose_jazz(page)
        button(page, "Index this folder").click()
        wait_for(page, re.compile(rf"[1-9]\d* of {CLIPS + 1} files"))
        held = workers(music)
        assert held
        for worker in held:
            worker.suspend()
        # Others see it, and so does the same visitor after a reload.
        other = visit(f"{address}/about?section=music", 390, "dark")
        expect(other.get_by_role("progressbar")).to_be_visible()
        page.reload()
        expect(page.get_by_role("progressbar")).to_be_visible()
        assert serious_violations(other) == []
        keep(other, "own-music-running-390-dark")
        assert other.evaluate("document.documentElement.scrollWidth") <= 390
        for worker in held:
            worker.resume()
        button(page, "Stop").click()
        for one in (page, other):
            wait_for(one, re.compile(rf"stopped after \d+ of {CLIPS + 1} files"))
        expect(page.get_by_role("progressbar")).to_have_count(0)

        button(other, "Go on").click()
        wait_for(page, f"{CLIPS} tracks from music/Jazz. 1 file was skipped.")
        wait_for(other, f"{CLIPS} tracks from music/Jazz. 1 file was skipped.")
        skipped = page.get_by_text("Skipped: 1 file")
        # While the run ends, the page may still have what it showed meanwhile.
        expect(skipped).to_have_count(1)
        skipped.click()
        settled(page)
        assert serious_violations(page) == []
        assert serious_violations(other) == []
        keep(page, "own-music-done-1280-light")

        button(page, "Open the library").click()
        expect(page).to_have_url(re.compile("library=Jazz"))
        expect(page.get_by_role("combobox", name="Library")).to_have_value("Jazz")
        rows = page.get_by_role("table").locator("tbody tr")
        expect(rows).to_have_count(10)
        page.go_back()
        expect(page).to_have_url(re.compile("section=music"))
        expect(button(page, "Index this folder")).to_be_visible()
        # They look at the run every second, and would miss the server.
        for one in (page, other):
            one.close()


@pytest.mark.sweep
def test_a_server_that_ended_leaves_a_run_that_another_goes_on_with(start, visit, music: Path) -> None:
    shutil.rmtree(music.parent / "own", ignore_errors=True)
    with start() as address:
        page = visit(f"{address}/about?section=music")
        choose_jazz(page)
        button(page, "Index this folder").click()
        wait_for(page, re.compile(rf"[1-9]\d* of {CLIPS + 1} files"))
        held = workers(music)
        for worker in held:
            worker.suspend()
        page.close()
    _, alive = psutil.wait_procs(held, timeout=60)
    assert (len(held) > 0, alive) == (True, [])
    with start() as address:
        page = visit(f"{address}/about?section=music", 390)
        wait_for(page, re.compile("music/Jazz: stopped"))
        button(page, "Go on").click()
        wait_for(page, f"{CLIPS} tracks from music/Jazz. 1 file was skipped.")
        button(page, "Remove").click()
        button(page, "Remove the index").click()
        expect(page.get_by_text("tracks from music/Jazz")).to_have_count(0)
        assert list((music.parent / "own").iterdir()) == []
        page.close()


def test_nothing_is_shown_where_no_folder_is_named(open_page) -> None:
    page = open_page("/about?section=music")
    settled(page)
    expect(page.get_by_role("radio", name="Privacy")).to_be_visible()
    expect(page.get_by_role("radio", name="Your music")).to_have_count(0)
    expect(button(page, "Add music")).to_have_count(0)
    expect(page.get_by_text("Index this folder")).to_have_count(0)
