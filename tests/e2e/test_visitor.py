"""A visitor's walk: a clip of one's own on every page, back and forward, and a link for a friend."""

from __future__ import annotations

import re

import pytest
from browsing import settled
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.e2e, pytest.mark.sweep]

NAME = "0001.opus"
WALK = (
    ("See inside", "anatomy", "See inside the sound"),
    ("Show on map", "map", "Walk through the music"),
    ("What fires", "features", "What each dimension responds to"),
    ("Compare from this", "compare", "Compare the methods"),
)


def chip(page: Page):
    return page.locator(".st-key-header_clip").get_by_role("button").first


def playing(page: Page) -> str:
    return page.evaluate("window.soundalikePlayer.audio.paused ? '' : window.soundalikePlayer.track.id")


def is_here(page: Page, heading: str, path: str, name: str, music: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page).to_have_url(re.compile(f"/{path}(\\?|$)"))
    expect(chip(page)).to_contain_text(name)
    settled(page)
    assert playing(page) == music


@pytest.mark.parametrize("width", [1280, 390])
def test_the_clip_and_the_music_are_right_at_every_step(open_page, library_clip, width: int) -> None:
    page = open_page("/?from=upload", width=width)
    page.locator("input[type=file]").first.set_input_files(library_clip)
    expect(page.locator("tbody tr")).to_have_count(10)
    settled(page)
    # Playing something long enough for the whole walk: again and again.
    page.locator("tbody button.play").nth(1).click()
    page.evaluate("window.soundalikePlayer.audio.loop = true")
    music = page.locator("tbody tr").nth(1).get_attribute("data-track")
    visited = [("", "Hear what sounds alike")]
    for action, path, heading in WALK:
        chip(page).click()
        page.get_by_test_id("stPopoverBody").get_by_role("button", name=action).click()
        is_here(page, heading, path, NAME, music)
        visited.append((path, heading))
    for path, heading in reversed(visited[:-1]):
        page.go_back()
        is_here(page, heading, path, NAME, music)
    # A reload ends the session, and with it the clip that only this session had.
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hear what sounds alike")
    settled(page)
    expect(page.get_by_text(NAME)).to_have_count(0)


def test_a_link_carries_a_track_of_the_library_to_somebody_else(open_page) -> None:
    page = open_page("/map?track=0102")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    expect(chip(page)).to_contain_text("Meditation")
    settled(page)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Link copied", exact=True)).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    friend = open_page("/map?" + link.partition("?")[2])
    expect(chip(friend)).to_contain_text("Meditation")
    expect(friend.locator(".single .title").first).to_have_text("Meditation")
