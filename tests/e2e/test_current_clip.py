"""One clip through all pages, and the browser's history."""

from __future__ import annotations

import re

import pytest
from browsing import settled
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e

NAME = "0001.opus"


def go(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).first.click()
    expect(page.get_by_role("link", name=name, exact=True).first).to_have_attribute(
        "aria-current", "page"
    )
    settled(page)


def title(page: Page):
    return page.locator(".single .title").first


def test_a_track_follows_to_every_page_and_one_back_leaves_each(open_page) -> None:
    page = open_page("/?track=0102")
    expect(title(page)).to_have_text("Meditation")
    settled(page)
    for name in ("Map", "Features", "Compare"):
        go(page, name)
        expect(title(page)).to_have_text("Meditation")
        expect(page).to_have_url(re.compile("track=0102"))
    for path, heading in (
        ("features", "What each dimension responds to"),
        ("map", "Walk through the music"),
    ):
        page.go_back()
        expect(page).to_have_url(re.compile(f"/{path}.*track=0102"))
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        settled(page)
        expect(title(page)).to_have_text("Meditation")
    page.go_back()
    expect(page).to_have_url(re.compile(r"/\?track=0102"))


@pytest.mark.sweep
@pytest.mark.parametrize("width", [1280, 390])
def test_back_and_forward_restore_what_was_on_screen(open_page, width: int) -> None:
    page = open_page("/?track=0102", width=width)
    expect(title(page)).to_have_text("Meditation")
    settled(page)
    page.get_by_text("Article's method", exact=True).first.click()
    expect(page).to_have_url(re.compile("by=vgg_genre"))
    settled(page)
    page.get_by_role("button", name="Surprise me").click()
    expect(page).not_to_have_url(re.compile("track=0102"))
    settled(page)
    found = title(page).inner_text()
    page.go_back()
    expect(title(page)).to_have_text("Meditation")
    page.go_back()
    expect(page).to_have_url(re.compile("by=soundalike"))
    expect(page.get_by_role("radio", name="Best match")).to_be_checked()
    settled(page)
    page.go_forward()
    expect(page.get_by_role("radio", name="Article's method")).to_be_checked()
    settled(page)
    page.go_forward()
    expect(title(page)).to_have_text(found)


@pytest.mark.sweep
def test_an_upload_is_on_every_page(open_page, library_clip) -> None:
    page = open_page("/?from=upload")
    page.locator("input[type=file]").first.set_input_files(library_clip)
    expect(page.locator("tbody .title").first).to_be_visible(timeout=60_000)
    settled(page)
    for name in ("Features", "Map", "Compare", "Recommend"):
        go(page, name)
        expect(title(page)).to_have_text(NAME, timeout=60_000)
        expect(page).to_have_url(re.compile("from=upload"))
    page.get_by_role("button", name="See inside").first.click()
    expect(page.get_by_role("heading", name="See inside the sound")).to_be_visible()
    expect(page.get_by_text(f"We still have {NAME}")).to_be_visible()
    expect(page.locator("figcaption").first).to_be_visible(timeout=60_000)
    page.go_back()
    expect(title(page)).to_have_text(NAME)
    settled(page)
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("Choose a clip and your playlist will appear here.")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.sweep
def test_two_visitors_have_clips_of_their_own(open_page, library_clip) -> None:
    first, second = open_page("/?from=upload"), open_page("/?from=upload")
    first.locator("input[type=file]").first.set_input_files(library_clip)
    expect(first.locator("tbody .title").first).to_be_visible(timeout=60_000)
    go(second, "Features")
    expect(second.get_by_text("We still have")).to_have_count(0)
    expect(second.get_by_text("Choose a clip, and what stands out")).to_be_visible()


@pytest.mark.sweep
@pytest.mark.parametrize("width", [1280, 390])
def test_a_link_s_unknown_settings_are_named(open_page, width: int) -> None:
    page = open_page("/?track=9999&by=foo", width=width)
    expect(
        page.get_by_text("This link has settings that we don't have here: track=9999")
    ).to_be_visible()
    expect(title(page)).to_have_text("Life by Design")
