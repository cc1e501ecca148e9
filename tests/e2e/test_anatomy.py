"""The Anatomy page in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from browsing import keep, settled
from playwright.sync_api import Locator, Page, Response, expect

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.models import vgg_features

ROOT = Path(__file__).resolve().parents[2]
PLOTS = ("waveform", "words", "mel", "mfcc", "mfcc_standardised", "chroma", "chroma_standardised")
MEDITATION = "/anatomy?track=0102"

PIXELS = """async image => {
    await image.decode()
    const canvas = document.createElement("canvas")
    canvas.width = image.naturalWidth
    canvas.height = image.naturalHeight
    canvas.getContext("2d").drawImage(image, 0, 0)
    return Array.from(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data)
}"""

pytestmark = pytest.mark.e2e


def plots(page: Page) -> Locator:
    return page.locator(".frame")


def plot(page: Page, name: str) -> Locator:
    return page.locator(f".frame[data-plot={name}]").first


def order(page: Page) -> list[str]:
    names: list[str] = plots(page).evaluate_all("frames => frames.map(frame => frame.dataset.plot)")
    return names


def seconds(page: Page) -> float:
    minutes, rest = page.locator(".time").first.first.inner_text().split(" / ")[0].split(":")
    return 60 * int(minutes) + float(rest)


def shown_range(page: Page) -> list[float]:
    texts = page.locator(".range").first.inner_text().split(" to ")
    return [60 * int(text.split(":")[0]) + float(text.split(":")[1]) for text in texts]


def at(target: Locator, x: float, y: float = 0.5) -> dict[str, float]:
    box = target.bounding_box()
    assert box is not None
    return {"x": x * box["width"], "y": y * box["height"]}


def drag(page: Page, target: Locator, start: float, end: float) -> None:
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + start * box["width"], box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], box["y"] + 50, steps=6)
    page.mouse.up()


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), pytest.param(390, "dark", marks=pytest.mark.sweep)]
)
def test_first_visit_shows_facts_plots_and_the_network_s_image(open_page, width, scheme) -> None:
    page = open_page(MEDITATION, width=width, scheme=scheme)
    expect(plots(page)).to_have_count(7)
    assert tuple(order(page)) == PLOTS
    for fact in ("108 BPM", "G major", "−16.0 LUFS"):
        expect(page.get_by_text(fact)).to_be_visible()
    expect(page.get_by_role("img", name="Mel spectrogram of Meditation as a picture")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    settled(page)
    keep(page, f"anatomy-{width}-{scheme}")


def test_plots_say_what_they_show_play_by_keyboard_and_seek_by_word(open_page) -> None:
    page = open_page(MEDITATION)
    expect(plots(page)).to_have_count(7)
    for name in PLOTS:
        frame = plot(page, name)
        caption = frame.get_attribute("aria-describedby")
        assert frame.get_attribute("aria-label")
        assert len(page.locator(f"#{caption}").inner_text()) > 80
    chroma = plot(page, "chroma")
    chroma.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert seconds(page) == 5
    expect(chroma).to_have_attribute("aria-valuenow", "5.00")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(chroma).to_have_attribute("aria-valuetext", re.compile(r"^0:05\.00 · [A-G]♯?: [01]\.\d\d"))
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause Meditation")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play Meditation")).to_be_visible()
    words = plot(page, "words")
    canvas = words.locator("canvas").first
    canvas.scroll_into_view_if_needed()
    canvas.click(position=at(canvas, 0.5))
    expect(page.locator(".time").first.first).to_have_text(re.compile(r"0:1[45]"))


@pytest.mark.sweep
def test_the_pixels_are_the_matrix_s(open_page) -> None:
    """The mel spectrogram's bottom is brighter than its top, which is near black in this clip."""
    page = open_page(MEDITATION)
    expect(plots(page)).to_have_count(7)
    page.wait_for_timeout(500)
    mean = """canvas => {
        const { width, height } = canvas
        const { data } = canvas.getContext("2d").getImageData(0, 0, width, height)
        const half = data.length / 2
        const sum = (part) => part.reduce((a, b) => a + b, 0) / part.length
        return [sum(data.slice(0, half)), sum(data.slice(half))]
    }"""
    top, bottom = plot(page, "mel").locator("canvas").evaluate(mean)
    assert bottom > top + 20


@pytest.mark.sweep
def test_hovering_reads_a_value_in_its_units(open_page) -> None:
    page = open_page(MEDITATION)
    expect(plots(page)).to_have_count(7)
    for name, pattern in (
        ("waveform", r"0:15\.\d\d · −?0\.\d\d to 0\.\d\d, RMS −\d+\.\d dBFS"),
        ("mel", r"0:15\.\d\d · [\d,]+ Hz: −\d+ dB"),
        ("mfcc", r"0:15\.\d\d · coefficient \d+: −?\d+\.\d dB"),
        ("mfcc_standardised", r"0:15\.\d\d · coefficient \d+: [≤≥]? ?−?\d\.\d\d? SD"),
        ("chroma", r"0:15\.\d\d · [A-G]♯?: [01]\.\d\d of the strongest"),
    ):
        frame = plot(page, name)
        frame.hover(position=at(frame, 0.5))
        expect(frame.locator(".tip")).to_have_text(re.compile(pattern))


def test_clicking_a_spectrogram_seeks_and_the_playhead_moves_over_all_plots(open_page) -> None:
    page = open_page(MEDITATION)
    expect(plots(page)).to_have_count(7)
    mel = plot(page, "mel")
    mel.click(position=at(mel, 0.5))
    assert 14 <= seconds(page) <= 15
    page.get_by_role("button", name="Play Meditation").click()
    expect(page.get_by_role("button", name="Pause Meditation")).to_be_visible()
    expect(page.locator(".time").first).to_have_text("0:17 / 0:30")
    places = page.locator(".playhead").evaluate_all(
        "marks => marks.map(mark => parseFloat(mark.style.left))"
    )
    assert len(places) == len(PLOTS)
    assert len(set(places)) == 1
    # The time is rounded: 16.5 s is "0:17".
    assert 16.4 / 30 * 100 < places[0] < 19 / 30 * 100
    mel.click(position=at(mel, 0.1))
    page.wait_for_timeout(500)
    assert 3 <= seconds(page) <= 5


@pytest.mark.sweep
def test_zoom_by_drag_wheel_buttons_and_keyboard(open_page) -> None:
    page = open_page(MEDITATION)
    expect(plots(page)).to_have_count(7)
    mel = plot(page, "mel")
    drag(page, mel, 0.4, 0.5)
    expect(page.locator(".range")).to_have_text("0:12.0 to 0:15.0")
    chroma_times = page.locator("figure", has=plot(page, "chroma")).locator(".times span")
    expect(chroma_times.first).to_have_text(re.compile(r"^0:12\.[0-2]"))
    page.get_by_role("button", name="Whole clip").click()
    expect(page.locator(".range")).to_have_text("0:00.0 to 0:30.0")
    mel.focus()
    page.keyboard.press("+")
    expect(page.locator(".range")).not_to_have_text("0:00.0 to 0:30.0")
    start, end = shown_range(page)
    assert end - start == pytest.approx(15, abs=0.2)
    page.keyboard.press("0")
    expect(page.locator(".range")).to_have_text("0:00.0 to 0:30.0")
    mel.hover(position=at(mel, 0.5))
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    expect(page.locator(".range")).to_have_text("0:07.5 to 0:22.5")
    page.get_by_role("button", name="Zoom out").click()
    expect(page.locator(".range")).to_have_text("0:00.0 to 0:30.0")


@pytest.mark.sweep
def test_a_zoomed_waveform_shows_its_samples(open_page) -> None:
    page = open_page(MEDITATION)
    expect(plots(page)).to_have_count(7)
    coarse = page.locator("path.peak").get_attribute("d")
    drag(page, plot(page, "waveform"), 0.5, 0.52)
    expect(page.locator(".range")).not_to_have_text("0:00.0 to 0:30.0")
    # 4,096 points over 30 s make 80 of these 0.6 s; decoded samples give every pixel its own value.
    shape = page.locator("path.peak")
    expect(shape).not_to_have_attribute("d", coarse or "")
    different = (
        "path => new Set(path.getAttribute('d').split(/[ML]/).map(pair => pair.split(',')[1])).size"
    )
    for _ in range(40):
        if shape.evaluate(different) > 400:
            break
        page.wait_for_timeout(250)
    assert shape.evaluate(different) > 400
    keep(page, "anatomy-zoomed")


@pytest.mark.sweep
def test_front_ends_join_the_mel_and_playing_goes_on(open_page) -> None:
    page = open_page(MEDITATION)
    expect(plots(page)).to_have_count(7)
    page.get_by_role("button", name="Play Meditation").click()
    for label in ("Bark bands", "Gammatone bands", "Wavelet scalogram"):
        page.get_by_role("button", name=label).click()
    expect(plots(page)).to_have_count(10)
    expect(page).to_have_url(re.compile("also=bark%2Cgammatone%2Cwavelet"))
    expect(page.get_by_role("button", name="Pause Meditation")).to_be_visible()
    frame = plot(page, "wavelet")
    frame.hover(position=at(frame, 0.5))
    expect(frame.locator(".tip")).to_have_text(re.compile(r"· [A-G]♯?\d, [\d,]+ Hz: −?\d+ dB"))


@pytest.mark.sweep
def test_front_ends_come_and_go_in_their_places_while_zoomed(open_page) -> None:
    page = open_page(MEDITATION)
    expect(plots(page)).to_have_count(7)
    drag(page, plot(page, "mel"), 0.4, 0.5)
    expect(page.locator(".range")).to_have_text("0:12.0 to 0:15.0")
    for label in ("Wavelet scalogram", "Autoencoder's MFCC", "Bark bands"):
        page.get_by_role("button", name=label).click()
    expect(plots(page)).to_have_count(10)
    assert order(page) == [*PLOTS[:3], "bark", "wavelet", *PLOTS[3:5], "autoencoder", *PLOTS[5:]]
    expect(page.locator(".range")).to_have_text("0:12.0 to 0:15.0")
    expect(page.locator("figure", has=plot(page, "bark")).locator(".times span").first).to_have_text(
        re.compile(r"^0:12\.[0-2]")
    )
    page.get_by_role("button", name="Wavelet scalogram").click()
    expect(plots(page)).to_have_count(9)
    assert order(page) == [*PLOTS[:3], "bark", *PLOTS[3:5], "autoencoder", *PLOTS[5:]]
    expect(page.locator(".range")).to_have_text("0:12.0 to 0:15.0")


@pytest.mark.sweep
def test_a_second_track_has_the_front_ends_too_and_another_takes_its_place(open_page) -> None:
    page = open_page(MEDITATION + "&second=0001&also=bark,gammatone")
    expect(plots(page)).to_have_count(18)
    assert order(page) == 2 * [*PLOTS[:3], "bark", "gammatone", *PLOTS[3:]]
    summaries = page.locator("figure", has=page.locator("[data-plot=gammatone]")).locator(".seen")
    first, second = summaries.all_inner_texts()
    assert first != second
    page.get_by_role("button", name="Gammatone bands").click()
    expect(plots(page)).to_have_count(16)
    page.get_by_role("button", name="Gammatone bands").click()
    expect(plots(page)).to_have_count(18)
    assert summaries.all_inner_texts() == [first, second]
    # The same track on both sides: each keeps parts of its own.
    page.goto(page.url.replace("second=0001", "second=0102"))
    expect(page.locator(".player .title")).to_have_text(["Meditation"] * 2)
    expect(plots(page)).to_have_count(18)
    settled(page)
    assert summaries.all_inner_texts() == [first, first]
    expect(page.get_by_role("img", name="Mel spectrogram of Meditation as a picture")).to_have_count(2)


def check_picture(page: Page, title: str, track_id: str) -> Locator:
    """Compare the image on the page with the one that the network gets, and return it."""
    shown = page.get_by_role("img", name=f"Mel spectrogram of {title} as a picture")
    expect(shown).to_be_visible()
    drawn = np.array(shown.evaluate(PIXELS), np.uint8).reshape(480, 640, 4)
    clip = decoding.decode(paths.LIBRARY / "clips" / f"{track_id}.opus")
    expected = vgg_features.mel_image(analysis_window(clip))
    np.testing.assert_array_equal(drawn[:, :, 2::-1], expected)
    return shown


@pytest.mark.sweep
def test_the_network_s_image_is_drawn_to_the_pixel(open_page) -> None:
    """Of a clip, and after a change of clips; it opens over the whole page, and closes again."""
    page = open_page(MEDITATION)
    check_picture(page, "Meditation", "0102")
    box = page.get_by_role("combobox", name="Track")
    box.click()
    box.fill("Rabbit Holes")
    page.get_by_role("option", name="Rabbit Holes").first.click()
    check_picture(page, "Rabbit Holes", "0001").hover()
    page.get_by_role("button", name="Fullscreen").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.sweep
def test_two_tracks_stand_beside_each_other_play_one_at_a_time_and_zoom_as_one(open_page) -> None:
    page = open_page(MEDITATION + "&second=0001")
    expect(plots(page)).to_have_count(14)
    left, right = (
        plot(page, "mel").bounding_box(),
        page.locator(".frame[data-plot=mel]").nth(1).bounding_box(),
    )
    assert left is not None
    assert right is not None
    assert right["x"] > left["x"] + left["width"]
    assert right["y"] == pytest.approx(left["y"], abs=2)
    page.get_by_role("button", name="Play Meditation").click()
    expect(page.get_by_role("button", name="Pause Meditation")).to_be_visible()
    page.get_by_role("button", name="Play Rabbit Holes").click()
    expect(page.get_by_role("button", name="Pause Rabbit Holes")).to_be_visible()
    expect(page.get_by_role("button", name="Play Meditation")).to_be_visible()
    drag(page, plot(page, "mel"), 0.4, 0.5)
    expect(page.locator(".range")).to_have_text(["0:12.0 to 0:15.0"] * 2)
    keep(page, "anatomy-two")


@pytest.mark.sweep
def test_a_link_reopens_what_was_on_screen(open_page) -> None:
    page = open_page("/anatomy")
    expect(plots(page)).to_have_count(7)
    box = page.get_by_role("combobox", name="Compare with")
    box.click()
    box.fill("Rabbit Holes")
    page.get_by_role("option", name="Rabbit Holes").first.click()
    expect(plots(page)).to_have_count(14)
    page.get_by_role("button", name="Bark bands").click()
    expect(plots(page)).to_have_count(16)
    expect(page).to_have_url(re.compile("also=bark"))
    titles = page.locator(".player .title").all_inner_texts()
    again = open_page("/anatomy?" + page.url.split("?")[1])
    expect(plots(again)).to_have_count(16)
    assert again.locator(".player .title").all_inner_texts() == titles


@pytest.mark.sweep
def test_a_link_with_nonsense_shows_the_first_view(open_page) -> None:
    page = open_page("/anatomy?track=nothing&second=nobody&also=x,,bark2&from=mars")
    expect(plots(page)).to_have_count(7)


@pytest.mark.sweep
def test_an_upload_is_measured_and_played(open_page, tmp_path, encode_excerpt) -> None:
    page = open_page("/anatomy")
    page.get_by_text("Upload", exact=True).first.click()
    page.locator("input[type=file]").set_input_files(encode_excerpt(tmp_path / "an excerpt.m4a"))
    expect(page.locator(".player .title")).to_have_text("an excerpt.m4a")
    expect(plots(page)).to_have_count(7)
    expect(page.locator(".range")).to_have_text(re.compile("^0:00.0 to 0:12"))
    page.get_by_role("button", name="Wavelet scalogram").click()
    expect(plots(page)).to_have_count(8)


@pytest.mark.sweep
def test_a_text_file_gets_one_clear_sentence(open_page, tmp_path) -> None:
    page = open_page("/anatomy")
    page.get_by_text("Upload", exact=True).first.click()
    (tmp_path / "song.mp3").write_text("This is a text, not a song.\n" * 50)
    page.locator("input[type=file]").set_input_files(tmp_path / "song.mp3")
    expect(page.get_by_role("alert")).to_contain_text("couldn't read this as audio")
    page.get_by_text("Library", exact=True).first.click()
    expect(plots(page)).to_have_count(7)


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("query", "count", "limit"), [("", 7, 750_000), ("&second=0001", 14, 1_500_000)]
)
def test_the_first_view_is_small(browser, app_url, query, count, limit) -> None:
    """What the page itself sends, less Streamlit's own files: under 1.5 MB even with two tracks."""
    context = browser.new_context()
    page = context.new_page()
    sizes: list[int] = []

    def media(reply: Response) -> None:
        if reply.url.startswith(f"{app_url}/media/"):
            sizes.append(int(reply.headers.get("content-length", 0)))

    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: sizes.append(len(data))))
    page.on("response", media)
    page.goto(app_url + MEDITATION + query)
    expect(plots(page)).to_have_count(count)
    expect(page.get_by_role("img", name="Mel spectrogram of Meditation as a picture")).to_be_visible()
    page.wait_for_timeout(1_000)
    context.close()
    assert 300_000 < sum(sizes) < limit
