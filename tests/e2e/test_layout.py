"""What every page has around it, and what is on a first screen, at a desk and on a phone."""

from __future__ import annotations

import re

import pytest
from browsing import settled
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e

PHONE, DESK = 390, 1280
FINGER = 44
"""Pixels that a finger needs."""
NAMES = ["Recommend", "Anatomy", "Map", "Features", "Compare", "About"]


def top(page: Page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return box["y"]


def test_seven_results_are_on_the_first_screen_while_music_plays(open_page) -> None:
    page = open_page(width=DESK)
    page.set_viewport_size({"width": DESK, "height": 800})
    expect(page.locator("tbody tr")).to_have_count(10)
    settled(page)
    page.locator("tbody button.play").first.click()
    player = page.get_by_role("region", name="Player", exact=True)
    expect(player).to_be_visible()
    rows = [row.bounding_box() for row in page.locator("tbody tr").all()[:7]]
    assert all(56 <= row["height"] <= 64 for row in rows)
    assert rows[-1]["y"] + rows[-1]["height"] <= player.bounding_box()["y"]


def test_a_phone_shows_the_clip_then_the_playlist_and_has_its_navigation_at_the_foot(open_page) -> None:
    page = open_page(width=PHONE)
    expect(page.locator("tbody tr")).to_have_count(10)
    settled(page)
    order = [top(page, f".st-key-recommend_{part}") for part in ("clip", "list", "said")]
    assert order == sorted(order)
    assert top(page, "tbody tr") < 700
    links = page.locator(".st-key-foot").get_by_role("link")
    expect(links).to_have_text([re.compile(f"{name}$") for name in NAMES])
    for link in links.all():
        box = link.bounding_box()
        assert box["y"] + box["height"] <= 900
        assert min(box["width"], box["height"]) >= FINGER
    links.nth(3).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What each dimension responds to")
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE


@pytest.mark.sweep
def test_a_phone_shows_the_map_on_its_first_screen(open_page) -> None:
    page = open_page("/map?track=0102", width=PHONE)
    expect(page.locator(".single .title").first).to_have_text("Meditation")
    settled(page)
    assert top(page, "canvas") < 400
    expect(page.get_by_role("textbox", name="Find")).to_be_in_viewport()
    layout = page.get_by_role("button", name="Layout")
    layout.scroll_into_view_if_needed()
    expect(layout).to_be_in_viewport()


SMALL = """least => {
    const found = []
    const look = (root) => root.querySelectorAll("*").forEach((node) => {
        if (node.shadowRoot) look(node.shadowRoot)
        if (!node.matches("button, [role=button]")) return
        if (!node.checkVisibility({ visibilityProperty: true })) return
        // Icons in a field are part of a larger target.
        if (node.closest("[data-baseweb=select]")) return
        const { width, height } = node.getBoundingClientRect()
        if (width && height < least) found.push(`${node.ariaLabel || node.textContent} ${height}`)
    })
    look(document.querySelector("[data-testid=stMain]"))
    return found
}"""


@pytest.mark.sweep
@pytest.mark.parametrize("path", ["/", "/anatomy", "/map", "/features", "/compare", "/about"])
def test_what_is_touched_on_a_phone_is_large_enough(open_page, path: str) -> None:
    page = open_page(path, width=PHONE)
    expect(page.locator("html")).to_have_attribute("data-settled", "")
    settled(page)
    assert page.evaluate(SMALL, 1000)
    assert page.evaluate(SMALL, FINGER) == []


def test_the_page_is_hidden_until_its_parts_are_in_place_and_then_stays_shown(open_page) -> None:
    page = open_page("/about?section=sound")
    expect(page.locator("html")).to_have_attribute("data-settled", "")
    hidden = """[...document.querySelectorAll('[data-testid=stMain] [data-testid=stElementContainer]')]
        .filter(node => getComputedStyle(node).animationName === 'wait').length"""
    assert page.evaluate(hidden) == 0
    page.evaluate("delete document.documentElement.dataset.settled")
    assert page.evaluate(hidden) > 5


@pytest.mark.parametrize("width", [DESK, pytest.param(PHONE, marks=pytest.mark.sweep)])
def test_the_header_names_the_clip_on_every_page_and_leads_to_what_can_be_done_with_it(
    open_page, width: int
) -> None:
    page = open_page("/?track=0102", width=width)
    chip = page.locator(".st-key-header_clip").get_by_role("button").first
    expect(chip).to_contain_text("Meditation")
    settled(page)
    chip.click()
    page.get_by_role("button", name="What fires").click()
    page.wait_for_url(re.compile("/features.*track=0102"))
    expect(chip).to_contain_text("Meditation")
    settled(page)
    page.get_by_role("combobox", name="Track").first.fill("Life by Design")
    page.keyboard.press("Enter")
    expect(chip).to_contain_text("Life by Design")


@pytest.mark.sweep
def test_the_header_removes_a_clip_of_ones_own(open_page, library_clip) -> None:
    page = open_page("/?from=upload")
    page.locator("input[type=file]").first.set_input_files(library_clip)
    chip = page.locator(".st-key-header_clip").get_by_role("button").first
    expect(chip).to_contain_text("0001.opus")
    settled(page)
    chip.click()
    expect(page.get_by_text("A link can't carry it")).to_be_visible()
    page.get_by_role("button", name="Remove your clip").click()
    expect(chip).not_to_contain_text("0001.opus")
    expect(page.locator("tbody tr")).to_have_count(0)


def test_the_link_of_a_page_opens_the_same_page_for_somebody_else(open_page) -> None:
    page = open_page("/?track=0102&by=vgg_genre")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    titles = page.locator("tbody .title")
    expect(titles).to_have_count(10)
    settled(page)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Link copied", exact=True)).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url
    other = open_page("/?" + link.partition("?")[2])
    expect(other.locator("tbody .title")).to_have_text(titles.all_inner_texts())
