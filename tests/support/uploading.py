"""Upload a file in the browser, and noise to upload."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
from playwright.sync_api import Page


def noise(path: Path) -> bytes:
    """Write six seconds of noise as WAV, over a megabyte, and return a part that nothing else has."""
    samples = np.random.default_rng(6).bytes(6 * 2 * 2 * 48_000)
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setparams((2, 2, 48_000, 0, "NONE", ""))
        output.writeframes(samples)
    path.write_bytes(file.getvalue())
    return samples[500_000:500_064]


def upload(page: Page, path: Path) -> None:
    page.get_by_text("Upload", exact=True).first.click()
    page.locator("input[type=file]").set_input_files(path)
