"""The half minute that a playlist is made from, chosen in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browsing import Watch, keep, settled
from playwright.sync_api import BrowserContext, Locator, Page, expect
from uploading import upload

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.clip import SAMPLE_RATE

pytestmark = pytest.mark.e2e

FIRST, SECOND = "0102", "0300"
HALF_S = 45
LAST_S = 60
"""Where the last half minute of the file starts."""


def clip(track_id: str) -> Path:
    return paths.LIBRARY / "clips" / f"{track_id}.opus"


def write_joined(path: Path) -> Path:
    """90 s of two library clips: 45 s of the first, quieter, and 45 s of the second."""
    parts = [
        level * np.resize(decoding.decode(clip(track_id)).samples, HALF_S * SAMPLE_RATE)
        for track_id, level in ((FIRST, 0.1), (SECOND, 1.0))
    ]
    samples = np.clip(np.concatenate(parts), -1, 1) * 32_767
    with wave.open(str(path), "wb") as output:
        output.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        output.writeframes(samples.astype("<i2").tobytes())
    return path


def titles(page: Page) -> list[str]:
    rows = page.get_by_role("table").locator("tbody tr")
    expect(rows.first).to_be_visible()
    return rows.locator(".title").all_inner_texts()


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name="Half minute to match")


def says_chosen(page: Page, span: str) -> None:
    expect(page.get_by_text(f"We analysed the half minute that you chose, {span}")).to_be_visible()
    settled(page)


def library_playlist(open_page, track_id: str) -> set[str]:
    page = open_page(f"/?track={track_id}")
    found = set(titles(page))
    page.close()
    return found


def drag_to(page: Page, share: float) -> None:
    """Drag the band by its middle, to a share of the outline's width."""
    band = page.locator(".wave .band").bounding_box()
    frame = slider(page).bounding_box()
    assert band is not None
    assert frame is not None
    middle = frame["y"] + frame["height"] / 2
    page.mouse.move(band["x"] + band["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(frame["x"] + share * frame["width"], middle, steps=5)
    page.mouse.up()


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), pytest.param(390, "dark", marks=pytest.mark.sweep)]
)
def test_the_playlist_follows_the_band(open_page, tmp_path: Path, width: int, scheme: str) -> None:
    of_first, of_second = (library_playlist(open_page, name) for name in (FIRST, SECOND))
    page = open_page("/", width=width, scheme=scheme)
    upload(page, write_joined(tmp_path / "joined.wav"))
    slider(page).wait_for()
    settled(page)
    band = slider(page)
    frame = band.bounding_box()
    assert frame is not None
    assert frame["height"] >= 44
    assert int(band.get_attribute("aria-valuenow") or 0) >= HALF_S
    assert len(of_second & set(titles(page))) >= 7
    assert "at=" not in page.url
    keep(page, f"moment-{width}-{scheme}")
    drag_to(page, 0.0)
    expect(band).to_have_attribute("aria-valuetext", "0:00 to 0:30")
    expect(page).to_have_url(re.compile("from=upload&at=0&"))
    says_chosen(page, "0:00 to 0:30")
    assert len(of_first & set(titles(page))) >= 7
    assert len(of_second & set(titles(page))) <= 3
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    keep(page, f"moment-first-{width}-{scheme}")
    page.get_by_role("button", name=re.compile("Undo: half minute")).click()
    expect(page).not_to_have_url(re.compile("at="))
    settled(page)
    assert len(of_second & set(titles(page))) >= 7


@pytest.mark.sweep
def test_the_band_moves_with_the_keys_and_plays(open_page, tmp_path: Path) -> None:
    page = open_page("/", width=390)
    upload(page, write_joined(tmp_path / "joined.wav"))
    slider(page).wait_for()
    settled(page)
    band = slider(page)
    # The upload plays. It is stopped, so that its place is that of the band.
    page.locator(".line").get_by_role("button", name="Pause").click()
    time = page.get_by_role("region", name="Player", exact=True).locator(".time")
    band.focus()
    page.keyboard.press("Home")
    expect(band).to_have_attribute("aria-valuetext", "0:00 to 0:30")
    for key in ("PageUp", "PageUp", "ArrowRight", "ArrowLeft", "PageDown", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    expect(band).to_have_attribute("aria-valuetext", "0:12 to 0:42")
    expect(page).to_have_url(re.compile("at=12&"))
    expect(time).to_have_text("0:12 / 1:30")
    says_chosen(page, "0:12 to 0:42")
    expect(band).to_be_focused()
    page.keyboard.press("End")
    expect(page).to_have_url(re.compile(f"at={LAST_S}&"))
    expect(time).to_have_text("1:00 / 1:30")
    says_chosen(page, "1:00 to 1:30")
    page.get_by_role("button", name="Play this half minute").click()
    expect(page.locator(".line").get_by_role("button", name="Pause")).to_be_visible()
    expect(time).to_have_text(re.compile("^1:[0-3][0-9] / 1:30"))
    page.go_back()
    expect(page).to_have_url(re.compile("at=12&"))
    expect(band).to_have_attribute("aria-valuetext", "0:12 to 0:42")


@pytest.mark.sweep
def test_all_pages_use_the_moment_of_an_upload(open_page, tmp_path: Path) -> None:
    page = open_page("/")
    upload(page, write_joined(tmp_path / "joined.wav"))
    slider(page).wait_for()
    settled(page)
    drag_to(page, 0.0)
    says_chosen(page, "0:00 to 0:30")
    for name in ("Anatomy", "Features"):
        page.get_by_role("link", name=name, exact=True).first.click()
        expect(page.get_by_text("We still have joined.wav")).to_be_visible()
        says_chosen(page, "0:00 to 0:30")
    page.get_by_role("link", name="Recommend", exact=True).first.click()
    expect(page).to_have_url(re.compile("at=0&"))
    expect(slider(page)).to_have_attribute("aria-valuetext", "0:00 to 0:30")


def _set_length(folder: Path, track_id: str, seconds: str) -> None:
    """Say in an index how long a track's file is, as indexing the file would."""
    tracks = folder / "tracks.parquet"
    table = pd.read_parquet(tracks)
    table.loc[table["track_id"] == track_id, "duration_s"] = seconds
    table.to_parquet(tracks, index=False)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["tracks.parquet"] = {
        "bytes": tracks.stat().st_size,
        "sha256": paths.sha256_of(tracks),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture(scope="module")
def long_tracks(serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose library has a track of 90 s."""
    folder = tmp_path_factory.mktemp("long")
    shutil.copytree(paths.BUNDLED_INDEX, folder / "index")
    shutil.copytree(paths.LIBRARY, folder / "library")
    write_joined(folder / "joined.wav").rename(folder / "library" / "clips" / f"{SECOND}.opus")
    _set_length(folder / "index", SECOND, "90.00")
    with serve(tmp_path_factory.mktemp("server"), SOUNDALIKE_INDEX=str(folder / "index")) as address:
        yield address


@pytest.mark.sweep
def test_a_library_track_has_a_moment_that_a_reload_keeps(
    context: BrowserContext, long_tracks: str, open_page
) -> None:
    of_first, of_second = (library_playlist(open_page, name) for name in (FIRST, SECOND))
    page = context.new_page()
    watch = Watch(page)
    page.goto(f"{long_tracks}/?track={SECOND}")
    slider(page).wait_for()
    settled(page)
    assert len(of_second & set(titles(page))) >= 7
    drag_to(page, 0.0)
    expect(page).to_have_url(re.compile(f"track={SECOND}&at=0&"))
    says_chosen(page, "0:00 to 0:30")
    for _ in range(2):
        expect(slider(page)).to_have_attribute("aria-valuetext", "0:00 to 0:30")
        found = set(titles(page))
        assert len(of_first - found) <= 3
        assert len(of_second & found) <= 3
        expect(page.get_by_text("This is in the library")).to_have_count(0)
        page.reload()
        slider(page).wait_for()
        settled(page)
    page.get_by_role("button", name="See inside").first.click()
    expect(page).to_have_url(re.compile(f"anatomy.*track={SECOND}"))
    page.goto(f"{long_tracks}/?track={SECOND}&at=61")
    expect(page.get_by_text("This link has settings that we don't have here: at=61.")).to_be_visible()
    page.close()
    assert watch.problems == []
