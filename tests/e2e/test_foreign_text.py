"""A stranger's file is shown as it is: no picture is loaded for its name, and nothing becomes a link."""

from __future__ import annotations

import io
import zipfile

import pytest
from browsing import settled
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e

NAME = (
    "a`![p](http://127.0.0.1:9/p.png) [l](http://l.example) :red[c] www.w.example http://h.example "
    "me@m.example :smile: :material/delete: **b** $x$ -> &copy;.m3u8"
)
"""Of a list in a ZIP, which is empty. One backtick used to end the part that is escaped."""


def test_a_name_in_an_error_message_is_no_markup(open_page) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(NAME, "#EXTM3U\n")
    page = open_page("/")
    settled(page)
    page.get_by_role("button", name="Open", exact=True).last.click()
    given = {"name": "list.zip", "mimeType": "application/zip", "buffer": content.getvalue()}
    page.locator(".st-key-recommend_0_list input[type=file]").set_input_files(given)
    alert = page.get_by_role("alert").filter(has_text="contains no tracks")
    expect(alert).to_be_visible()
    shown = alert.inner_text().replace("\u2060", "")
    assert NAME in shown
    markup = "a, img, strong, em, code, .katex, [role=img]:not([data-testid=stAlertDynamicIcon])"
    marked = alert.locator("[data-testid=stMarkdownContainer]").locator(markup)
    assert marked.evaluate_all("found => found.map((node) => node.outerHTML)") == []
