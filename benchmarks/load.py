"""Load test: correct answers, response times and errors with many users at once.

    python benchmarks/load.py [--sessions N] [--minutes M] [--tabs] [--json]

Each user uploads a unique clip, reads its playlist, views three other pages with pauses of some seconds,
returns and uploads the next. Before, the playlists for the same clips are computed alone; a playlist
with other tracks is a mixed-up result. Every alert, every script error and every console error of a
page counts as an error.

Each user has a simulated remote browser (`distant`). A page change is timed from the request until the
page's main part arrives, and until the end of the response. Then one visitor sends a hundred clips to a
new server, each as soon as the playlist of the one before is there, and others come one by one with
their first clip, which is compared with a first clip while nobody else is there.

With `--tabs`, each user is a tab of one headless Chromium instead, in its own context. A page change is
timed from the click to the frame that shows the new page's heading and main part. These tabs render on
the server's processors, unlike those of real users, and their times reflect that, although the tabs run
at the lowest priority that the system offers.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.synchronize import Event as EventType
from statistics import median

import uploads
from distant import Distant, Seen, Wire
from figures import Figure, parser, percentile, show
from playwright.async_api import Page, async_playwright
from serving import FLAGS, SETTLED, installed, served

BAR_MS, UPLOAD_BAR_S = 250, 2.5
HUNDRED = 100
FIRSTS = 8
"""Number of other visitors' first clips, alone and beside the hundred."""
PATIENCE_MS = 300_000
THINK_S = (2.0, 5.0)
READY_S = 20
"""Time for a server to load the networks after its first user, before the load starts."""
LOOKED_AT = 3
ROWS = 10
PAGES = {
    "Anatomy": ("See inside the sound", "figcaption"),
    "Map": ("Walk through the music", "canvas.over"),
    "Features": ("What each dimension responds to", ".moment .title"),
    "Compare": ("Compare the methods", ".columns .title, .column .title"),
    "About": ("How it works", "h2"),
    "Recommend": ("Hear what sounds alike", "tbody .title, [data-testid=stFileUploader]"),
}
"""Heading of each page, and a selector that shows that its main part is drawn."""
QUEUED = re.compile(r"(\d+) clips? ahead of yours")

LOOK = """
() => {
  const texts = (root, what) => [...root.querySelectorAll(what)].map((element) => element.innerText)
  const inside = [...document.querySelectorAll("*")].map((element) => element.shadowRoot).filter(Boolean)
  return {
    status: texts(document, "[data-testid=stMain] details").join(),
    alerts: texts(document, "[data-testid=stException], [data-testid=stAlertContentError]"),
    title: inside.flatMap((root) => texts(root, ".single .title"))[0],
    listed: inside.some((root) => root.querySelector("tbody .title")),
  }
}
"""
"""State of a page: the steps of an upload, errors, and the clip of the query."""
LOOK_S = 0.5

STOPWATCH = """
() => {
  addEventListener("click", () => { window.clicked = performance.now() }, true)
  const roots = (root) => [root, ...[...root.querySelectorAll("*")]
    .filter((element) => element.shadowRoot).flatMap((element) => roots(element.shadowRoot))]
  window.drawn = ([title, part]) => new Promise((done) => {
    const look = () => {
      const heading = document.querySelector("h1")
      if (heading?.textContent.trim() === title && roots(document).some((r) => r.querySelector(part)))
        done(performance.now() - window.clicked)
      else requestAnimationFrame(look)
    }
    look()
  })
}
"""


class Visitor:
    """One user session."""

    def __init__(self, number: int, page: Page, expected: Sequence[list[str]], log: Seen) -> None:
        self.number, self.page, self.expected, self.log = number, page, expected, log
        self.chance = random.Random(number)
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: log.problems.append(f"script: {error}"))
        page.on("console", self._console)

    async def stay(self, address: str, clips: Sequence[int], until: float) -> None:
        """Upload and look around until the time is over."""
        await self.page.goto(address)
        await self.page.evaluate(STOPWATCH)
        turn = 0
        while time.monotonic() < until:
            await self.ask(clips[turn % len(clips)])
            turn += 1
            for name in self.chance.sample(list(PAGES)[:-1], LOOKED_AT):
                await self.think()
                await self.go(name)
            await self.think()
            await self.go("Recommend")

    async def ask(self, clip: int) -> None:
        """Upload a clip, wait for its playlist, and compare it with the expected one."""
        await self.page.get_by_text("Upload", exact=True).first.click()
        name, content = uploads.upload(clip)
        chooser = self.page.locator("input[type=file]").first
        await chooser.wait_for(state="attached")
        begun = time.monotonic()
        await chooser.set_input_files({"name": name, "mimeType": "audio/mpeg", "buffer": content})
        while True:
            seen = await self.page.evaluate(LOOK)
            self.log.queued.extend(int(place) for place in QUEUED.findall(seen["status"]))
            self.log.problems.extend(f"shown: {text}" for text in seen["alerts"])
            if seen["title"] == name and seen["listed"]:
                break
            if time.monotonic() - begun > PATIENCE_MS / 1_000:
                self.log.problems.append(f"no answer to {name}")
                return
            await asyncio.sleep(LOOK_S)
        self.log.upload_s.append(time.monotonic() - begun)
        await self.page.locator(SETTLED).wait_for()
        shown = await self.page.locator("tbody .title").all_inner_texts()
        if sorted(shown) != sorted(self.expected[clip]):
            self.log.mixed_up.append(f"{name}: {shown} in place of {self.expected[clip]}")

    async def go(self, name: str) -> None:
        """Change to a page, and record the time."""
        await self.page.get_by_role("link", name=name, exact=True).first.click()
        self.log.page_ms.append(await self.page.evaluate("(wanted) => drawn(wanted)", PAGES[name]))
        await self.page.locator(SETTLED).wait_for()
        seen = await self.page.evaluate(LOOK)
        self.log.problems.extend(f"shown: {text}" for text in seen["alerts"])

    async def think(self) -> None:
        """Pause like a user."""
        await asyncio.sleep(self.chance.uniform(*THINK_S))

    def _console(self, message: object) -> None:
        # On a page's own URL, Streamlit first looks for its server below it, and gets a 404.
        where = str((getattr(message, "location", None) or {}).get("url", ""))
        if getattr(message, "type", "") == "error" and "/_stcore/" not in where:
            self.log.problems.append(f"console: {getattr(message, 'text', '')} {where}")


def main() -> None:
    """Print the figures."""
    options = parser(__doc__)
    options.add_argument("--sessions", type=int, default=20)
    options.add_argument("--minutes", type=float, default=5.0)
    options.add_argument("--clips", type=int, default=4, help="for each session; asked again in turn")
    options.add_argument("--tabs", action="store_true", help="in tabs on this machine")
    chosen = options.parse_args()
    expected, seconds = alone(chosen.sessions * chosen.clips), chosen.minutes * 60
    first: list[Figure] = []
    with served() as server:
        ready(server.address)
        load = crowd_in_tabs if chosen.tabs else crowd_elsewhere
        seen = load(server.address, chosen.sessions, seconds, expected)
    if not chosen.tabs:
        with served() as server:
            ready(server.address)
            first = beside_a_hundred(server.address)
    show([*figures(seen, chosen.tabs), *first], chosen.json)
    for problem in [*seen.problems, *seen.mixed_up][:20]:
        print(problem, file=sys.stderr)


def ready(address: str) -> None:
    """Visit a server and wait until it has loaded the networks."""
    with Wire(address) as first:
        first.run("")
        time.sleep(READY_S)


def give_way() -> None:
    """Run this process and its children only when the server is idle (SCHED_IDLE).

    A nice value isn't enough: Chromium sets its own for its processes. If the system first divides
    processors between sessions (Linux's autogroup), Chromium still gets half of them.
    """
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def crowd_in_tabs(address: str, sessions: int, seconds: float, expected: Sequence[list[str]]) -> Seen:
    """Observations of users with local browsers."""
    with ProcessPoolExecutor(1, get_context("spawn"), give_way) as aside:
        return aside.submit(_in_tabs, address, sessions, seconds, expected).result()


def _in_tabs(address: str, sessions: int, seconds: float, expected: Sequence[list[str]]) -> Seen:
    seen = Seen()
    asyncio.run(crowd(address, sessions, seconds, expected, seen))
    return seen


def crowd_elsewhere(address: str, sessions: int, seconds: float, expected: Sequence[list[str]]) -> Seen:
    """Observations of users with remote browsers."""
    visitors = [
        Distant(address, number, THINK_S, clips_of(number, sessions, expected), expected)
        for number in range(sessions)
    ]
    for visitor in visitors:
        visitor.start()
    time.sleep(seconds)
    for visitor in visitors:
        visitor.stop()
    together = Seen()
    for visitor in visitors:
        visitor.join(PATIENCE_MS / 1_000)
        together.add(visitor.seen)
    return together


def beside_a_hundred(address: str) -> list[Figure]:
    """A visitor's first clip, alone and beside one visitor's hundred."""
    numbers = iter(range(10 * HUNDRED, 11 * HUNDRED))
    alone_s = [first_clip(address, next(numbers)) for _ in range(FIRSTS)]
    spawned = get_context("spawn")
    started = spawned.Event()
    busy = spawned.Process(target=send_a_hundred, args=[address, started], daemon=True)
    busy.start()
    started.wait()
    beside_s: list[float] = []
    while len(beside_s) < FIRSTS and busy.is_alive():
        beside_s.append(first_clip(address, next(numbers)))
        time.sleep(random.uniform(*THINK_S))
    busy.terminate()
    busy.join()
    name = "a first upload to playlist beside one visitor's hundred"
    return [
        Figure(f"{name}, greatest", round(max(beside_s), 2), "s", UPLOAD_BAR_S),
        Figure(f"{name}, median", round(median(beside_s), 2), "s"),
        Figure("the same alone", round(median(alone_s), 2), "s"),
    ]


def send_a_hundred(address: str, started: EventType) -> None:
    """Send clips in one session, without a pause."""
    clips = [uploads.upload(number) for number in range(2 * HUNDRED, 3 * HUNDRED)]
    with Wire(address) as wire:
        wire.run("", "from=upload")
        for clip in clips:
            wire.upload(*clip)
            started.set()


def first_clip(address: str, number: int) -> float:
    """Seconds from a new session's first clip to its playlist."""
    clip = uploads.upload(number)
    with Wire(address) as wire:
        wire.run("", "from=upload")
        answer = wire.upload(*clip)
    return next(part.seconds for part in answer if part.component.get("kind") == "table")


async def crowd(
    address: str, sessions: int, seconds: float, expected: Sequence[list[str]], log: Seen
) -> None:
    """All sessions at once; an early end of one is recorded as an error."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=installed(), args=FLAGS)
        until = time.monotonic() + seconds

        async def stay(number: int) -> None:
            context = await chromium.new_context(viewport={"width": 1280, "height": 900})
            visitor = Visitor(number, await context.new_page(), expected, log)
            try:
                await visitor.stay(address, clips_of(number, sessions, expected), until)
            except Exception as error:  # noqa: BLE001
                log.problems.append(f"session {number}: {error}")
            await context.close()

        await asyncio.gather(*map(stay, range(sessions)))
        await chromium.close()


def clips_of(number: int, sessions: int, expected: Sequence[list[str]]) -> range:
    """Numbers of the clips that a session uploads."""
    count = len(expected) // sessions
    return range(number * count, (number + 1) * count)


def alone(count: int) -> list[list[str]]:
    """Titles of each clip's playlist, computed one after the other."""
    from soundalike import paths, representations
    from soundalike.index import index
    from soundalike.models import ModelStore
    from soundalike.playlist import playlist, query
    from soundalike.playlist.blend import Seed
    from soundalike.playlist.playlist import Recipe

    opened, models = index.load(paths.BUNDLED_INDEX), ModelStore()
    recipe = Recipe(representations.default(opened.names), ROWS)
    found = []
    for number in range(count):
        # As on the page before a visitor opens the genres.
        first = query.embed_query(uploads.upload(number)[1], opened, models)
        asked = query.look_closer(first, opened, models)
        listed = playlist.make_playlist(opened, [Seed(asked)], recipe)
        found.append([str(opened.fact("title", entry.row)) for entry in listed.entries])
    return found


def figures(seen: Seen, in_tabs: bool) -> list[Figure]:
    """Figures of a load."""
    if not seen.upload_s:
        sys.exit("No session got as far as a playlist: " + "; ".join(seen.problems[:5]))
    whose = "in tabs on the server's own processors" if in_tabs else "for visitors elsewhere"
    bars = (None, None) if in_tabs else (BAR_MS, UPLOAD_BAR_S)
    return [
        *times(seen, whose, *bars),
        Figure(f"errors under load, {whose}", len(seen.problems), "", 0),
        Figure(f"mixed-up results under load, {whose}", len(seen.mixed_up), "", 0),
    ]


def times(seen: Seen, whose: str, page_bar_ms: float | None, upload_bar_s: float | None) -> list[Figure]:
    """Response times of a load."""
    pages, uploaded = seen.page_ms, seen.upload_s
    return [
        Figure(
            f"page change under load, {whose}, 95th percentile",
            round(percentile(pages, 0.95)),
            "ms",
            page_bar_ms,
        ),
        Figure("the same, median", round(median(pages)), "ms"),
        *whole_pages(seen),
        Figure("page changes", len(pages), ""),
        Figure(f"upload to playlist under load, {whose}, median", round(median(uploaded), 1), "s"),
        Figure(
            f"upload to playlist under load, {whose}, 95th percentile",
            round(percentile(uploaded, 0.95), 1),
            "s",
            upload_bar_s,
        ),
        Figure("uploads", len(uploaded), ""),
        Figure("greatest place in the queue shown", max(seen.queued, default=0), ""),
    ]


def whole_pages(seen: Seen) -> list[Figure]:
    """Times to the end of the response, where they are known."""
    if not seen.whole_page_ms:
        return []
    late, middle = percentile(seen.whole_page_ms, 0.95), median(seen.whole_page_ms)
    return [
        Figure("until the whole page, 95th percentile", round(late), "ms"),
        Figure("until the whole page, median", round(middle), "ms"),
    ]


if __name__ == "__main__":
    main()
