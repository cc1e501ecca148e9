"""Presenting in a real browser: the tour, the theme, and a room that votes."""

from __future__ import annotations

import re

import pytest
import segno
from browsing import Watch, keep, settled
from playwright.sync_api import Browser, Page, expect

from soundalike.evaluation.listening_test import LEAST_S

pytestmark = pytest.mark.e2e

TITLES = ("Drop a clip", "Why this track?", "The map", "What stands out", "The blind vote", "The limits")
PATHS = (r":\d+/\?", r":\d+/\?", "/map", "/features", "/compare", "/about")
ROOT_SIZE = "getComputedStyle(document.documentElement).fontSize"
BACKGROUND = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"


def bar(page: Page):
    return page.get_by_role("region", name="Presentation")


def at_step(page: Page, number: int) -> None:
    """Wait until a step of the tour is shown, on its page, and with the mode in the address."""
    expect(bar(page).locator(".place")).to_have_text(f"{number} of 6")
    expect(bar(page).locator(".title")).to_have_text(TITLES[number - 1])
    expect(page).to_have_url(re.compile(PATHS[number - 1]))
    expect(page).to_have_url(re.compile("[?&]present=1"))
    settled(page)


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), pytest.param(390, "dark", marks=pytest.mark.sweep)]
)
def test_arrow_keys_lead_through_six_steps(open_page, width, scheme) -> None:
    page = open_page("/?present=1&track=0102", width=width, scheme=scheme)
    for number in range(1, 7):
        at_step(page, number)
        keep(page, f"present-{number}-{width}-{scheme}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if number == 2:
            expect(page.get_by_role("dialog", name="Why this track?")).to_be_visible()
        if number in (3, 4):
            # The clip follows.
            expect(page).to_have_url(re.compile("track=0102"))
        page.keyboard.press("ArrowRight" if number % 2 else "PageDown")
    # The last step is the last.
    at_step(page, 6)
    expect(page.get_by_role("heading", name="Limits")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    at_step(page, 5)
    page.keyboard.press("PageUp")
    at_step(page, 4)


def test_leaving_and_starting_over_restore_the_page(open_page) -> None:
    page = open_page("/?present=1&track=0102&length=7")
    at_step(page, 1)
    assert page.evaluate(ROOT_SIZE) == "20px"
    expect(page.get_by_role("button", name="Options")).to_have_count(0)
    before = page.evaluate(BACKGROUND)
    bar(page).get_by_role("button", name="Dark theme").click()
    page.wait_for_function(f"{BACKGROUND} !== '{before}'")
    page.keyboard.press("ArrowRight")
    at_step(page, 2)
    # The tour's own dialog is no obstacle, neither for the keys nor for the bar.
    expect(page.get_by_role("dialog")).to_be_visible()
    bar(page).get_by_role("button", name="Start over").click()
    at_step(page, 1)
    expect(page).to_have_url(re.compile("track=0235"))
    expect(page).to_have_url(re.compile("length=10"))
    assert page.evaluate(BACKGROUND) != before
    bar(page).get_by_role("button", name="Leave the presentation").click()
    expect(bar(page)).to_have_count(0)
    expect(page).not_to_have_url(re.compile("present"))
    page.wait_for_function(f"{BACKGROUND} === '{before}'")
    assert page.evaluate(ROOT_SIZE) == "16px"
    page.get_by_role("link", name="About").click()
    page.get_by_role("button", name="Present").click()
    at_step(page, 1)


@pytest.mark.sweep
def test_arrow_keys_keep_their_meaning_where_they_have_one(open_page) -> None:
    page = open_page("/?present=1")
    at_step(page, 1)
    page.get_by_role("radio", name="Library").focus()
    page.keyboard.press("ArrowRight")
    settled(page)
    at_step(page, 1)
    page.get_by_text("Library", exact=True).first.click()
    settled(page)
    page.get_by_role("button", name="Play").first.click()
    page.get_by_role("region", name="Player", exact=True).get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    settled(page)
    at_step(page, 1)
    # The music goes on as the tour does.
    page.get_by_role("heading", level=1).click()
    page.evaluate("window.soundalikePlayer.audio.loop = true")
    page.keyboard.press("ArrowRight")
    at_step(page, 2)
    page.keyboard.press("ArrowRight")
    at_step(page, 3)
    assert page.evaluate("!window.soundalikePlayer.audio.paused")


@pytest.mark.sweep
@pytest.mark.parametrize("width", [1280, 390])
def test_a_room_votes(browser: Browser, new_server: str, width: int) -> None:
    host, guest = (browser.new_context().new_page() for _ in range(2))
    watches = [Watch(page) for page in (host, guest)]
    for page in (host, guest):
        page.set_default_timeout(120_000)
        page.set_viewport_size({"width": width, "height": 900})
    host.goto(f"{new_server}/compare?present=1")
    at_step(host, 5)
    host.get_by_role("button", name="Open a room").click()
    link = host.get_by_role("link", name=re.compile("room="))
    address = link.get_attribute("href")
    assert address is not None
    assert address.startswith(f"{new_server}/compare?room=")
    expect(host.get_by_text("Others can't reach this address")).to_be_visible()
    drawn = host.get_by_role("img", name="QR code of the link").locator("path.qrline").get_attribute("d")
    code = segno.make_qr(address, error="m").svg_inline(border=4, omitsize=True)
    assert drawn in code
    guest.goto(address)
    guest.get_by_role("button", name="They sound equally alike").wait_for()
    expect(guest.get_by_role("button", name="Reveal")).to_have_count(0)
    guest.wait_for_timeout(1_000 * LEAST_S + 500)
    guest.get_by_role("button", name="They sound equally alike").click()
    expect(guest.get_by_text("Vote counted: They sound equally alike")).to_be_visible()
    keep(guest, f"present-guest-{width}")
    guest.reload()
    expect(guest.get_by_text("Vote counted: They sound equally alike")).to_be_visible()
    expect(host.get_by_role("heading", name="1 vote on this clip")).to_be_visible()
    expect(host.get_by_text("Playlist A:")).to_have_count(0)
    host.get_by_role("button", name="Reveal").click()
    expect(host.get_by_text("They sound equally alike, 1 (100%)")).to_be_visible()
    keep(host, f"present-room-{width}")
    host.get_by_role("button", name="Next clip").click()
    expect(guest.get_by_text("Clip 2.")).to_be_visible()
    host.get_by_role("button", name="Close the room").click()
    expect(guest.get_by_text("This vote is over")).to_be_visible()
    expect(host.get_by_text("1 vote so far this round")).to_be_visible()
    assert [problem for watch in watches for problem in watch.problems] == []
    for page in (host, guest):
        page.context.close()
