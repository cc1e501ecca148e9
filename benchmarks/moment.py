"""Time from letting go of a clip's half minute to its playlist, in the browser.

    python benchmarks/moment.py [--drags 12]

A minute and a half of two library clips is uploaded. Its band is dragged from one end to the other, and
back. The time runs from the pointer's release until the list shows other tracks. Everything is warm, and
each drag goes to another second, so nothing is remembered. The last line is for comparison: VGG16's bare
pass right after it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page
from serving import PATIENCE_MS, SETTLED, browser, served

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import SAMPLE_RATE
from soundalike.evaluation.robustness_files import encode
from soundalike.models import ModelStore, vgg_features

TRACKS = ("0102", "0300")
HALF_S = 45
BIT_RATE = 128_000
ROWS = """
window.rows = () => {
  const found = []
  const look = (root) => root.querySelectorAll("*").forEach((node) => {
    if (node.shadowRoot) look(node.shadowRoot)
    if (node.matches("tbody tr[data-track]")) found.push(node.dataset.track)
  })
  look(document)
  return found.join()
}
addEventListener("pointerup", () => { window.released = performance.now() }, true)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--drags", type=int, default=12, help="times that the band is dragged (12)")
    drags = parser.parse_args().drags
    with tempfile.TemporaryDirectory() as folder, served() as server, browser() as chromium:
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(ROWS)
        page.goto(f"{server.address}/?from=upload")
        page.wait_for_selector(SETTLED)
        clip = joined(Path(folder) / "joined.mp3")
        page.locator("input[type=file]").first.set_input_files(clip)
        page.get_by_role("slider", name="Half minute to match").wait_for()
        found = [drag(page, number, drags) for number in range(drags + 1)][1:]
    print(f"from the release to the playlist, median of {drags}: {statistics.median(found):.0f} ms")
    print(f"slowest: {max(found):.0f} ms")
    print(f"VGG16's pass: {vgg16_pass():.0f} ms")


def joined(path: Path) -> Path:
    """An MP3 with 45 s of each of two library clips."""
    clips = [paths.LIBRARY / "clips" / f"{track}.opus" for track in TRACKS]
    parts = [np.resize(decoding.decode(clip).samples, HALF_S * SAMPLE_RATE) for clip in clips]
    path.write_bytes(encode(np.concatenate(parts), "mp3", "libmp3lame", BIT_RATE))
    return path


def drag(page: Page, number: int, drags: int) -> float:
    """Drag the band to one end or the other, each time to another second; milliseconds."""
    page.wait_for_selector(SETTLED)
    page.wait_for_timeout(1_000)
    frame = page.get_by_role("slider", name="Half minute to match").bounding_box()
    band = page.locator(".wave .band").bounding_box()
    assert frame is not None
    assert band is not None
    inset = 0.17 + 0.16 * number / (drags + 1)
    share = inset if number % 2 == 0 else 1 - inset
    middle = frame["y"] + frame["height"] / 2
    before = page.evaluate("rows()")
    page.mouse.move(band["x"] + band["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(frame["x"] + share * frame["width"], middle, steps=5)
    page.mouse.up()
    changed = "before => rows() && rows() !== before && (window.shown = performance.now())"
    page.wait_for_function(changed, arg=before)
    return float(page.evaluate("shown - released"))


def vgg16_pass() -> float:
    """Milliseconds of VGG16's pass on a picture; the median of five."""
    models = ModelStore()
    clip = decoding.decode(paths.LIBRARY / "clips" / "0102.opus")
    picture = vgg_features.mel_image(analysis_window(clip))
    seconds = []
    for _ in range(6):
        began = time.perf_counter()
        models.vgg16(picture)
        seconds.append(time.perf_counter() - began)
    return 1000 * statistics.median(seconds[1:])


if __name__ == "__main__":
    main()
