"""What the page says where a file is refused, or the microphone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browsing import keep, settled
from playwright.sync_api import Page, expect
from uploading import noise, upload

from soundalike.audio import decoding

pytestmark = pytest.mark.e2e

EMOJI = f"{'👩‍🚀' * 6} {'long ' * 8}.wav"


def say(page: Page, text: str) -> None:
    expect(page.get_by_role("alert").filter(has_text=text).first).to_be_visible()


@pytest.mark.sweep
def test_a_refused_file_is_explained_and_takes_the_result_with_it(open_page, tmp_path: Path) -> None:
    page = open_page("/?track=0102", width=390)
    path = tmp_path / EMOJI
    noise(path)
    upload(page, path)
    expect(page.locator(".single .title")).to_have_text(EMOJI)
    chip = page.get_by_test_id("stFileChipName")
    assert chip.evaluate("(node) => getComputedStyle(node, '::after').content").strip('"') == EMOJI
    settled(page)
    keep(page, "uploader-chip")
    (tmp_path / "notes.py").write_text("print()")
    page.locator("input[type=file]").first.set_input_files(tmp_path / "notes.py")
    say(page, "notes.py has an ending that we don't know. Choose an audio file, such as WAV")
    expect(page.locator(".single .title")).to_have_count(0)
    expect(page.locator("tbody tr")).to_have_count(0)
    expect(page.get_by_test_id("stFileChip")).to_have_count(0)
    (tmp_path / "large.wav").write_bytes(bytes(decoding.MAX_BYTES + 1))
    page.locator("input[type=file]").first.set_input_files(tmp_path / "large.wav")
    say(page, "large.wav is too large. Choose a file of at most 30 MB.")
    expect(page.get_by_text("You can also drop a file there: WAV")).to_be_visible()
    keep(page, "uploader-refused")
    page.locator("input[type=file]").first.set_input_files(path)
    expect(page.locator(".single .title")).to_have_text(EMOJI)
    expect(page.get_by_text("is too large")).to_have_count(0)


def test_a_microphone_that_is_refused_is_explained(open_page) -> None:
    page = open_page("/?track=0102", width=390)
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('no device')) }"
    )
    page.get_by_text("Record", exact=True).first.click()
    page.get_by_role("button", name="Record", exact=True).click()
    say(page, "We can't use the microphone. Allow it for this page in your browser")
    expect(page.get_by_text(re.compile("^An error has occurred"))).not_to_be_visible()
    keep(page, "uploader-microphone")
