"""The Map page in a real browser."""

from __future__ import annotations

import re

import pytest
from browsing import keep
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e

PAYLOAD = 1_000_000


def open_map(open_page, query: str = "", **arguments) -> Page:
    page = open_page(f"/map{query}", **arguments)
    expect(page.locator("[data-drawn]")).to_be_attached()
    expect(page.locator(".single .title")).not_to_have_text("")
    return page


def chosen(page: Page) -> str:
    return page.locator(".single .title").inner_text()


def asked(page: Page, name: str) -> str:
    found = re.search(rf"[?&]{name}=([^&]*)", page.url)
    return found.group(1) if found else ""


def canvas(page: Page):
    return page.locator("canvas.over")


def hover_a_point(page: Page, avoid: str) -> tuple[float, float, str]:
    """Move the mouse over the map until it is on a point of another track."""
    page.evaluate("window.scrollTo(0, 0)")
    box = canvas(page).bounding_box()
    for share in (0.5, 0.45, 0.55, 0.4, 0.6, 0.35, 0.65):
        for step in range(25):
            x = box["x"] + box["width"] * (0.3 + 0.025 * step)
            y = box["y"] + box["height"] * share
            page.mouse.move(x, y)
            tip = page.locator(".tip")
            if tip.is_visible() and (title := tip.locator("b").inner_text()) != avoid:
                return x, y, title
    raise AssertionError("there is no point to hover")


def drag(page: Page, *corners: tuple[float, float]) -> None:
    """Drag over the map through corners given as shares of its width and height."""
    box = canvas(page).bounding_box()
    spots = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in corners]
    page.mouse.move(*spots[0])
    page.mouse.down()
    for spot in spots[1:]:
        page.mouse.move(*spot, steps=6)
    page.mouse.up()


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), pytest.param(390, "dark", marks=pytest.mark.sweep)]
)
def test_first_visit_shows_the_whole_library(open_page, width, scheme) -> None:
    page = open_map(open_page, width=width, scheme=scheme)
    expect(page.locator("[data-drawn]")).to_have_attribute("data-drawn", "625")
    expect(page.get_by_text("Trustworthiness 0.")).to_be_visible()
    expect(page.get_by_role("table").locator("tbody tr")).to_have_count(10)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    keep(page, f"map-{width}-{scheme}")


def test_first_view_is_under_a_megabyte(open_page) -> None:
    page = open_page()
    received = [0]
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: count(frame)))

    def count(frame: str | bytes) -> None:
        received[0] += len(frame)

    page.goto(page.url.split("?")[0].rstrip("/") + "/map")
    expect(page.get_by_text("Trustworthiness 0.")).to_be_visible()
    page.wait_for_timeout(500)
    assert 10_000 < received[0] < PAYLOAD


def test_clicking_a_point_plays_it_and_links_its_neighbours(open_page) -> None:
    page = open_map(open_page)
    before = chosen(page)
    x, y, title = hover_a_point(page, before)
    page.mouse.click(x, y)
    expect(page.locator(".single .title")).to_have_text(title)
    expect(page.locator(".single").get_by_role("button", name="Pause ")).to_be_visible()
    expect(page.locator(".single .time")).not_to_have_text(re.compile("^0:00"))
    assert asked(page, "track") not in ("", "0235")
    expect(page.get_by_text("true nearest neighbours")).to_be_visible()


@pytest.mark.sweep
def test_lasso_makes_a_playlist_that_a_link_reopens(open_page) -> None:
    page = open_map(open_page)
    page.get_by_role("button", name="Select by drawing around points").click()
    drag(page, (0.5, 0.3), (0.7, 0.3), (0.7, 0.7), (0.5, 0.7), (0.5, 0.32))
    expect(page.get_by_text("Sorted by similarity to the selection's mean")).to_be_visible()
    rows = page.get_by_role("table").locator("tbody tr .title")
    count = int(
        re.search(r"\d+", page.get_by_text(re.compile(r"^Selection \(\d+\)$")).inner_text()).group()
    )
    assert count >= 2
    expect(rows).to_have_count(min(count, 50))
    titles = rows.all_inner_texts()
    page.wait_for_url(re.compile("area="))
    again = open_map(open_page, page.url[page.url.index("?") :])
    expect(again.get_by_text("Sorted by similarity to the selection's mean")).to_be_visible()
    expect(again.get_by_role("table").locator("tbody tr .title")).to_have_text(titles)
    again.get_by_role("button", name="Clear the selection").click()
    expect(again.get_by_text("Sorted by similarity")).to_be_hidden()


def test_search_rings_and_lists_what_it_finds(open_page) -> None:
    page = open_map(open_page)
    page.get_by_role("textbox", name="Find").fill("metal")
    expect(page.get_by_text("circled on the map")).to_be_visible()
    page.wait_for_timeout(500)
    keep(page, "map-search")
    page.get_by_role("textbox", name="Find").fill("no such thing at all")
    expect(page.get_by_text("No track has “no such thing at all”")).to_be_visible()


@pytest.mark.sweep
def test_legend_filters_and_colours_change(open_page) -> None:
    page = open_map(open_page)
    page.get_by_role("button", name=re.compile("^Metal")).click()
    expect(page.get_by_role("button", name=re.compile("^Metal"))).to_have_attribute(
        "aria-pressed", "false"
    )
    page.wait_for_url(re.compile("hide=Metal"))
    again = open_map(open_page, page.url[page.url.index("?") :])
    expect(again.get_by_role("button", name=re.compile("^Metal"))).to_have_attribute(
        "aria-pressed", "false"
    )
    again.get_by_role("button", name="Show all").click()
    again.wait_for_url(lambda url: "hide=" not in url)
    again = open_map(open_page, "?colour=kept")
    expect(again.get_by_text("Nearest ten that are also nearest on the map:")).to_be_visible()


def test_keyboard_walks_and_plays(open_page) -> None:
    page = open_map(open_page)
    before = chosen(page)
    canvas(page).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    title = page.locator(".tip b").inner_text()
    page.keyboard.press("Enter")
    expect(page.locator(".single .title")).to_have_text(title)
    assert title != before


@pytest.mark.sweep
def test_table_leads_to_every_point(open_page) -> None:
    page = open_map(open_page, "?show=tracks&find=experimental")
    grid = page.get_by_test_id("stDataFrame")
    expect(grid).to_be_visible()
    page.wait_for_timeout(500)
    box = grid.bounding_box()
    page.mouse.click(box["x"] + 14, box["y"] + 54)
    page.wait_for_url(lambda url: "track=0235" not in url)
    expect(page.locator(".single").get_by_role("button", name="Pause ")).to_be_visible()


@pytest.mark.sweep
def test_three_dimensions_turn_and_open_from_a_link(open_page) -> None:
    page = open_map(open_page, "?dims=3&by=genre_head&track=0102&near=5")
    expect(page.get_by_text("3-D")).to_be_visible()
    assert (asked(page, "dims"), asked(page, "by"), asked(page, "near")) == ("3", "genre_head", "5")
    drag(page, (0.5, 0.5), (0.7, 0.6))
    x, y, title = hover_a_point(page, chosen(page))
    page.mouse.click(x, y)
    expect(page.locator(".single .title")).to_have_text(title)
    keep(page, "map-3d")


@pytest.mark.sweep
def test_a_clip_is_placed_on_the_map(open_page, encode_excerpt, tmp_path) -> None:
    page = open_map(open_page)
    page.get_by_role("button", name="Place a clip").click()
    page.locator("input[type=file]").set_input_files(encode_excerpt(tmp_path / "excerpt.m4a"))
    expect(page.get_by_text("closest matches, weighted by similarity")).to_be_visible()
    expect(page.locator(".single .title")).to_have_text("excerpt.m4a")
    # Nothing lies over the result.
    expect(page.get_by_text("Audio file", exact=True)).not_to_be_visible()
    keep(page, "map-clip")


@pytest.mark.sweep
def test_a_file_that_is_no_audio_is_one_sentence(open_page, tmp_path) -> None:
    (tmp_path / "noise.mp3").write_bytes(b"not audio at all" * 100)
    page = open_map(open_page)
    page.get_by_role("button", name="Place a clip").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "noise.mp3")
    expect(page.get_by_test_id("stAlert")).to_be_visible()


@pytest.mark.sweep
def test_a_browser_without_webgl_gets_the_map_too(open_page) -> None:
    page = open_page()
    page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...more) {"
        "return kind === 'webgl2' ? null : get.call(this, kind, ...more) }"
    )
    page.goto(page.url.split("?")[0].rstrip("/") + "/map")
    expect(page.locator("[data-drawn]")).to_have_attribute("data-drawn", "625")
    x, y, title = hover_a_point(page, chosen(page))
    page.mouse.click(x, y)
    expect(page.locator(".single .title")).to_have_text(title)


@pytest.mark.sweep
def test_the_part_that_is_seen_is_in_the_link(open_page) -> None:
    page = open_map(open_page)
    assert "view=" not in page.url
    page.get_by_role("button", name="Zoom in").click()
    expect(page).to_have_url(re.compile(r"view="))
    again = open_page(page.url.removeprefix(page.url.split("/map")[0]))
    expect(canvas(again)).to_be_visible()
    expect(again.locator("canvas.over.free")).to_be_visible()
    again.get_by_role("button", name="Show the whole map").click()
    expect(again).not_to_have_url(re.compile(r"view="))


# --- names of regions ----------------------------------------------------------------------------

NAMES = ".signs .region.shown"
BOXES = """nodes => nodes.map((node) => node.getBoundingClientRect())
  .map(({ left, top, right, bottom }) => [left, top, right, bottom])"""


def assert_nothing_overlaps(page: Page) -> None:
    boxes = page.locator(".signs .shown, .tools").evaluate_all(BOXES)
    assert len(boxes) > 1
    for place, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[place + 1 :]:
            assert left >= other[2] or right <= other[0] or top >= other[3] or bottom <= other[1]


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), pytest.param(390, "dark", marks=pytest.mark.sweep)]
)
def test_zooming_in_shows_more_names_and_none_covers_another(open_page, width, scheme) -> None:
    page = open_map(open_page, width=width, scheme=scheme)
    expect(page.locator(NAMES).first).to_be_visible()
    assert page.locator(".signs .level-1.shown, .signs .level-2.shown").count() == 0
    assert_nothing_overlaps(page)
    keep(page, f"map-names-{width}")
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
        page.wait_for_timeout(500)
        assert_nothing_overlaps(page)
    expect(page.locator(".signs .level-1.shown, .signs .level-2.shown").first).to_be_visible()
    keep(page, f"map-names-near-{width}")
    listed = page.get_by_role("list", name="Regions of the map, by sound").get_by_role("listitem")
    assert listed.count() >= page.locator(NAMES).count()


@pytest.mark.sweep
def test_a_name_lets_clicks_through(open_page) -> None:
    page = open_map(open_page)
    name = page.locator(NAMES).first
    expect(name).to_be_visible()
    box = name.bounding_box()
    spot = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    hit = page.evaluate(
        """([x, y]) => { let node = document.elementFromPoint(x, y)
        while (node.shadowRoot) node = node.shadowRoot.elementFromPoint(x, y)
        return node.className }""",
        spot,
    )
    assert "over" in hit


# --- paths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1280, pytest.param(390, marks=pytest.mark.sweep)])
def test_a_playlist_is_a_numbered_path_until_it_is_cleared(open_page, width) -> None:
    page = open_page("/?track=0102&length=5", width=width)
    expect(page.get_by_role("table").locator("tbody tr")).to_have_count(5)
    titles = page.get_by_role("table").locator("tbody tr .title").all_inner_texts()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Show path on map").click()
    page.wait_for_url(re.compile(r"/map\?.*path="))
    listed = page.get_by_role("list", name="Path on the map").get_by_role("listitem")
    expect(listed).to_have_count(5)
    told = listed.all_inner_texts()
    assert all(text.startswith(title) for text, title in zip(told, titles, strict=True))
    expect(page.locator(".signs .number.shown").first).to_be_visible()
    numbers = page.locator(".signs .number.shown").all_inner_texts()
    assert {"1"} < set(numbers) <= {"1", "2", "3", "4", "5"}
    assert_nothing_overlaps(page)
    expect(page.get_by_role("table").locator("tbody tr .title")).to_have_text(titles)
    keep(page, f"map-path-{width}")
    page.get_by_role("button", name="Clear the path").click()
    expect(page.locator(".signs .number")).to_have_count(0)
    page.wait_for_url(lambda url: "path=" not in url)


# --- hearing -------------------------------------------------------------------------------------

LISTEN = "window.addEventListener('soundalike:playing', (event) => { window.playing = event.detail })"


def wait_for(page: Page, expression: str) -> None:
    """Wait until JavaScript is true. Playwright's own way is refused by the page's content policy."""
    for _ in range(600):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never true: {expression}")


def listen(page: Page) -> None:
    """Switch "Hear on hover" on, and note what plays."""
    page.evaluate(LISTEN)
    page.get_by_text("Hear on hover").click()
    expect(page.get_by_role("switch", name="Hear on hover")).to_be_checked()


def test_resting_on_a_point_plays_it_and_leaving_stops_it(open_page) -> None:
    page = open_map(open_page)
    listen(page)
    hover_a_point(page, chosen(page))
    wait_for(page, "window.playing?.audio?.currentTime > 0.1")
    assert page.evaluate("window.playing.audio.dataset.track") != "0235"
    page.mouse.move(5, 5)
    wait_for(page, "window.playing.audio.paused")


@pytest.mark.sweep
def test_the_keyboard_plays_what_it_reaches(open_page) -> None:
    page = open_map(open_page)
    listen(page)
    canvas(page).focus()
    page.keyboard.press("ArrowRight")
    wait_for(page, "window.playing?.audio?.currentTime > 0.1")
    first = page.evaluate("window.playing.audio.dataset.track")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    wait_for(page, f"window.playing.audio.dataset.track !== {first!r}")


@pytest.mark.sweep
def test_a_browser_that_blocks_sound_is_explained(open_page) -> None:
    page = open_map(open_page)
    page.evaluate(
        "() => { const blocked = new DOMException('', 'NotAllowedError');"
        "HTMLMediaElement.prototype.play = () => Promise.reject(blocked) }"
    )
    listen(page)
    canvas(page).focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("Click anywhere on the page first")).to_be_visible()


@pytest.mark.sweep
def test_without_the_switch_hovering_is_silent(open_page) -> None:
    page = open_map(open_page)
    page.evaluate(LISTEN)
    hover_a_point(page, chosen(page))
    page.wait_for_timeout(900)
    assert page.evaluate("window.playing === undefined")


# --- filters and colours -------------------------------------------------------------------------


@pytest.mark.sweep
def test_only_what_fits_a_description_stays_bright(open_page) -> None:
    page = open_map(open_page)
    expect(page.locator("[data-bright]")).to_have_attribute("data-bright", "625")
    field = page.get_by_role("textbox", name="Only show")
    field.fill("piano, no vocals")
    field.press("Enter")
    expect(page.get_by_text(re.compile("of 625 tracks meet this: piano, no singing"))).to_be_visible()
    expect(page.locator("[data-bright]")).not_to_have_attribute("data-bright", "625")
    page.wait_for_url(re.compile("only="))
    keep(page, "map-only")
    again = open_map(open_page, page.url[page.url.index("?") :])
    expect(again.get_by_text(re.compile("of 625 tracks meet this"))).to_be_visible()


@pytest.mark.sweep
def test_a_word_is_a_colour(open_page) -> None:
    page = open_map(open_page, "?colour=word:piano")
    expect(page.locator(".legend")).to_contain_text("piano")
    keep(page, "map-word")


@pytest.mark.sweep
def test_tempo_is_a_colour(open_page) -> None:
    page = open_map(open_page, "?colour=measured-7")
    expect(page.get_by_text("Tempo (BPM)").last).to_be_visible()
    expect(page.locator(".legend")).to_contain_text("Tempo (BPM)")
