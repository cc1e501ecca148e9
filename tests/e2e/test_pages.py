"""Going from page to page with a track, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.e2e


def test_a_track_can_be_taken_from_page_to_page(open_page) -> None:
    page = open_page("/?track=0102")
    page.get_by_role("button", name="See inside", exact=True).click()
    expect(page).to_have_url(re.compile(r"/anatomy\?.*track=0102"))
    expect(page.get_by_role("heading", level=1)).to_have_text("See inside the sound")
    page.get_by_role("button", name="Show on map", exact=True).click()
    expect(page).to_have_url(re.compile(r"/map\?.*track=0102"))
    expect(page.locator(".single .title")).to_have_text("Meditation")
    page.get_by_role("button", name="Recommend from this", exact=True).click()
    expect(page.locator(".single .title")).to_have_text("Meditation")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hear what sounds alike")


@pytest.mark.sweep
def test_a_row_of_the_playlist_leads_to_the_map(open_page) -> None:
    page = open_page("/?track=0102")
    row = page.get_by_role("table").locator("tbody tr").first
    title = row.locator(".title").inner_text()
    row.get_by_role("button", name="More: ").click()
    row.get_by_role("menuitem", name="Show on map").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Walk through the music")
    expect(page.locator(".single .title")).to_have_text(title)


def test_a_page_has_a_title_and_an_unknown_one_says_so(browser: Browser, app_url: str) -> None:
    page = browser.new_page()
    page.goto(f"{app_url}/nowhere")
    expect(page).to_have_title("No such page · Soundalike")
    page.get_by_role("link", name="Go to Soundalike's first page.").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hear what sounds alike")
    expect(page).to_have_title("Recommend · Soundalike")
    page.get_by_role("link", name="About", exact=True).first.click()
    expect(page).to_have_title("About · Soundalike")
    page.close()


@pytest.mark.sweep
def test_a_moment_of_a_dimension_leads_to_its_track(open_page) -> None:
    page = open_page("/features?by=vgg_mel&dimension=3400&track=0102")
    moment = page.locator(".moment").first
    title = moment.locator(".title").inner_text()
    moment.get_by_role("button", name="See inside").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("See inside the sound")
    expect(page.locator(".player .title").first).to_have_text(title)


@pytest.mark.sweep
def test_a_column_of_the_comparison_leads_to_its_track(open_page) -> None:
    page = open_page("/compare?track=0102")
    leads = page.get_by_role("button", name="Recommend from this")
    # The listening test's columns, which have none, may be there before the comparison's.
    item = page.locator(".columns .item").filter(has=leads).first
    title = item.locator(".title").inner_text()
    item.get_by_role("button", name="Recommend from this").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hear what sounds alike")
    expect(page.locator(".single .title")).to_have_text(title)


@pytest.mark.sweep
@pytest.mark.parametrize("name", ["Recommend", "Anatomy", "Map", "Features", "Compare", "About"])
def test_every_page_opens_from_the_navigation(open_page, name: str) -> None:
    page = open_page("/about")
    page.get_by_role("link", name=name, exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


@pytest.mark.sweep
def test_a_link_to_a_page_may_be_a_server_s_first_visit(browser: Browser, new_server: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{new_server}/anatomy?track=0102")
    expect(page.get_by_role("heading", level=1)).to_have_text("See inside the sound")
    expect(page.get_by_role("link", name="Recommend", exact=True)).to_be_visible()
    expect(page.get_by_test_id("stSidebarNav")).to_have_count(0)
    expect(page).to_have_url(re.compile("track=0102"))
    page.close()
