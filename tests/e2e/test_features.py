"""The Features page in a real browser."""

from __future__ import annotations

import re

import pytest
from browsing import keep, settled
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e

LINK = "/features?by=vgg_mel&dimension=3400&track=0102"


def moments(page: Page):
    return page.locator(".st-key-features_moments .moment")


def bars(page: Page):
    return page.get_by_role("list", name="What stands out in this clip").get_by_role("listitem")


def open_details(page: Page) -> None:
    page.get_by_text("Details", exact=True).click()


def titles(page: Page) -> list[str]:
    expect(moments(page)).to_have_count(5)
    return moments(page).locator(".title").all_inner_texts()


def number(page: Page):
    return page.get_by_role("spinbutton", name="Dimension")


def cell(page: Page, words: str):
    return page.get_by_role("group", name="The cells of channel").get_by_role("button", name=words)


def leave_field(page: Page) -> None:
    page.keyboard.press("Enter")


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), pytest.param(390, "dark", marks=pytest.mark.sweep)]
)
def test_first_visit_shows_five_moments_with_pictures(open_page, width, scheme) -> None:
    page = open_page("/features", width=width, scheme=scheme)
    expect(bars(page)).to_have_count(10)
    expect(moments(page)).to_have_count(5)
    expect(moments(page).locator(".picture img")).to_have_count(5)
    expect(moments(page).locator(".box")).to_have_count(5)
    expect(page.get_by_role("group", name="Words", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    keep(page, f"features-{width}-{scheme}")


@pytest.mark.sweep
def test_stepping_through_three_dimensions(open_page) -> None:
    page = open_page(LINK)
    seen = {tuple(titles(page))}
    for dimension in ("3401", "3402", "3403"):
        page.get_by_role("button", name="Next", exact=True).click()
        expect(number(page)).to_have_value(dimension)
        expect(page).to_have_url(re.compile(f"dimension={dimension}"))
        expect(page.get_by_text(f"Dimension {int(dimension):,} ·")).to_be_visible()
        settled(page)
        seen.add(tuple(moments(page).locator(".title").all_inner_texts()))
    assert len(seen) == 4
    page.get_by_role("button", name="Previous", exact=True).click()
    expect(number(page)).to_have_value("3402")


@pytest.mark.sweep
def test_the_moment_plays_from_its_second(open_page) -> None:
    page = open_page(LINK)
    first, second = moments(page).nth(0), moments(page).nth(1)
    first.get_by_role("button", name="Play ", exact=False).first.click()
    expect(first.get_by_role("button", name="Pause ")).to_be_visible()
    page.wait_for_timeout(1_500)
    position = float(first.get_by_role("slider").get_attribute("aria-valuenow") or 0)
    assert 18 < position < 22
    second.get_by_role("button", name="Play ", exact=False).first.click()
    expect(second.get_by_role("button", name="Pause ")).to_be_visible()
    expect(page.get_by_role("button", name="Pause ")).to_have_count(1)
    page.locator(".single").get_by_role("button", name="Play ").click()
    expect(second.get_by_role("button", name="Pause ")).to_have_count(0)


@pytest.mark.sweep
def test_the_spectrogram_seeks_by_click_and_by_key(open_page) -> None:
    page = open_page(LINK)
    picture = moments(page).nth(0).get_by_role("slider")
    expect(picture).to_be_visible()
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    picture.click(position={"x": box["width"] / 2, "y": 20})
    expect(moments(page).nth(0).get_by_role("button", name="Pause ")).to_be_visible()
    page.wait_for_timeout(300)
    assert 14.5 < float(picture.get_attribute("aria-valuenow")) < 18
    picture.press("Space")
    expect(moments(page).nth(0).get_by_role("button", name="Pause ")).to_have_count(0)
    picture.press("Home")
    expect(picture).to_have_attribute("aria-valuenow", "0.0")
    picture.press("ArrowRight")
    expect(picture).to_have_attribute("aria-valuenow", "1.0")


@pytest.mark.sweep
def test_the_grid_and_the_channel_choose_a_dimension(open_page) -> None:
    page = open_page(LINK)
    cell(page, "0.7 to 1.4 kHz, 3 to 6 s").click()
    expect(number(page)).to_have_value(str((3 * 10 + 1) * 512 + 328))
    chosen = cell(page, "0.7 to 1.4 kHz, 3 to 6 s")
    expect(chosen).to_have_attribute("aria-pressed", "true")
    page.get_by_role("spinbutton", name="Channel").fill("12")
    leave_field(page)
    expect(number(page)).to_have_value(str((3 * 10 + 1) * 512 + 12))
    # The grid is drawn after the number.
    settled(page)
    cell(page, "0.7 to 1.4 kHz, 3 to 6 s").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(number(page)).to_have_value(str((3 * 10 + 2) * 512 + 12))


@pytest.mark.sweep
def test_a_track_s_strongest_dimension_has_that_track_among_its_moments(open_page) -> None:
    page = open_page(LINK)
    title = page.locator(".single .title").inner_text()
    bars(page).first.get_by_role("button", name="Open ").click()
    expect(moments(page).locator(".title", has_text=title).first).to_be_visible()


@pytest.mark.sweep
def test_a_relative_leads_on_and_surprise_does_too(open_page) -> None:
    page = open_page(LINK)
    open_details(page)
    similar = page.get_by_role("list", name="Most similar dimensions").get_by_role("button").first
    target = similar.locator(".dimension").inner_text().replace(",", "")
    similar.click()
    expect(number(page)).to_have_value(target)
    page.get_by_role("button", name="Surprise me").click()
    expect(number(page)).not_to_have_value(target)
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.sweep
def test_the_network_s_own_map_comes_on_demand(open_page) -> None:
    page = open_page(LINK)
    expect(moments(page)).to_have_count(5)
    expect(page.locator(".moment .map")).to_have_count(0)
    page.get_by_role("button", name="Look inside the network").click()
    expect(page.locator(".moment .map")).to_have_count(5, timeout=120_000)
    expect(page.get_by_text("Blue: where the channel is active")).to_be_visible()
    keep(page, "features-inside")


@pytest.mark.sweep
def test_the_genre_features_have_a_page_too(open_page) -> None:
    page = open_page("/features?by=genre_head&dimension=16")
    expect(moments(page)).to_have_count(5)
    expect(moments(page).locator(".box")).to_have_count(0)
    grid = page.get_by_role("group", name="The features of the genre head")
    expect(grid.get_by_role("button")).to_have_count(32)
    grid.get_by_role("button", name="Dimension 4:").click()
    expect(page).to_have_url(re.compile("dimension=4"))
    page.get_by_text("Picture", exact=True).click()
    expect(number(page)).to_have_value("11708")


@pytest.mark.sweep
def test_a_silent_dimension_says_so(open_page) -> None:
    page = open_page("/features?by=vgg_mel&dimension=10")
    expect(page.get_by_text("Silent: no clip")).to_be_visible()
    expect(moments(page)).to_have_count(0)


@pytest.mark.sweep
def test_a_link_reopens_what_was_on_screen(open_page) -> None:
    page = open_page("/features?by=vgg_mel&dimension=6574&track=0001")
    before = titles(page)
    expect(page.locator(".single .title")).to_have_text("Rabbit Holes")
    again = open_page("/" + page.url.split("/", 3)[3])
    assert titles(again) == before
    nonsense = open_page("/features?by=nobody&dimension=999999&track=nothing")
    expect(nonsense.get_by_role("heading", name="Reggae", exact=True)).to_be_visible()


@pytest.mark.sweep
def test_a_bar_plays_the_clip_from_its_moment_and_opens_its_word(open_page) -> None:
    page = open_page("/features?track=0102")
    first, second = bars(page).nth(0), bars(page).nth(1)
    word = first.locator(".name").inner_text()
    first.get_by_role("button", name="Play ").click()
    expect(first.get_by_role("button", name="Pause ")).to_be_visible()
    second.get_by_role("button", name="Play ").press("Enter")
    expect(second.get_by_role("button", name="Pause ")).to_be_visible()
    expect(page.get_by_role("button", name="Pause ")).to_have_count(1)
    first.get_by_role("button", name="Open ").click()
    heading = page.get_by_role("heading", name=word[:1].upper() + word[1:], exact=True)
    expect(heading).to_be_visible()
    expect(page).to_have_url(re.compile("dimension="))
    expect(second.get_by_role("button", name="Pause ")).to_be_visible()


@pytest.mark.sweep
def test_what_stands_out_in_an_upload(open_page, library_clip) -> None:
    page = open_page("/features?by=musicnn&from=upload")
    page.locator("input[type=file]").set_input_files(library_clip)
    expect(bars(page)).to_have_count(10, timeout=60_000)
    bars(page).first.get_by_role("button", name="Play ").click()
    expect(bars(page).first.get_by_role("button", name="Pause ")).to_be_visible()
    expect(page.get_by_text("The dotted line marks “0001.opus”")).to_be_visible()


@pytest.mark.sweep
@pytest.mark.parametrize("name", ["Words", "Best match", "Picture", "Genre", "Tagger"])
def test_every_set_has_bars_and_moments(open_page, name) -> None:
    page = open_page("/features", width=390)
    page.get_by_role("radio", name=name, exact=True).click()
    expect(bars(page)).to_have_count(10)
    expect(moments(page)).to_have_count(5)
    open_details(page)
    expect(page.get_by_role("list", name="Most similar dimensions")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.sweep
def test_a_named_dimension_orders_a_playlist(open_page) -> None:
    page = open_page("/features")
    page.get_by_role("button", name="Order a playlist by this").click()
    expect(page).to_have_url(re.compile("order=-words"))
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.sweep
def test_a_named_dimension_colours_the_map(open_page) -> None:
    page = open_page("/features")
    page.get_by_role("button", name="Colour the map by this").click()
    expect(page).to_have_url(re.compile("/map.*colour=word"))
    page.goto(page.url.split("/map")[0] + "/features?by=musicnn&dimension=5")
    page.get_by_role("button", name="Colour the map by this").click()
    expect(page).to_have_url(re.compile("colour=dimension%3Amusicnn%3A5"))
    expect(page.get_by_text(re.compile("Number 5 of"))).not_to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.sweep
def test_a_word_is_chosen_among_all(open_page) -> None:
    page = open_page("/features")
    words = page.get_by_role("group", name="Words", exact=True)
    piano = words.get_by_role("button", name=re.compile("^piano:"))
    piano.click()
    expect(page.get_by_role("heading", name="Piano", exact=True)).to_be_visible()
    expect(piano).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("YAMNet's “Piano”")).to_be_visible()
