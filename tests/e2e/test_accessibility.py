"""What axe finds wrong with the pages (Deque's rules for WCAG), in a real browser."""

from __future__ import annotations

import re

import pytest
from browsing import serious_violations, settled
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e

PAGES = ("Recommend", "Anatomy", "Map", "Features", "Compare", "About")


@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("light", 1280),
        *(
            pytest.param(scheme, width, marks=pytest.mark.sweep)
            for scheme, width in (("dark", 1280), ("light", 390), ("dark", 390))
        ),
    ],
)
def test_no_violations_that_matter(open_page, scheme: str, width: int) -> None:
    page = open_page(scheme=scheme, width=width)
    found = {}
    for name in PAGES:
        page.get_by_role("link", name=name, exact=True).first.click()
        expect(page).to_have_title(re.compile(rf"\b{name} · Soundalike$"))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator("[data-testid=stSpinner]")).to_have_count(0)
        settled(page)
        page.wait_for_timeout(500)
        found[name] = serious_violations(page)
    assert found == {name: [] for name in PAGES}


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.sweep)])
def test_the_player_has_none_either(open_page, scheme: str) -> None:
    page = open_page("/about?section=sound", scheme=scheme)
    page.get_by_role("button", name=re.compile("^Play ")).first.click()
    expect(page.get_by_role("region", name="Player", exact=True)).to_be_visible()
    page.wait_for_timeout(500)
    assert serious_violations(page) == []
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert serious_violations(page) == []
