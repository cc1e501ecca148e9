"""Size and speed of the map.

    python benchmarks/map_page.py

For libraries of 478, 8,000 (FMA-small) and 106,574 (FMA-large) tracks with random positions and
synthetic names: the bytes that the page sends for the map and the time to prepare them; and, in a
headless Chromium, the time until the map is drawn, the frame time while it is panned, and the time to
find the point under the mouse. FMA-large is measured as shown on the page (thinned) and whole.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
from playwright.sync_api import Browser
from serving import browser

from soundalike.ui import frontend
from soundalike.ui.map import charts, component
from soundalike.ui.map.charts import Colouring

SIZES = (478, 8_000, 106_574)
GENRES = 16
FRAMES = 20

PAGE = """<!doctype html><style>:root {{ --st-text-color: #222; --st-background-color: #fff;
--st-primary-color: #45c; --st-border-color: #ccc }} #host {{ width: 608px }} {css}</style>
<div id="host"><div class="root"></div></div><script type="module">{js}
window.draw = (data) => {{
  const host = document.getElementById("host")
  const component = {{ data, parentElement: host, setTriggerValue: () => {{}} }}
  drawMap(component)
  return maps.get(host)
}}
window.ready = true
</script>"""

MEASURE = """([data, frames]) => {
  const pixel = new Uint8Array(4)
  const settle = (map) => {
    const { gl } = map.painter
    gl?.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel)
  }
  const sent = new TextEncoder().encode(data)
  const start = performance.now()
  const map = window.draw(sent)
  map.paint()
  settle(map)
  const first = performance.now() - start
  const moving = performance.now()
  for (let i = 0; i < frames; i++) { map.camera.pan(1, 1); map.screen = null; map.paint(); settle(map) }
  const frame = (performance.now() - moving) / frames
  map.screen = null
  const hovering = performance.now()
  map.at([300, 200])
  return { first, frame, hover: performance.now() - hovering, webgl: Boolean(map.painter.gl) }
}"""


def main() -> None:
    """Print the table."""
    print("| tracks | drawn | sent, kB | made ready, ms | drawn after, ms | a frame, ms | hover, ms |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    with browser() as chromium:
        for size in SIZES:
            print(_weigh(chromium, size, charts.MAX_POINTS), flush=True)
        print(_weigh(chromium, SIZES[-1], SIZES[-1]), flush=True)


def _weigh(chromium: Browser, size: int, limit: int) -> str:
    tracks, positions, colours = _library(size)
    start = time.perf_counter()
    points = charts.points("map", tracks, positions, colours, limit=limit)
    ready = (time.perf_counter() - start) * 1_000
    content = component.content(points, "", "map").encoded
    sent = len(content)
    times = _draw(chromium, content.decode())
    drawing = " | ".join(f"{times[name]:.1f}" for name in ("first", "frame", "hover"))
    return f"| {size:,} | {len(points['ids']):,} | {sent / 1_000:,.0f} | {ready:.0f} | {drawing} |"


def _library(size: int) -> tuple[pd.DataFrame, np.ndarray[Any, np.dtype[np.float32]], Colouring]:
    """Random positions, and names about as long as FMA's (17 letters a title, 13 an artist)."""
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz     "))

    def words(count: int, length: int) -> list[str]:
        return ["".join(row) for row in letters[rng.integers(len(letters), size=(count, length))]]

    artists = np.array(words(max(1, size // 7), 13))
    tracks = pd.DataFrame(
        {
            "track_id": [f"{i:06}" for i in range(size)],
            "title": words(size, 17),
            "artist": artists[rng.integers(len(artists), size=size)],
        }
    )
    colours = Colouring("Genre", [f"Genre {i}" for i in rng.integers(GENRES, size=size)])
    return tracks, rng.normal(size=(size, 2)).astype(np.float32), colours


def _draw(chromium: Browser, content: str) -> dict[str, float]:
    """Times in a browser, in milliseconds."""
    script = component.script().replace("export default function", "function drawMap")
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.set_content(PAGE.format(css=frontend.read("map.css"), js=script))
    page.wait_for_function("window.ready")
    times: dict[str, float] = page.evaluate(MEASURE, [content, FRAMES])
    page.close()
    return times


if __name__ == "__main__":
    main()
