"""A visitor who leaves while a clip is decoded costs the next one nothing."""

from __future__ import annotations

import time
from contextlib import suppress

import psutil
import pytest
from bombs import constant_flac
from playwright.sync_api import expect
from uploading import noise, upload

pytestmark = [pytest.mark.e2e, pytest.mark.sweep]

WITHIN_S = 10
"""The clip alone takes longer than this with the processors shared; ending it takes a second."""


def decoders() -> set[int]:
    """The decoding processes of the servers that this process has started."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        # One may end meanwhile.
        with suppress(psutil.NoSuchProcess):
            if "soundalike.audio.sandbox_worker" in child.cmdline():
                found.add(child.pid)
    return found


def test_decoding_ends_with_its_session(context, serve, tmp_path) -> None:
    (tmp_path / "long.flac").write_bytes(constant_flac(1_190, 96_000, 2, level=8_000))
    noise(tmp_path / "noise.wav")
    own = tmp_path / "server"
    own.mkdir()
    before = decoders()
    # A small host has one decoder.
    with serve(own, SOUNDALIKE_LIGHT="1") as address:
        page = context.new_page()
        page.goto(address)
        upload(page, tmp_path / "long.flac")
        expect(page.get_by_text("Decoding the audio")).to_be_visible()
        time.sleep(2)
        working = decoders() - before
        assert len(working) == 1
        page.close()
        until = time.monotonic() + WITHIN_S
        while decoders() & working and time.monotonic() < until:
            time.sleep(0.1)
        assert not decoders() & working
        other = context.new_page()
        other.goto(address)
        upload(other, tmp_path / "noise.wav")
        expect(other.locator(".single .title")).to_have_text("noise.wav")
        other.close()
