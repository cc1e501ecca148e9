"""Time from `streamlit run app.py` to the first page with a playlist, and what the page weighs.

    python benchmarks/cold_start.py [--repeats N] [--json]

Each repeat starts a new server and, as soon as it responds, opens its first page in a running headless
Chromium, in a context without a cache. The time ends with the first frame that shows the playlist's ten
rows. A server of an empty script is started in turn with it, and their times until they respond are
compared. A warm-up start fills the system's file caches and isn't counted. Two parts of the time are the
browser's own: opening a tab, and what its main thread works (scripts, layout, painting; Chromium's
`TaskDuration`). The page's weight is what came over the network beside Streamlit's own files.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from figures import Figure, parser, show
from playwright.sync_api import Browser
from serving import browser, served

BAR_S, ANSWER_BAR_S, PAGE_BAR_KB = 1.5, 0.15, 350
ROWS = 10
STREAMLITS = ("/static/", "/_stcore/", "/favicon")
DRAWN = """
(rows) => {
  const hosts = [...document.querySelectorAll("*")].filter((element) => element.shadowRoot)
  const roots = [document, ...hosts.map((host) => host.shadowRoot)]
  return roots.some((root) => root.querySelectorAll("tbody .title").length === rows)
}
"""


@dataclass(frozen=True)
class Start:
    """A start of the server.

    Attributes
    ----------
    answered, drawn : seconds from the command until the server responds and the playlist is drawn
    opening, working : of these, seconds in which the browser opens a tab, and its main thread works
    kilobytes : the page's weight
    """

    answered: float
    drawn: float
    opening: float
    working: float
    kilobytes: float


def main() -> None:
    """Print the figures."""
    options = parser(__doc__)
    options.add_argument("--repeats", type=int, default=7)
    chosen = options.parse_args()
    with browser() as chromium:
        pairs = [(empty(), once(chromium)) for _ in range(chosen.repeats + 1)][1:]
    drawn = [start.drawn for _, start in pairs]
    later = median(start.answered - alone for alone, start in pairs)
    answered = median(start.answered for _, start in pairs)
    opening = median(start.opening for _, start in pairs)
    working = median(start.working for _, start in pairs)
    weight = median(start.kilobytes for _, start in pairs)
    show(
        [
            Figure("cold start to the first playlist, median", round(median(drawn), 2), "s", BAR_S),
            Figure("cold start to the first playlist, greatest", round(max(drawn), 2), "s"),
            Figure("cold start until the server answers, median", round(answered, 2), "s"),
            Figure("the same, later than that of an empty script", round(later, 2), "s", ANSWER_BAR_S),
            Figure("of the cold start, the browser opens a tab", round(opening, 2), "s"),
            Figure("of the cold start, the browser's main thread works", round(working, 2), "s"),
            Figure("first page, beside Streamlit's own files", round(weight), "kB", PAGE_BAR_KB),
        ],
        chosen.json,
    )


def empty() -> float:
    """Seconds until the server of an empty script responds."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "empty.py"
        script.touch()
        with served(script) as server:
            return time.monotonic() - server.started


def once(chromium: Browser) -> Start:
    """Start a server and open its first page."""
    with served() as server:
        answered = time.monotonic() - server.started
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        received: list[int] = []
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        network.send("Performance.enable")
        ours: set[str] = set()

        def on_response(event: dict[str, Any]) -> None:
            if not any(part in event["response"]["url"] for part in STREAMLITS):
                ours.add(event["requestId"])

        def on_end(event: dict[str, Any]) -> None:
            if event["requestId"] in ours:
                received.append(int(event["encodedDataLength"]))

        def on_message(event: dict[str, Any]) -> None:
            text = event["response"]["payloadData"]
            received.append(len(text) * 3 // 4 if event["response"]["opcode"] == 2 else len(text))

        network.on("Network.responseReceived", on_response)
        network.on("Network.loadingFinished", on_end)
        network.on("Network.webSocketFrameReceived", on_message)
        opened = time.monotonic() - server.started
        page.goto(server.address, wait_until="commit")
        page.wait_for_function(DRAWN, arg=ROWS, polling="raf", timeout=60_000)
        drawn = time.monotonic() - server.started
        metrics = network.send("Performance.getMetrics")["metrics"]
        (working,) = (item["value"] for item in metrics if item["name"] == "TaskDuration")
        page.wait_for_timeout(500)
        context.close()
    return Start(answered, drawn, opened - answered, working, sum(received) / 1_000)


if __name__ == "__main__":
    main()
