"""Watching a page, and keeping pictures of it."""

from __future__ import annotations

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

ARTEFACTS = Path(__file__).resolve().parents[2] / "test-artifacts"


class Watch:
    """What a page complained of: console errors, script errors and calls to other hosts."""

    def __init__(self, page: Page) -> None:
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        page.on("console", self._console)
        page.on("request", self._request)

    def _console(self, message: object) -> None:
        # On a page's own address Streamlit first looks for its server below it, and is told 404.
        where = str((getattr(message, "location", None) or {}).get("url", ""))
        if getattr(message, "type", "") == "error" and "/_stcore/" not in where:
            self.problems.append(f"console: {getattr(message, 'text', '')} {where}")

    def _request(self, request: object) -> None:
        url = str(getattr(request, "url", ""))
        if not url.startswith(("http://localhost:", "ws://localhost:", "data:", "blob:")):
            self.problems.append(f"calls out: {url}")


def settled(page: Page) -> None:
    """Wait until the whole page is drawn: what is drawn again closes lists and loses what was typed."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def keep(page: Page, name: str) -> None:
    """Keep a screenshot of the whole page as a test artefact."""
    ARTEFACTS.mkdir(exist_ok=True)
    width = page.viewport_size["width"]  # type: ignore[index]
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": width, "height": min(max(int(height), 900), 6000)})
    page.wait_for_timeout(700)
    page.screenshot(path=ARTEFACTS / f"{name}.png")


def serious_violations(page: Page) -> list[str]:
    """What axe finds wrong with a page that matters, each with the first element."""
    found = Axe().run(page).response
    assert len(found["passes"]) > 10
    return [
        f"{violation['id']}: {violation['nodes'][0]['html'][:200]}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
