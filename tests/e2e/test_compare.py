"""The Compare page in a real browser, and two browsers voting at once."""

from __future__ import annotations

import csv
import io
import re

import pytest
from browsing import keep, settled
from playwright.sync_api import Browser, Page, expect

from soundalike.evaluation.listening_test import LEAST_S

pytestmark = pytest.mark.e2e

LINK = "/compare?track=0102&by=vgg_genre%2Cvgg_mel"

VOTE = """async ([times, listening]) => {
  const pause = (ms) => new Promise((done) => setTimeout(done, ms))
  const names = ["Playlist A", "Playlist B", "They sound equally alike"]
  const buttons = () => [...document.querySelectorAll("[class*=st-key-compare_vote] button")]
  const find = (name) => buttons().find((button) => button.innerText.trim() === name)
  const pairs = () => new Set(buttons().map((button) =>
    button.closest("[class*=st-key-compare_vote]").className.match(/st-key-compare_vote_[a-z]+_(\\S+)/)[1]))
  for (let vote = 0; vote < times; vote++) {
    // A vote counts only once somebody could have listened.
    await pause(listening)
    const [before] = pairs()
    const chosen = find(names[vote % 3])
    chosen.click()
    // Impatient visitors click twice: the second click must count for nothing.
    if (vote % 5 === 0) chosen.click()
    for (let i = 0; i < 400; i++) {
      await pause(25)
      // All three buttons belong to the next pair, and none is left of this one.
      if (buttons().length === 3 && pairs().size === 1 && !pairs().has(before)) break
      if (i === 399) throw new Error(`vote ${vote} brought no new pair`)
    }
  }
  return times
}"""


def columns(page: Page):
    return page.locator(".columns").first.locator(".column")


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), pytest.param(390, "dark", marks=pytest.mark.sweep)]
)
def test_first_visit_shows_figures_playlists_and_the_blind_test(open_page, width, scheme) -> None:
    page = open_page("/compare", width=width, scheme=scheme)
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare the methods")
    expect(columns(page)).to_have_count(3)
    expect(page.get_by_role("button", name="Playlist A")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    expect(page.get_by_text(re.compile(r"The highest score is 0\.\d+, for Best match"))).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    keep(page, f"compare-{width}-{scheme}")


@pytest.mark.sweep
def test_a_track_in_several_playlists_is_marked_in_all(open_page) -> None:
    page = open_page(LINK)
    expect(columns(page)).to_have_count(2)
    shared = columns(page).first.locator(".item", has=page.locator(".shared")).first
    track = shared.get_attribute("data-track")
    twin = columns(page).nth(1).locator(f".item[data-track='{track}']")
    expect(twin.locator(".shared")).to_have_text("in 2 of 2")
    shared.hover()
    expect(twin).to_have_class(re.compile("lit"))


@pytest.mark.sweep
def test_another_choice_is_in_the_link(open_page) -> None:
    page = open_page(LINK)
    expect(columns(page)).to_have_count(2)
    settled(page)
    methods = page.get_by_role("combobox", name="Methods")
    # A list that is open closes when the page scrolls, as it would for the click.
    methods.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    methods.click()
    page.get_by_role("option", name="Genre only").click()
    expect(columns(page)).to_have_count(3)
    expect(page).to_have_url(re.compile("genre_head"))
    again = open_page(page.url[page.url.index("/compare") :])
    expect(columns(again)).to_have_count(3)
    titles = columns(page).locator(".column-title").all_inner_texts()
    assert columns(again).locator(".column-title").all_inner_texts() == titles


@pytest.mark.sweep
def test_one_player_plays_at_a_time(open_page) -> None:
    page = open_page(LINK)
    settled(page)
    columns(page).first.get_by_role("button", name="Play").first.click()
    expect(columns(page).first.get_by_role("button", name="Pause").first).to_be_visible()
    page.locator(".columns").nth(1).get_by_role("button", name="Play").first.click()
    expect(page.locator(".columns").nth(1).get_by_role("button", name="Pause").first).to_be_visible()
    expect(columns(page).first.get_by_role("button", name="Pause")).to_have_count(0)


def test_the_blind_test_does_not_say_who_made_the_playlists(open_page) -> None:
    page = open_page(LINK)
    blind = page.locator(".columns").nth(1)
    expect(blind.locator(".item")).to_have_count(10)
    markup = blind.evaluate("node => node.outerHTML")
    for name in ("vgg", "genre_head", "musicnn", "soundalike", "mfcc", "fma518", "Picture only"):
        assert name not in markup
    expect(blind.locator(".shared")).to_have_count(0)


@pytest.mark.sweep
@pytest.mark.parametrize("each", [12])
def test_two_browsers_vote_at_once(browser: Browser, new_server: str, each: int) -> None:
    """As many votes from each, and a double click every fifth time: none lost, none doubled."""
    pages = [browser.new_context().new_page() for _ in range(2)]
    for page in pages:
        page.set_default_timeout(180_000)
        page.goto(f"{new_server}/compare")
        expect(page.get_by_role("button", name="Playlist A")).to_be_visible()
    for page in pages:
        # Started, not waited for, so that both vote at the same time.
        told = "(times) => window.voted = times, (error) => window.voted = String(error)"
        page.evaluate(f"() => {{ ({VOTE})([{each}, {1_000 * LEAST_S + 200}]).then({told}) }}")
    for page in pages:
        page.wait_for_function("() => window.voted", timeout=180_000)
        assert page.evaluate("() => window.voted") == each
    page = pages[0]
    page.reload()
    expect(page.get_by_text(f"{2 * each} votes so far this round")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Votes as CSV").click()
    votes = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert len(votes) == len({vote["pair"] for vote in votes}) == 2 * each
    page.get_by_text("Show the tally").click()
    expect(page.get_by_role("figure", name="For each pair of methods")).to_be_visible()
    page.get_by_role("button", name="New round").click()
    page.get_by_role("button", name="Start a new round").click()
    expect(page.get_by_text("0 votes so far this round")).to_be_visible()
    for page in pages:
        page.context.close()
