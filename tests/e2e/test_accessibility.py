"""What axe finds wrong with the pages (Deque's rules for WCAG), in a real browser."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e

PAGES = ("/", "/anatomy", "/map", "/features", "/compare", "/about")


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.sweep)])
@pytest.mark.parametrize("path", PAGES)
def test_no_violations_that_matter(open_page, path: str, scheme: str) -> None:
    page = open_page(path, scheme=scheme)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("[data-testid=stSpinner]")).to_have_count(0)
    page.wait_for_timeout(1_500)
    found = Axe().run(page).response
    assert len(found["passes"]) > 10
    serious = [
        f"{violation['id']}: {violation['nodes'][0]['html'][:200]}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
    assert serious == []
