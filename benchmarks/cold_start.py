"""Time from `streamlit run app.py` to the first page with a playlist.

    python benchmarks/cold_start.py [--repeats N] [--json]

Each repeat starts a new server and, as soon as it responds, opens its first page in a running headless
Chromium, in a context without a cache. The time ends with the first frame that shows the playlist's ten
rows. A warm-up start fills the system's file caches and isn't counted. Besides the median, we report the
time until the server responds, and the slowest repeat.
"""

from __future__ import annotations

import time
from statistics import median

from figures import Figure, parser, show
from playwright.sync_api import Browser
from serving import browser, served

BAR_S = 3.0
ROWS = 10
DRAWN = """
(rows) => {
  const hosts = [...document.querySelectorAll("*")].filter((element) => element.shadowRoot)
  const roots = [document, ...hosts.map((host) => host.shadowRoot)]
  return roots.some((root) => root.querySelectorAll("tbody .title").length === rows)
}
"""


def main() -> None:
    """Print the figures."""
    options = parser(__doc__)
    options.add_argument("--repeats", type=int, default=7)
    chosen = options.parse_args()
    with browser() as chromium:
        times = [once(chromium) for _ in range(chosen.repeats + 1)][1:]
    answered, drawn = ([pair[place] for pair in times] for place in (0, 1))
    show(
        [
            Figure("cold start to the first playlist, median", round(median(drawn), 2), "s", BAR_S),
            Figure("cold start to the first playlist, greatest", round(max(drawn), 2), "s"),
            Figure("cold start until the server answers, median", round(median(answered), 2), "s"),
        ],
        chosen.json,
    )


def once(chromium: Browser) -> tuple[float, float]:
    """Seconds from the command until the server responds, and until the playlist is drawn."""
    with served() as server:
        answered = time.monotonic() - server.started
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(server.address, wait_until="commit")
        page.wait_for_function(DRAWN, arg=ROWS, polling="raf", timeout=60_000)
        drawn = time.monotonic() - server.started
        context.close()
    return answered, drawn


if __name__ == "__main__":
    main()
