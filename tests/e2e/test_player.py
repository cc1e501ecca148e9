"""The player at the foot of every page, in a real browser."""

from __future__ import annotations

import re

import pytest
from browsing import keep, settled
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.e2e

PLAY, PAUSE = re.compile("^Play "), re.compile("^Pause ")
PAGES = ("Anatomy", "Map", "Features", "Compare", "About")
AUDIO = "window.soundalikePlayer.audio"
HANDLERS = """
window.handlers = {}
navigator.mediaSession.setActionHandler = (action, does) => { window.handlers[action] = does }
"""


def rows(page: Page) -> Locator:
    return page.get_by_role("table").locator("tbody tr")


def bar(page: Page) -> Locator:
    return page.get_by_role("region", name="Player", exact=True)


def titles(page: Page) -> list[str]:
    expect(rows(page).first).to_be_visible()
    return rows(page).locator(".title").all_inner_texts()


def play(page: Page, row: int) -> str:
    """Play a row of the playlist; its title."""
    title = titles(page)[row]
    rows(page).nth(row).get_by_role("button", name=PLAY).click()
    expect(bar(page).locator(".title")).to_have_text(title)
    expect(bar(page).get_by_role("button", name="Pause", exact=True)).to_be_visible()
    repeat(page)
    return title


def repeat(page: Page) -> None:
    """Repeat the track: on a busy machine a test takes longer than it."""
    page.evaluate(f"{AUDIO}.loop = true")


def open_through_navigation(page: Page, name: str) -> None:
    expand = page.get_by_role("button", name="Expand sidebar")
    if expands := expand.is_visible():
        expand.click()
    page.get_by_role("link", name=name, exact=True).click()
    expect(page).to_have_url(re.compile(f"/{name.lower()}" if name != "Recommend" else r":\d+/(\?|$)"))
    settled(page)
    collapse = page.get_by_test_id("stSidebar").get_by_role("button", name="Collapse sidebar")
    if expands:
        collapse.click()


def time_of(page: Page) -> float:
    return float(page.evaluate(f"{AUDIO}.paused ? -1 : {AUDIO}.currentTime"))


def wait_until_past(page: Page, seconds: float) -> None:
    for _ in range(600):
        if time_of(page) > seconds:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never played beyond {seconds} s")


@pytest.mark.parametrize("width", [1280, pytest.param(390, marks=pytest.mark.sweep)])
def test_music_goes_on_through_the_pages_and_is_asked_for_once(open_page, width: int) -> None:
    page = open_page(width=width)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    expect(bar(page)).to_have_count(0)
    listed = titles(page)
    title = play(page, 1)
    wait_until_past(page, 0.5)
    source = page.evaluate(f"{AUDIO}.currentSrc")
    before = asked.count(source)
    assert before >= 1
    page.evaluate("window.pauses = 0")
    page.evaluate(f"void {AUDIO}.addEventListener('pause', () => {{ window.pauses += 1 }})")
    for name in PAGES:
        open_through_navigation(page, name)
        assert time_of(page) >= 0
        expect(bar(page).locator(".title")).to_have_text(title)
    assert page.evaluate("window.pauses") == 0
    assert page.evaluate(f"{AUDIO}.currentSrc") == source
    # The list is no longer on the page, and still goes on.
    bar(page).get_by_role("button", name="Next track").click()
    expect(bar(page).locator(".title")).to_have_text(listed[2])
    wait_until_past(page, 0.3)
    bar(page).get_by_role("button", name="Next track").click()
    expect(bar(page).locator(".title")).to_have_text(listed[3])
    wait_until_past(page, 0.3)
    open_through_navigation(page, "Recommend")
    expect(rows(page).nth(3)).to_have_class(re.compile("current"))
    expect(rows(page).nth(3).get_by_role("button", name=PAUSE)).to_be_visible()
    assert asked.count(source) == before
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.sweep
def test_music_goes_on_when_another_comparison_removes_its_track(open_page) -> None:
    kept = titles(open_page("/?track=0102&by=vgg_mel"))
    page = open_page("/?track=0102")
    gone = next(place for place, title in enumerate(titles(page)) if title not in kept)
    title = play(page, gone)
    wait_until_past(page, 0.3)
    page.get_by_text("Picture only", exact=True).click()
    expect(rows(page).locator(".title")).to_have_text(kept)
    settled(page)
    assert time_of(page) >= 0
    expect(bar(page).locator(".title")).to_have_text(title)
    page.keyboard.press("n")
    expect(rows(page).first).to_have_class(re.compile("current"))


def test_keys_work_from_anywhere_but_not_while_one_types(open_page) -> None:
    page = open_page()
    expect(rows(page)).to_have_count(10)
    page.keyboard.press("Space")
    expect(bar(page)).to_have_count(0)
    page.keyboard.press("n")
    expect(rows(page).first).to_have_class(re.compile("current"))
    pause = bar(page).get_by_role("button", name="Pause", exact=True)
    expect(pause).to_be_visible()
    repeat(page)
    page.keyboard.press("Space")
    expect(pause).to_have_count(0)
    page.keyboard.press("Space")
    expect(pause).to_be_visible()
    page.keyboard.press("n")
    expect(rows(page).nth(1)).to_have_class(re.compile("current"))
    page.keyboard.press("p")
    expect(rows(page).first).to_have_class(re.compile("current"))
    # A focused button keeps its own space.
    bar(page).get_by_role("button", name="Next track").focus()
    page.keyboard.press("Space")
    expect(rows(page).nth(1)).to_have_class(re.compile("current"))
    expect(pause).to_be_visible()
    box = page.get_by_role("combobox", name="Track")
    box.click()
    box.press_sequentially("nap n")
    expect(box).to_have_value("nap n")
    page.keyboard.press("Escape")
    box.blur()
    expect(rows(page).nth(1)).to_have_class(re.compile("current"))
    expect(pause).to_be_visible()
    page.keyboard.press("?")
    help = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(help).to_contain_text("Next track")
    page.keyboard.press("n")
    expect(rows(page).nth(1)).to_have_class(re.compile("current"))
    page.keyboard.press("Escape")
    expect(help).to_have_count(0)


@pytest.mark.sweep
def test_the_title_and_lock_screens_name_the_track(open_page) -> None:
    page = open_page()
    expect(rows(page)).to_have_count(10)
    expect(page).to_have_title("Recommend · Soundalike")
    page.evaluate(HANDLERS)
    title = play(page, 0)
    expect(page).to_have_title(re.compile(rf"^{re.escape(title)} · .* \| Recommend · Soundalike$"))
    session = "navigator.mediaSession"
    assert page.evaluate(f"{session}.metadata.title") == title
    assert page.evaluate(f"{session}.metadata.artist") in rows(page).first.inner_text()
    assert page.evaluate(f"{session}.playbackState") == "playing"
    assert page.evaluate("window.handlers.previoustrack") is None
    page.evaluate("window.handlers.nexttrack()")
    expect(rows(page).nth(1)).to_have_class(re.compile("current"))
    open_through_navigation(page, "About")
    expect(page).to_have_title(re.compile(r" \| About · Soundalike$"))
    page.evaluate("window.handlers.pause()")
    expect(page).to_have_title("About · Soundalike")
    assert page.evaluate(f"{session}.playbackState") == "paused"
    page.evaluate("window.handlers.seekto({ seekTime: 12 })")
    expect(bar(page).locator(".time")).to_have_text(re.compile("^0:12 / "))


@pytest.mark.sweep
def test_the_row_that_plays_is_scrolled_to(open_page) -> None:
    page = open_page("/?length=50")
    expect(rows(page)).to_have_count(50)
    play(page, 0)
    for _ in range(20):
        page.keyboard.press("n")
    row = rows(page).nth(20)
    expect(row).to_have_class(re.compile("current"))
    expect(row).to_be_in_viewport(ratio=1)
    page.wait_for_timeout(700)
    below, above = row.bounding_box(), bar(page).bounding_box()
    assert below is not None
    assert above is not None
    assert below["y"] + below["height"] <= above["y"]
    expect(bar(page)).to_contain_text("21 of 50")


@pytest.mark.sweep
def test_two_visitors_never_share_a_player(open_page) -> None:
    mine, other = open_page(), open_page()
    expect(rows(other)).to_have_count(10)
    first = play(mine, 0)
    wait_until_past(mine, 0.2)
    expect(bar(other)).to_have_count(0)
    assert other.evaluate("window.soundalikePlayer.track") is None
    second = play(other, 1)
    expect(rows(other).first).not_to_have_class(re.compile("current"))
    mine.bring_to_front()
    assert time_of(mine) > 0.2
    expect(bar(mine).locator(".title")).to_have_text(first)
    assert first != second


@pytest.mark.sweep
def test_an_excerpt_pauses_the_player_and_the_reverse(open_page) -> None:
    page = open_page()
    title = play(page, 0)
    bar(page).get_by_role("button", name="Why this track").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(title)
    dialog.get_by_role("button", name="Play the most similar moments").click()
    expect(dialog.get_by_role("button", name="Stop")).to_be_visible()
    assert page.evaluate(f"{AUDIO}.paused")
    page.evaluate("window.soundalikePlayer.start()")
    expect(dialog.get_by_role("button", name="Play the most similar moments")).to_be_visible()
    # Only a row that is on the page can be explained.
    dialog.get_by_role("button", name="Close").click()
    open_through_navigation(page, "About")
    expect(bar(page).get_by_role("button", name="Pause", exact=True)).to_be_visible()
    expect(bar(page).get_by_role("button", name="Why this track")).to_have_count(0)


@pytest.mark.sweep
def test_a_clip_of_ones_own_plays_on_and_returning_does_not_start_it_again(
    open_page, tmp_path, encode_excerpt
) -> None:
    page = open_page()
    expect(rows(page)).to_have_count(10)
    page.get_by_text("Upload", exact=True).first.click()
    page.locator("input[type=file]").set_input_files(encode_excerpt(tmp_path / "mine.m4a"))
    expect(bar(page).locator(".title")).to_have_text("mine.m4a")
    repeat(page)
    wait_until_past(page, 0.2)
    open_through_navigation(page, "About")
    assert time_of(page) >= 0
    page.keyboard.press("Space")
    open_through_navigation(page, "Recommend")
    expect(page.locator(".single.current .title")).to_have_text("mine.m4a")
    page.wait_for_timeout(300)
    assert time_of(page) == -1
    page.keyboard.press("n")
    expect(rows(page).first).to_have_class(re.compile("current"))


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), pytest.param(390, "dark", marks=pytest.mark.sweep)]
)
def test_the_bar_is_low_and_hides_nothing(open_page, width: int, scheme: str) -> None:
    page = open_page(width=width, scheme=scheme)
    expect(rows(page)).to_have_count(10)
    settled(page)
    height = "document.querySelector('[data-testid=stMain]').scrollHeight"
    before = page.evaluate(height)
    play(page, 0)
    box = bar(page).bounding_box()
    assert box is not None
    navigation = page.locator(".st-key-foot").bounding_box() if width < 768 else None
    foot = 0 if navigation is None else navigation["height"]
    assert (box["x"], box["width"], box["y"] + box["height"]) == (0, width, 900 - foot)
    assert box["height"] + foot <= 120
    assert page.evaluate(height) - before == pytest.approx(box["height"], abs=2)
    for button in bar(page).get_by_role("button").all():
        part = button.bounding_box()
        assert part is not None
        assert min(part["width"], part["height"]) >= 44
    slider = bar(page).get_by_role("slider", name="Position in ").bounding_box()
    assert slider is not None
    assert slider["height"] >= 44
    assert slider["width"] > 100
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    rows(page).last.get_by_role("button", name="More: ").click()
    menu = rows(page).last.get_by_role("menu").bounding_box()
    assert menu is not None
    assert menu["y"] + menu["height"] <= box["y"]
    page.keyboard.press("Escape")
    keep(page, f"player-{width}-{scheme}")
