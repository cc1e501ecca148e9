"""The About page in a real browser."""

from __future__ import annotations

import re

import pytest
from browsing import keep
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e

SECTIONS = {
    "overview": "What Soundalike does",
    "sound": "Sound",
    "digital": "Digital audio",
    "hearing": "Hearing",
    "pitch": "Frequency and pitch",
    "spectrograms": "Spectrograms",
    "method": "Features and method",
    "data": "Data and licences",
    "models": "Models",
    "evaluation": "Evaluation",
    "limits": "Limits",
    "privacy": "Privacy",
}
LABELS = {"overview": "Overview", "pitch": "Pitch", "method": "Method", "data": "Data"}
PLOTS = {
    **{"sound": 2, "digital": 2, "hearing": 1, "pitch": 1, "spectrograms": 1},
    **{"method": 3, "data": 1, "evaluation": 2},
}


def open_section(open_page, query: str, **options: object) -> Page:
    page = open_page(f"/about?{query}", **options)
    title = SECTIONS[re.sub(r"^section=(\w+).*", r"\1", query)]
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    return page


def plots(page: Page):
    return page.locator(".js-plotly-plot")


def player(page: Page, title: str):
    return page.locator(".single").filter(has_text=title)


def too_wide(page: Page) -> list[str]:
    """Parts of the page that reach beyond its right edge and don't scroll by themselves."""
    return page.evaluate(
        """() => [...document.querySelectorAll('[data-testid=stMain] *')]
            .filter((part) => part.getBoundingClientRect().right > document.body.clientWidth + 1)
            .filter((part) => part.checkVisibility({ opacityProperty: true }))
            .filter((part) => part.tagName !== 'INPUT' && !part.closest('[data-testid=stDataFrame]'))
            .map((part) => `${part.tagName} ${part.className}`)"""
    )


@pytest.mark.sweep
def test_every_section_fits_a_phone(open_page) -> None:
    page = open_section(open_page, "section=sound", width=390, scheme="dark")
    for name, title in SECTIONS.items():
        page.get_by_text(LABELS.get(name, title), exact=True).first.click()
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
        expect(plots(page)).to_have_count(PLOTS.get(name, 0))
        page.wait_for_timeout(400)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert too_wide(page) == [], name
        if name in ("hearing", "method", "models"):
            keep(page, f"about-{name}-390-dark")
            page.set_viewport_size({"width": 390, "height": 900})


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.sweep)])
def test_every_plot_has_a_text_alternative(open_page, scheme) -> None:
    page = open_section(open_page, "section=sound", scheme=scheme)
    expect(plots(page)).to_have_count(2)
    for name in ("digital", "hearing", "pitch", "spectrograms"):
        page.get_by_text(LABELS.get(name, SECTIONS[name]), exact=True).first.click()
        expect(plots(page)).to_have_count(PLOTS[name])
        described = page.locator("[data-testid=stPlotlyChart]")
        for position in range(PLOTS[name]):
            said = described.nth(position).get_attribute("aria-label") or described.nth(
                position
            ).locator("[aria-label]").first.get_attribute("aria-label")
            assert len(said or "") > 20
    keep(page, f"about-spectrograms-1280-{scheme}")


@pytest.mark.sweep
def test_one_tone_plays_at_a_time(open_page) -> None:
    page = open_section(open_page, "section=hearing&second=500")
    first, second = player(page, "1,000 Hz"), player(page, "500 Hz")
    first.get_by_role("button", name="Play ").click()
    expect(first.get_by_role("button", name="Pause ")).to_be_visible()
    second.get_by_role("button", name="Play ").click()
    expect(second.get_by_role("button", name="Pause ")).to_be_visible()
    expect(first.get_by_role("button", name="Play ")).to_be_visible()
    assert not any(failed.is_visible() for failed in page.locator(".failed").all())


def test_a_slider_changes_the_tone_the_plot_and_the_link(open_page) -> None:
    page = open_section(open_page, "section=sound")
    expect(player(page, "Sine, 440 Hz")).to_be_visible()
    page.get_by_role("slider", name="Frequency").press("ArrowRight")
    expect(player(page, "Sine, 450 Hz")).to_be_visible()
    expect(page.get_by_text("9 cycles at 450 Hz")).to_be_visible()
    expect(page).to_have_url(re.compile("hz=450"))
    page.get_by_text("Square wave", exact=True).click()
    expect(page.get_by_text("lines at 450, 1,350 and 2,250 Hz")).to_be_visible()


@pytest.mark.sweep
def test_a_sampled_tone_plays(open_page) -> None:
    page = open_section(open_page, "section=digital&rate=8000&tone=6000")
    sampled = player(page, "Sampled, 2,000 Hz")
    sampled.get_by_role("button", name="Play ").click()
    expect(sampled.locator(".time")).to_have_text(re.compile("/ 0:02"))


@pytest.mark.sweep
def test_a_link_reopens_what_was_on_screen(open_page) -> None:
    page = open_section(open_page, "section=spectrograms")
    page.get_by_text("8,192", exact=True).click()
    expect(page.get_by_text("windows of 372 ms")).to_be_visible()
    expect(page).to_have_url(re.compile("window=8192"))
    again = open_page("/" + page.url.split("/", 3)[-1])
    expect(again.get_by_text("windows of 372 ms")).to_be_visible()


@pytest.mark.sweep
def test_the_method_follows_a_track_to_its_nearest(open_page) -> None:
    page = open_section(open_page, "section=method&track=0102")
    expect(page.locator(".single .title").first).to_have_text("Meditation")
    expect(plots(page)).to_have_count(3)
    expect(page.locator(".single")).to_have_count(2)
    expect(page.locator(".single .title").nth(1)).not_to_have_text("Meditation")
    keep(page, "about-method")


@pytest.mark.sweep
def test_search_finds_a_track_s_licence(open_page) -> None:
    page = open_section(open_page, "section=data")
    expect(page.get_by_text("625 of 625 tracks")).to_be_visible()
    page.get_by_role("searchbox", name="Search").fill("kenta cho")
    expect(page.get_by_text("625 of 625 tracks")).to_be_hidden()
    expect(page.get_by_text(re.compile(r"^\d+ of 625 tracks"))).to_be_visible()
    expect(page).to_have_url(re.compile("q=kenta"))
    page.get_by_text("Credits", exact=True).click()
    expect(page.get_by_role("heading", name="A7Xpg")).to_be_visible()


@pytest.mark.sweep
def test_next_walks_through_the_sections(open_page) -> None:
    page = open_section(open_page, "section=sound")
    for title in ("Digital audio", "Hearing", "Frequency and pitch"):
        page.get_by_role("button", name="Next: ").click()
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("section=pitch"))
