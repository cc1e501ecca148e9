"""The Recommend page in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browsing import keep, settled
from playwright.sync_api import Page, expect

ROOT = Path(__file__).resolve().parents[2]
CLIPS = ROOT / "assets" / "library" / "clips"

pytestmark = pytest.mark.e2e

PLAY, PAUSE = re.compile("^Play "), re.compile("^Pause ")


def rows(page: Page):
    return page.get_by_role("table").locator("tbody tr")


def titles(page: Page) -> list[str]:
    expect(rows(page).first).to_be_visible()
    return rows(page).locator(".title").all_inner_texts()


def upload(page: Page, path: Path) -> None:
    page.get_by_text("Upload", exact=True).first.click()
    page.locator("input[type=file]").set_input_files(path)


def playing(page: Page) -> list[str]:
    names = page.get_by_role("button", name=PAUSE).all()
    return [button.get_attribute("aria-label") or "" for button in names]


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), pytest.param(390, "dark", marks=pytest.mark.sweep)]
)
def test_first_visit_shows_a_playlist_with_players(open_page, width, scheme) -> None:
    page = open_page(width=width, scheme=scheme)
    expect(rows(page)).to_have_count(10)
    expect(page.get_by_role("button", name=PLAY)).to_have_count(11)
    expect(page.get_by_role("heading", name="Sounds like")).to_be_visible()
    expect(page.get_by_text("The article's genre head")).to_be_visible()
    page.get_by_text("The article's genre head").click()
    expect(page.locator(".js-plotly-plot .bars").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    keep(page, f"recommend-{width}-{scheme}")


@pytest.mark.sweep
def test_one_player_plays_at_a_time(open_page) -> None:
    page = open_page()
    first, second = rows(page).nth(0), rows(page).nth(1)
    first.get_by_role("button", name=PLAY).click()
    expect(first.get_by_role("button", name=PAUSE)).to_be_visible()
    time = page.get_by_role("region", name="Player", exact=True).locator(".time")
    expect(time).to_have_text(re.compile(r"^0:0[1-9] / 0:(29|30)"))
    second.get_by_role("button", name=PLAY).click()
    expect(second.get_by_role("button", name=PAUSE)).to_be_visible()
    assert len(playing(page)) == 1
    page.locator(".single").get_by_role("button", name=PLAY).click()
    expect(second.get_by_role("button", name=PLAY)).to_be_visible()
    assert len(playing(page)) == 1


@pytest.mark.sweep
def test_a_player_keeps_playing_when_a_setting_changes(open_page) -> None:
    page = open_page()
    expect(rows(page)).to_have_count(10)
    page.locator(".single").get_by_role("button", name=PLAY).click()
    page.get_by_text("Picture only", exact=True).click()
    expect(page).to_have_url(re.compile("by=vgg_mel"))
    page.wait_for_timeout(500)
    assert len(playing(page)) == 1


def test_recommend_from_a_row_follows_it_and_plays_it(open_page) -> None:
    page = open_page()
    chosen = titles(page)[2]
    rows(page).nth(2).get_by_role("button", name="More: ").click()
    rows(page).nth(2).get_by_role("menuitem", name="Recommend from this").click()
    expect(page.locator(".single .title")).to_have_text(chosen)
    expect(page.locator(".single").get_by_role("button", name=PAUSE)).to_be_visible()
    expect(rows(page).locator(".title").get_by_text(chosen, exact=True)).to_have_count(0)
    # What was pressed is gone, so the focus is on the clip.
    expect(page.locator(".single").get_by_role("button", name=PAUSE)).to_be_focused()


@pytest.mark.sweep
def test_search_finds_a_track_by_artist(open_page) -> None:
    page = open_page()
    box = page.get_by_role("combobox", name="Track")
    box.click()
    box.fill("Kenta Cho")
    page.get_by_role("option", name="Kenta Cho").first.click()
    expect(page.locator(".single .artist")).to_contain_text("Kenta Cho")


@pytest.mark.sweep
def test_a_link_reopens_what_was_on_screen(open_page) -> None:
    page = open_page("/?track=0102&by=vgg_mel&length=23")
    expect(rows(page)).to_have_count(23)
    expect(page.locator(".single .title")).to_have_text("Meditation")
    before = titles(page)
    again = open_page("/" + page.url.split("/")[-1])
    expect(rows(again)).to_have_count(23)
    assert titles(again) == before


@pytest.mark.sweep
def test_a_link_with_nonsense_shows_the_first_page(open_page) -> None:
    page = open_page("/?track=nothing&by=nobody&length=9999&from=mars")
    expect(rows(page)).to_have_count(10)


def test_an_upload_gets_a_playlist(open_page, tmp_path, encode_excerpt) -> None:
    page = open_page()
    before = titles(page)
    upload(page, encode_excerpt(tmp_path / "an excerpt.m4a"))
    expect(page.locator(".single .title")).to_have_text("an excerpt.m4a")
    expect(rows(page)).to_have_count(10)
    assert titles(page) != before
    expect(page.get_by_text("This is in the library")).to_have_count(0)
    keep(page, "recommend-upload")


@pytest.mark.sweep
def test_a_clip_of_the_library_is_recognised(open_page) -> None:
    page = open_page()
    upload(page, CLIPS / "0102.opus")
    expect(page.get_by_text("This is in the library")).to_be_visible()
    expect(rows(page)).to_have_count(10)
    assert "Meditation" not in titles(page)
    keep(page, "recommend-in-library")


def test_a_text_file_gets_one_clear_sentence_and_the_page_goes_on(open_page, tmp_path) -> None:
    page = open_page()
    text = tmp_path / "song.mp3"
    text.write_text("This is a text, not a song.\n" * 50)
    upload(page, text)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("couldn't read this as audio")
    expect(page.get_by_text("Traceback")).to_have_count(0)
    keep(page, "recommend-not-audio")
    page.get_by_text("Library", exact=True).first.click()
    expect(rows(page)).to_have_count(10)
    page.get_by_role("button", name="Options").click()
    expect(page.get_by_role("slider", name="Tracks")).to_have_value("10")


@pytest.mark.sweep
def test_a_recording_from_the_microphone_gets_a_playlist(open_page) -> None:
    page = open_page()
    page.get_by_text("Record", exact=True).first.click()
    page.get_by_role("button", name="Record").click()
    page.wait_for_timeout(5_000)
    page.get_by_role("button", name="Stop recording").click()
    expect(page.locator(".single .title")).to_have_text("Your recording")
    expect(rows(page)).to_have_count(10)
    expect(page.get_by_text("looped it to 30 s")).to_be_visible()
    keep(page, "recommend-recording")


@pytest.mark.sweep
def test_two_sessions_do_not_see_each_other(open_page) -> None:
    mine, other = open_page("/?track=0102"), open_page("/?track=0001")
    upload(mine, CLIPS / "0050.opus")
    expect(mine.get_by_text("This is in the library")).to_be_visible()
    expect(other.get_by_text("This is in the library")).to_have_count(0)
    expect(other.locator(".single .title")).to_have_text("Rabbit Holes")


def test_music_is_described_in_words_that_can_be_left_out(open_page) -> None:
    page = open_page()
    page.get_by_role("radio", name="Describe").click()
    field = page.get_by_role("textbox", name="Describe the music")
    field.fill("accordion, pianno and xylotrope")
    field.press("Enter")
    expect(page.get_by_text("We read “pianno” as “piano”.")).to_be_visible()
    expect(page.get_by_text("We don't know “xylotrope”.")).to_be_visible()
    expect(rows(page)).to_have_count(10)
    both = titles(page)
    page.get_by_role("button", name="piano", exact=True).click()
    expect(page.get_by_text("Clearly: accordion", exact=True).first).to_be_visible()
    settled(page)
    assert titles(page) != both
    expect(page).to_have_url(re.compile("from=describe"))


@pytest.mark.sweep
def test_a_link_reopens_a_description_on_a_phone(open_page) -> None:
    page = open_page("/?from=describe&words=slow+piano", width=390, scheme="dark")
    expect(rows(page)).to_have_count(10)
    expect(page.get_by_text("Clearly: slow, piano").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.sweep
def test_a_filter_keeps_some_tracks_and_is_in_the_link(open_page) -> None:
    page = open_page("/?track=0102")
    expect(rows(page)).to_have_count(10)
    before = titles(page)
    page.get_by_role("button", name="Options").click()
    page.get_by_text("Only some tracks").click()
    field = page.get_by_role("textbox", name="Only with")
    field.fill("pianno, under 100 bpm, xylotrope")
    field.press("Enter")
    expect(page.get_by_text("We don't know “xylotrope”.").first).to_be_visible()
    expect(page.get_by_text(re.compile(r"Filter: \d+ of 625 tracks meet this: piano"))).to_be_visible()
    expect(page).to_have_url(re.compile("only=pianno"))
    page.get_by_role("radio", name="Without").click()
    expect(page).to_have_url(re.compile("voice=without"))
    expect(page.get_by_text("Only some tracks (3 set)")).to_be_visible()
    expect(field).to_be_visible()
    keep(page, "recommend-filter")
    settled(page)
    filtered = titles(page)
    assert filtered != before
    again = open_page("/" + page.url.split("/")[-1])
    expect(rows(again)).to_have_count(len(filtered))
    assert titles(again) == filtered
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Undo").click()
    expect(page).not_to_have_url(re.compile("voice="))
    page.get_by_role("button", name="Undo").click()
    expect(page).not_to_have_url(re.compile("only="))
    settled(page)
    assert titles(page) == before


@pytest.mark.sweep
def test_a_filter_that_no_track_meets_says_so_on_a_phone(open_page) -> None:
    page = open_page("/?track=0102&only=over+299+bpm", width=390, scheme="dark")
    expect(page.get_by_text("No track meets your filter: at least 299 BPM.")).to_be_visible()
    expect(rows(page)).to_have_count(0)
    page.get_by_role("button", name="Options").click()
    page.get_by_text("Only some tracks (1 set)").click()
    page.get_by_role("button", name="Clear").click()
    expect(rows(page)).to_have_count(10)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.sweep
def test_a_dial_changes_the_playlist_and_the_link(open_page) -> None:
    page = open_page("/?track=0102&harmony=2.0")
    expect(rows(page)).to_have_count(10)
    dialled = titles(page)
    page.get_by_role("button", name="Options").click()
    page.get_by_text("What counts (1 changed)").click()
    page.get_by_role("button", name="Reset").click()
    expect(page).not_to_have_url(re.compile("harmony"))
    settled(page)
    assert titles(page) != dialled
