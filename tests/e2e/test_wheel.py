"""The wheel as its users have it: in an empty folder, with the starter library from a server."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import starter_archive
from browsing import Watch, settled
from playwright.sync_api import BrowserContext, expect
from web_server import Site, serving

pytestmark = [pytest.mark.e2e, pytest.mark.sweep]

ROOT = Path(__file__).resolve().parents[2]
FIRST_PAGE_MS = 240_000
DEMO = (sys.executable, "-m", "soundalike", "demo", "--port")
PLAYED = """() => new Promise((done) => {
    const { audio } = window.soundalikePlayer
    audio.addEventListener("timeupdate", () => audio.currentTime > 0.5 && done())
})"""
PATH = f"/{starter_archive.NAME}.zip"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as a wheel installs it, and nothing else."""
    home = tmp_path_factory.mktemp("home")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--target", str(home / "packages"), str(ROOT)], check=True)
    return home


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    archive = tmp_path_factory.mktemp("site") / "starter.zip"
    with archive.open("wb") as file:
        starter_archive.write(file)
    site = Site({PATH: archive.read_bytes()})
    with serving(site) as address:
        yield site, f"{address}{PATH}"


@pytest.fixture
def start(serve: Callable, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable:
    """Starts `soundalike demo` in an empty folder."""
    own = {"PYTHONPATH": str(home / "packages"), "XDG_DATA_HOME": str(home / "data")}

    def begin(**more: str):
        folder = tmp_path_factory.mktemp("server")
        empty = folder / "empty"
        empty.mkdir()
        return serve(folder, command=DEMO, cwd=empty, **own, **more)

    return begin


def first_page_plays(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    watch = Watch(page)
    page.goto(address, timeout=FIRST_PAGE_MS)
    rows = page.get_by_role("table").locator("tbody tr")
    expect(rows.first).to_be_visible(timeout=FIRST_PAGE_MS)
    settled(page)
    rows.first.get_by_role("button", name=re.compile("^Play ")).click()
    page.evaluate(PLAYED)
    page.close()
    assert watch.problems == []


def test_the_starter_library_is_fetched_once(
    context: BrowserContext, start: Callable, home: Path, site: tuple[Site, str]
) -> None:
    served, address = site
    served.drops.append(50_000_000)  # The connection breaks off; the rest is asked for.
    with start(SOUNDALIKE_STARTER=address) as app:
        first_page_plays(context, app)
    assert served.paths == [PATH, PATH]
    library = home / "data" / "soundalike" / starter_archive.NAME
    unpacked = {path.relative_to(library).as_posix() for path in library.rglob("*") if path.is_file()}
    assert unpacked == {
        path.relative_to(starter_archive.ASSETS).as_posix() for path in starter_archive.files()
    }
    with start(SOUNDALIKE_STARTER="") as app:
        first_page_plays(context, app)
    assert served.paths == [PATH, PATH]


def test_the_library_of_an_installed_package(home: Path) -> None:
    code = "import soundalike; print(len(soundalike.recommend('0102', length=3)), soundalike.__file__)"
    own = {"PYTHONPATH": str(home / "packages"), "XDG_DATA_HOME": str(home / "data")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=home, env=own, capture_output=True, text=True
    )
    count, file = done.stdout.split()
    assert count == "3", done.stderr
    assert Path(file).is_relative_to(home)
