"""A server that is lost, and back again."""

from __future__ import annotations

import re

import pytest
from browsing import settled
from playwright.sync_api import expect
from uploading import noise, upload

pytestmark = pytest.mark.e2e

RETRIES_MS = 60_000
"""By then Streamlit would have shown its own dialog, after six attempts."""


@pytest.mark.sweep
@pytest.mark.parametrize("width", [1280, 390])
def test_a_lost_server_is_said_and_everything_is_back_after_it(context, serve, tmp_path, width) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    with serve(tmp_path / "1") as address:
        page.goto(f"{address}/?track=0102&length=7&by=vgg_genre")
        expect(page.locator("tbody tr")).to_have_count(7)
        noise(tmp_path / "noise.wav")
        upload(page, tmp_path / "noise.wav")
        expect(page.locator(".single .title")).to_have_text("noise.wav")
        settled(page)
    expect(page.get_by_text("The connection is lost")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(7)
    page.wait_for_timeout(RETRIES_MS)
    expect(page.get_by_text("streamlit run")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)
    with serve(tmp_path / "2", port=int(address.rpartition(":")[2])):
        expect(page.get_by_text("Your own clip is gone, so please give it again")).to_be_visible()
        expect(page.get_by_text("The connection is lost")).to_have_count(0)
        settled(page)
        page.get_by_role("button", name="Options").click()
        expect(page.get_by_role("slider", name="Tracks")).to_have_value("7")
        page.keyboard.press("Escape")
        expect(page).to_have_url(re.compile("by=vgg_genre"))
        page.get_by_text("Library", exact=True).first.click()
        expect(page.locator("tbody tr")).to_have_count(7)
    page.close()
