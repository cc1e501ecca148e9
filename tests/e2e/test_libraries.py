"""Several libraries in one app, in a real browser: choosing, broken, messy and large ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
import synthetic_index
from browsing import keep, settled
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.e2e, pytest.mark.sweep]


@pytest.fixture(scope="module")
def several(serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with four libraries: two that are made up, a broken one, and the bundled one."""
    folder = tmp_path_factory.mktemp("libraries")
    synthetic_index.write(folder / "messy", 60, messy=True)
    synthetic_index.write(folder / "many tracks", 1_200)
    synthetic_index.write(folder / "torn", 20)
    (folder / "torn" / "yamnet.npy").unlink()
    with serve(tmp_path_factory.mktemp("server"), SOUNDALIKE_INDEX=str(folder)) as address:
        yield address


@pytest.fixture
def open_several(visit: Callable[..., Page], several: str) -> Callable[..., Page]:
    return lambda path="/", *how: visit(several + path, *how)


def choose(page: Page, name: str) -> None:
    settled(page)
    page.get_by_role("combobox", name="Library").click()
    page.get_by_role("option", name=name, exact=True).click()


def test_another_library_is_chosen_and_stays_from_page_to_page(open_several) -> None:
    page = open_several("/")
    expect(page).to_have_url(re.compile("library=many"))
    choose(page, "Starter library")
    expect(page).to_have_url(re.compile(r"library=Starter\+library.*|library=Starter%20library.*"))
    expect(page).to_have_url(re.compile("track=0235"))
    rows = page.get_by_role("table").locator("tbody tr")
    expect(rows).to_have_count(10)
    page.get_by_role("button", name="Show on map", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Walk through the music")
    expect(page).to_have_url(re.compile("library=Starter.*track=0235|track=0235.*library=Starter"))
    page.get_by_role("link", name="Compare", exact=True).first.click()
    expect(page).to_have_url(re.compile("/compare.*library=Starter"))


def test_a_broken_library_says_what_to_do_and_another_can_be_chosen(open_several) -> None:
    page = open_several("/map?library=torn")
    expect(page.get_by_role("alert")).to_contain_text("is missing; build the index again")
    choose(page, "messy")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator(".legend button").first).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_tags_of_any_kind_are_shown_as_text_and_keep_to_their_place(open_several, width, scheme) -> None:
    page = open_several("/?library=messy", width, scheme)
    expect(page.get_by_role("table").locator("tbody tr")).to_have_count(10)
    expect(page.locator(".single .title")).to_have_text("<script>alert('title')</script>")
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    table = page.get_by_role("table")
    room = "table => table.scrollWidth <= table.parentElement.clientWidth + 1"
    assert table.evaluate(room)
    keep(page, f"libraries-messy-{width}-{scheme}")


def test_a_track_of_a_large_library_is_found_by_keyboard(open_several) -> None:
    page = open_several("/?library=many%20tracks")
    settled(page)
    page.get_by_role("searchbox", name="Track").fill("moon")
    found = page.get_by_role("combobox", name="Track: results")
    expect(found).to_be_visible()
    settled(page)
    found.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option").first).to_contain_text(re.compile("moon", re.I))
    assert page.get_by_role("option").count() <= 50
    page.keyboard.press("Enter")
    expect(page.locator(".single .title")).to_contain_text(re.compile("moon", re.I))
    expect(page).not_to_have_url(re.compile("track=000000"))


def test_a_file_that_has_moved_away_is_told_by_its_player(open_several) -> None:
    page = open_several("/?library=messy")
    page.locator(".single button.play").click()
    expect(page.locator(".single .failed")).to_have_text(
        "The file has been moved or deleted since indexing."
    )
