"""Working on a playlist in a real browser: blends, pins, journeys, reasons, and files that come back."""

from __future__ import annotations

import re
import zipfile

import pytest
from browsing import keep, settled
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e

PLAY, PAUSE = re.compile("^Play "), re.compile("^Pause ")


def rows(page: Page):
    return page.get_by_role("table").locator("tbody tr")


def titles(page: Page) -> list[str]:
    expect(rows(page).first).to_be_visible()
    return rows(page).locator(".title").all_inner_texts()


def press(page: Page, row: int, name: str) -> str:
    """Press a button of a row; its track's title."""
    title = titles(page)[row]
    if page.viewport_size["width"] < 600:
        rows(page).nth(row).get_by_role("button", name="More: ").click()
        rows(page).nth(row).get_by_role("menuitem", name=name).click()
    else:
        rows(page).nth(row).get_by_role("button", name=f"{name}: ", exact=False).first.click()
    return title


@pytest.mark.sweep
def test_a_playlist_is_blended_pinned_and_thinned_out_and_a_link_reopens_it(open_page) -> None:
    page = open_page()
    pinned = press(page, 3, "Keep in the playlist")
    expect(page).to_have_url(re.compile("pin="))
    removed = press(page, 1, "Remove")
    expect(page).to_have_url(re.compile("without="))
    before = titles(page)
    assert removed not in before
    assert len(before) == 10
    less = press(page, 0, "Less like this")
    expect(page).to_have_url(re.compile("blend="))
    expect(page.get_by_role("button", name="Blend (1)")).to_be_visible()
    after = titles(page)
    assert after != before
    assert less not in after
    assert pinned in after
    again = open_page("/" + page.url.split("/")[-1])
    expect(rows(again)).to_have_count(10)
    assert titles(again) == after
    marked = rows(again).filter(has_text=pinned).get_by_role("button", name="Keep in the playlist")
    expect(marked).to_have_attribute("aria-pressed", "true")


def test_one_press_steers_the_playlist_and_undo_takes_it_back(open_page) -> None:
    page = open_page()
    before = titles(page)
    more = press(page, 2, "More like this")
    expect(page).to_have_url(re.compile("blend="))
    expect(page.get_by_text(f"More like “{more}”.")).to_be_visible()
    expect(page.locator(".said").get_by_text(f"More like this: {more}")).to_be_attached()
    assert more not in titles(page)
    page.get_by_role("button", name="Undo").click()
    expect(page).not_to_have_url(re.compile("blend="))
    expect(rows(page).nth(2).locator(".title")).to_have_text(more)
    assert titles(page) == before


@pytest.mark.sweep
def test_steering_by_keyboard_on_a_phone(open_page) -> None:
    page = open_page(width=390, scheme="dark")
    expect(rows(page)).to_have_count(10)
    buttons = rows(page).first.locator(".edits button.choose").locator("visible=true")
    boxes = [button.bounding_box() for button in buttons.all()]
    assert len(boxes) == 2
    assert all(box is not None and min(box["width"], box["height"]) >= 44 for box in boxes)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    less = titles(page)[0]
    more = rows(page).first.get_by_role("button", name=f"More: {less}")
    more.focus()
    more.press("Enter")
    expect(rows(page).first.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(rows(page).first.get_by_role("menuitem", name="Less like this")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".said").get_by_text(f"Less like this: {less}")).to_be_attached()
    expect(page.get_by_text(f"Less like “{less}”.")).to_be_visible()
    # The focus stays at the same button of the track that moved up.
    focused = rows(page).first.get_by_role("button", name="More: ")
    expect(focused).to_be_focused()
    keep(page, "mix-steer-390-dark")


@pytest.mark.sweep
def test_undo_goes_back_step_by_step(open_page) -> None:
    page = open_page()
    first = titles(page)
    press(page, 0, "Remove")
    expect(page).to_have_url(re.compile("without="))
    second = titles(page)
    press(page, 0, "Remove")
    expect(page).to_have_url(re.compile("without=[^&]*%2C"))
    page.get_by_role("button", name="Undo").click()
    expect(rows(page).first.locator(".title")).to_have_text(second[0])
    page.get_by_role("button", name="Undo").click()
    expect(rows(page).first.locator(".title")).to_have_text(first[0])
    assert titles(page) == first
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


@pytest.mark.sweep
def test_it_plays_through_by_button_and_key(open_page) -> None:
    page = open_page()
    expect(rows(page)).to_have_count(10)
    group = page.get_by_role("group", name="Play through the playlist")
    expect(group).to_contain_text("10 tracks")
    group.get_by_role("button", name="Start the playlist").click()
    expect(group.get_by_role("button", name="Stop the playlist")).to_be_visible()
    bar = page.get_by_role("region", name="Player", exact=True)
    expect(rows(page).nth(0)).to_have_class(re.compile("current"))
    expect(rows(page).nth(0).get_by_role("button", name=PAUSE)).to_be_visible()
    bar.get_by_role("button", name="Next track").click()
    expect(rows(page).nth(1)).to_have_class(re.compile("current"))
    expect(bar).to_contain_text("2 of 10")
    page.keyboard.press("n")
    expect(rows(page).nth(2)).to_have_class(re.compile("current"))
    page.keyboard.press("p")
    expect(rows(page).nth(1)).to_have_class(re.compile("current"))
    # From the last second of a track it goes on by itself.
    seek = bar.get_by_role("slider")
    expect(seek).to_have_attribute("max", re.compile(r"^(29|30)"))
    seek.press("End")
    expect(rows(page).nth(2)).to_have_class(re.compile("current"))
    keep(page, "mix-playing")


def test_why_shows_and_plays_what_two_tracks_share(open_page) -> None:
    page = open_page()
    title = press(page, 0, "Why this track")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Why this track?")
    expect(dialog).to_contain_text(title)
    bars = dialog.locator("dl").first
    expect(bars.locator("dt")).to_have_text(
        ["Timbre", "Rhythm", "Harmony", "Voices and instruments", "Mood"]
    )
    expect(bars.locator(".value").first).to_have_text(re.compile(r"^\d+%$"))
    expect(dialog.get_by_text("90% of the library is less like your clip")).to_be_visible()
    play = dialog.get_by_role("button", name="Play the most similar moments")
    play.click()
    expect(dialog.get_by_role("button", name=re.compile("Stop|Pause"))).to_be_visible()
    keep(page, "mix-why")


@pytest.mark.sweep
def test_the_focus_is_back_where_it_was_when_why_is_closed(open_page) -> None:
    page = open_page()
    expect(page.locator("tbody tr")).to_have_count(10)
    settled(page)
    why = page.locator("tbody tr").nth(3).get_by_role("button", name="Why this track")
    why.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    settled(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(why).to_be_focused()


@pytest.mark.sweep
def test_a_playlist_is_saved_and_opened_again(open_page, tmp_path) -> None:
    page = open_page("/?track=0102&length=6&artist=0")
    expect(rows(page)).to_have_count(6)
    listed = titles(page)
    page.get_by_role("button", name="Save").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="ZIP").click()
    path = tmp_path / "list.zip"
    download.value.save_as(path)
    names = zipfile.ZipFile(path).namelist()
    assert sum(name.endswith(".opus") for name in names) == 6
    assert {"playlist.m3u8", "playlist.xspf", "playlist.csv", "CREDITS.txt"} <= set(names)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Open", exact=True).last.click()
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(path)
    expect(page.locator(".single .title").first).to_have_text(listed[0])
    expect(page.get_by_role("button", name="Blend (5)")).to_be_visible()
    expect(page.get_by_text("Showing music like the 6 tracks in list.zip")).to_be_visible()
    assert not set(titles(page)) & set(listed)
    page.keyboard.press("Escape")
    page.get_by_role("radio", name="As it is").click()
    expect(rows(page).locator(".title")).to_have_text(listed)
    page.get_by_role("button", name="Save").click()
    with page.expect_download() as again:
        page.get_by_role("button", name="M3U8").click()
    again.value.save_as(tmp_path / "again.m3u8")
    text = (tmp_path / "again.m3u8").read_text(encoding="utf-8")
    assert len(re.findall("^#EXTINF:30,", text, re.MULTILINE)) == 6
    page.keyboard.press("Escape")
    around = press(page, 1, "Remove")
    expect(rows(page).locator(".title")).to_have_text([title for title in listed if title != around])


@pytest.mark.sweep
def test_what_is_missing_of_a_list_is_listed_by_name(open_page, tmp_path) -> None:
    page = open_page("/?track=0102")
    path = tmp_path / "list.csv"
    missing = "".join(f"Song {number},Nobody,\n" for number in range(5))
    path.write_text(f"title,artist,track_id\n{missing},,0001\n", encoding="utf-16")
    page.get_by_role("button", name="Open", exact=True).last.click()
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(path)
    expect(page.get_by_text("5 of 6 entries are not in this library")).to_be_visible()
    expect(page.get_by_text("Not in this library: 5")).to_be_visible()


@pytest.mark.sweep
def test_a_file_that_is_no_playlist_is_one_sentence(open_page, tmp_path) -> None:
    page = open_page()
    expect(rows(page)).to_have_count(10)
    wrong = tmp_path / "list.xspf"
    wrong.write_text("<playlist")
    page.get_by_role("button", name="Open", exact=True).last.click()
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(wrong)
    expect(page.get_by_role("alert")).to_be_visible()
    expect(rows(page)).to_have_count(10)


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), pytest.param(390, "dark", marks=pytest.mark.sweep)]
)
def test_a_journey_leads_from_track_to_track(open_page, width, scheme) -> None:
    page = open_page("/?track=0235&kind=journey&to=0102&length=10", width=width, scheme=scheme)
    expect(rows(page)).to_have_count(10)
    found = titles(page)
    assert (found[0], found[-1]) == ("Life by Design", "Meditation")
    expect(page.get_by_role("figure", name=re.compile("How different each track"))).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    keep(page, f"mix-journey-{width}-{scheme}")
    around = press(page, 4, "Avoid this track")
    expect(page).to_have_url(re.compile("without="))
    assert around not in titles(page)


@pytest.mark.sweep
def test_options_are_in_the_link(open_page) -> None:
    link = "/?track=0235&variety=50&order=-tempo&artist=1&keys=True"
    page = open_page(link)
    expect(rows(page)).to_have_count(10)
    page.get_by_role("button", name="Options").click()
    expect(page.get_by_role("slider", name="Variety")).to_have_value("50")
    expect(page.get_by_role("combobox", name="Order")).to_have_value("Fast to slow")
    keep(page, "mix-options")
    artists = rows(page).locator(".artist").all_inner_texts()
    assert len(set(artists)) == len(artists)


@pytest.mark.sweep
def test_taking_out_what_plays_goes_on_and_keeps_the_focus(open_page) -> None:
    page = open_page()
    first = titles(page)
    rows(page).nth(1).get_by_role("button", name=PLAY).click()
    expect(rows(page).nth(1).get_by_role("button", name=PAUSE)).to_be_visible()
    press(page, 1, "Remove")
    expect(rows(page).nth(1).locator(".title")).to_have_text(first[2])
    expect(rows(page).nth(1).get_by_role("button", name=PAUSE)).to_be_visible()
    page.keyboard.press("n")
    expect(rows(page).nth(2)).to_have_class(re.compile("current"))


@pytest.mark.sweep
def test_another_upload_begins_afresh(open_page, encode_excerpt, tmp_path) -> None:
    page = open_page("/?track=0102&pin=0300")
    expect(rows(page)).to_have_count(10)
    page.get_by_text("Upload", exact=True).first.click()
    expect(page).not_to_have_url(re.compile("pin="))
    page.locator("input[type=file]").first.set_input_files(encode_excerpt(tmp_path / "clip.m4a"))
    expect(rows(page)).to_have_count(10)
    kept = press(page, 2, "Keep in the playlist")
    expect(page).to_have_url(re.compile("pin="))
    assert kept in titles(page)
    press(page, 0, "Why this track")
    expect(page.get_by_role("dialog")).to_contain_text("clip.m4a")
