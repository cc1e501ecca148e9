"""Take the pictures in docs/pictures from the running app: `make pictures`.

    python scripts/pictures.py [NAME ...]

NAME is a page (recommend, map and so on) or tour; without one, all are taken, in about three minutes.
The app is served on a free port and a headless Chromium looks at it. Each page is taken in light and
dark, once nothing moves on it any more. The tour is an animated picture: a clip is dropped, its playlist
plays, "Why" plays both moments, and the map shows the clip.
What each picture was drawn from is written to docs/pictures/sources.json (see picture_sources.py).
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import picture_sources
from numpy.typing import NDArray
from picture_film import Film
from picture_sources import PICTURES, ROOT, TOUR
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, ViewportSize

sys.path.append(str(ROOT / "benchmarks"))
import serving
import uploads

WIDTH = 1280
TOUR_VIEWPORT: ViewportSize = {"width": WIDTH, "height": 860}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SPARE = 100
MARGIN = 4
"""Pixels above and below the end of a picture that are empty, at best."""
FAINT = 12
"""The least difference in brightness that counts as something to see."""
LARGE_BYTES = 200_000
QUALITIES = (96, 92, 88)
PATIENCE_MS = 120_000
STILL_MS = 400
"""A page is drawn once it has looked the same for so long."""
LOADING = ", ".join(
    f"[data-testid={name}]" for name in ("stSpinner", "stSkeleton", "stStatusWidget", "stToast")
)
WRONG = "[data-testid=stAlertContentError], [data-testid=stException]"
DRAWN = """() => document.fonts.status === "loaded" &&
  [...document.querySelectorAll("[data-testid=stPlotlyChart]")].every((chart) =>
    chart.querySelector(".main-svg"))"""
DROP_ZONE = "[data-testid=stFileUploaderDropzone]"
TO_TOP = """(node) => {
  document.querySelector("[data-testid=stMain]").scrollBy(0, node.getBoundingClientRect().top - 64)
}"""
PLAYED_S = 4
FROZEN = (
    "Object.defineProperty(HTMLMediaElement.prototype, 'currentTime', "
    f"{{ get: () => {PLAYED_S}, set() {{}} }})"
)
"""Players that stay where they are, for a picture that is the same each time."""
CLIP = "porch session.mp3"


def main() -> None:
    """Take the pictures that are asked for."""
    known = (*picture_sources.PAGES, TOUR)
    parser = argparse.ArgumentParser(
        description="Take the pictures in docs/pictures from the running app."
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; all by default"
    )
    names = parser.parse_args().names or list(known)
    if unknown := sorted(set(names) - set(known)):
        parser.error(f"no such picture: {', '.join(unknown)}")
    began = time.monotonic()
    with serving.served() as server, serving.browser() as browser:
        take_pages(browser, server.address, [name for name in names if name != TOUR])
        if TOUR in names:
            film_tour(browser, server.address)
    picture_sources.record(names)
    print(f"{time.monotonic() - began:.0f} s")


# --- a picture of each page -----------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """How a page is seen.

    Attributes
    ----------
    link : to the page, from the app's address
    there : what it shows once it is drawn
    act : what is done on it then
    top : what is scrolled to below the navigation; the page's beginning if empty
    height : of the window; the picture may be `SPARE` less, so that it ends where the page is empty
    """

    link: str
    there: str
    act: Callable[[Page], None] = lambda page: None
    top: str = ""
    height: int = 920


def play_first(page: Page) -> None:
    """Have the playlist play."""
    page.locator(".transport button.play").click()
    page.locator("tr.current").wait_for()


def play_clip(page: Page) -> None:
    """Have the clip play."""
    page.get_by_role("button", name="Play Meditation").click()


VIEWS = {
    "recommend": View("/", "tbody tr", play_first),
    "anatomy": View("/anatomy?track=0102", ".frame canvas", play_clip, "[data-testid=stMetric]", 1040),
    "map": View("/map", "[data-drawn]", height=1000),
    "features": View("/features", ".moment .picture img", height=940),
    "compare": View("/compare", ".columns .item", height=890),
    "about": View("/about?section=hearing", ".js-plotly-plot"),
}


def take_pages(browser: Browser, address: str, names: Sequence[str]) -> None:
    """Take pages' pictures, light and dark, of the same height."""
    heights: dict[str, int] = {}
    for scheme in SCHEMES:
        with browser.new_context(color_scheme=scheme) as context:
            context.set_default_timeout(PATIENCE_MS)
            context.add_init_script(FROZEN)
            for name in names:
                seen = look(context.new_page(), address, VIEWS[name])
                height = heights.setdefault(name, best_end(np.asarray(seen.convert("L"))))
                save(seen.crop((0, 0, seen.width, height)), PICTURES / f"{name}-{scheme}.webp")


def look(page: Page, address: str, view: View) -> Image.Image:
    """A page as it is once nothing moves on it any more."""
    page.set_viewport_size({"width": WIDTH, "height": view.height})
    page.goto(address + view.link)
    settle(page, view.there)
    view.act(page)
    if view.top:
        page.locator(view.top).first.evaluate(TO_TOP)
    page.mouse.move(WIDTH - 1, view.height - 1)
    seen = still(page)
    page.close()
    return Image.open(io.BytesIO(seen)).convert("RGB")


def settle(page: Page, there: str) -> None:
    """Wait until a page is drawn: its script has ended, and fonts and charts are there."""
    page.locator(there).first.wait_for()
    page.locator(serving.SETTLED).wait_for()
    page.wait_for_function("selector => !document.querySelector(selector)", arg=LOADING)
    page.wait_for_function(DRAWN)
    if page.locator(WRONG).count():
        sys.exit(f"{page.url} shows an error: {page.locator(WRONG).first.inner_text()}")


def still(page: Page) -> bytes:
    """A page's screenshot, once it has stopped to change."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    before = page.screenshot()
    while time.monotonic() < deadline:
        page.wait_for_timeout(STILL_MS)
        after = page.screenshot()
        if after == before:
            return after
        before = after
    sys.exit(f"{page.url} does not come to rest.")


def best_end(grey: NDArray[np.uint8]) -> int:
    """The height at which a picture is best cut off: where it is emptiest, and lowest of such places.

    Parameters
    ----------
    grey : brightness [shape=(height, width)]
    """
    shortest = len(grey) - SPARE
    edges = (np.abs(np.diff(grey.astype(int), axis=1)) > FAINT).sum(axis=1)
    around = np.convolve(edges, np.ones(2 * MARGIN + 1), mode="same")[shortest:-MARGIN]
    return int(shortest + len(around) - 1 - np.argmin(around[::-1]))


def save(picture: Image.Image, path: Path) -> None:
    """Write a picture without loss, or with as little as keeps it small."""
    picture.save(path, lossless=True, quality=80, method=6)
    for quality in QUALITIES:
        if path.stat().st_size > LARGE_BYTES:
            picture.save(path, quality=quality, method=6)
    report(path)


def report(path: Path) -> None:
    """Say what was taken."""
    print(f"{path.name}  {path.stat().st_size / 1000:.0f} kB", flush=True)


# --- the tour -------------------------------------------------------------------------------------


def film_tour(browser: Browser, address: str) -> None:
    """The way of a clip through the app, as an animated picture."""
    path = PICTURES / f"{TOUR}.webp"
    with (
        tempfile.TemporaryDirectory() as folder,
        browser.new_context(color_scheme="light", viewport=TOUR_VIEWPORT) as context,
    ):
        context.set_default_timeout(PATIENCE_MS)
        clip = Path(folder) / CLIP
        clip.write_bytes(uploads.upload(1)[1])
        film = Film(visit_first(context.new_page(), address))
        for scene in (drop, listen, ask_why, show_on_map):
            scene(film, clip)
        film.save(path)
    report(path)
    print(f"  {film.ms / 1000:.1f} s, {len(film.frames)} frames")


def visit_first(page: Page, address: str) -> Page:
    """See both pages of the tour once, so that nobody waits for them in the film."""
    for link, there in (("/map", "[data-drawn]"), ("/?from=upload", DROP_ZONE)):
        page.goto(address + link)
        settle(page, there)
        still(page)
    return page


def drop(film: Film, clip: Path) -> None:
    """Carry a file to the page and let go; its playlist comes."""
    film.carried = clip.name
    film.shoot(500)
    drop_into(film, film.page.locator(DROP_ZONE), clip)
    film.follow(0.3)
    film.page.locator("tbody tr").first.wait_for()
    film.follow(0.3)
    settle(film.page, ".word, [data-testid=stExpander]")
    film.shoot(700)


def drop_into(film: Film, zone: Locator, clip: Path) -> None:
    """Carry a file to where files are dropped, and let go."""
    film.carried = clip.name
    film.move(zone, 9)
    film.shoot(300)
    zone.locator("xpath=..").locator("input[type=file]").set_input_files(clip)
    film.carried = ""
    film.press()


def listen(film: Film, _: Path) -> None:
    """Play the playlist."""
    film.click(film.page.locator(".transport button.play"))
    film.page.locator("tr.current").wait_for()
    film.follow(3, faster=2.5)


def ask_why(film: Film, _: Path) -> None:
    """Ask why the first track is there, and hear both moments."""
    dialog = film.page.locator("[role=dialog]")
    film.click(film.page.locator("tbody tr").first.locator("button[title^=Why]"))
    dialog.locator("button.listen").wait_for()
    settle(film.page, "[role=dialog] .strip img")
    film.shoot(800)
    film.click(dialog.locator("button.listen"))
    for strip in dialog.locator(".strip").all():
        strip.and_(film.page.locator(".current")).wait_for()
        film.follow(3, faster=2.5)
    film.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    film.shoot(200)


def show_on_map(film: Film, clip: Path) -> None:
    """Go to the map, where the clip is too."""
    page = film.page
    film.click(page.locator("a[href$='/map']"))
    page.locator(".single .title", has_text=clip.name).wait_for()
    settle(page, "[data-drawn]")
    # The map moves to the clip.
    page.wait_for_timeout(3 * STILL_MS)
    film.move(page.locator(".single .title"))
    film.shoot(2600)


if __name__ == "__main__":
    main()
