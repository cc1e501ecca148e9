"""How long from a click to new content?

    python benchmarks/interactions.py [--repeats N]

Serves the app, opens each page in a headless Chromium and does what a visitor does, none of which
needs a pass through the network. A time runs in the browser, from the event (the click, or the key
that chooses) to the frame in which the content has changed, so it holds the way to the server and
back, the server's work and the drawing. Each row is a kind of interaction: its median and greatest
over the repeats, after one that is not counted. "First" rows go to something that nobody has looked
at since the server was started; the others may be kept from before, as on a server that is in use.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import median
from typing import Literal

from playwright.sync_api import Page
from serving import browser, served

PATIENCE_MS = 60_000

STOPWATCH = """
() => {
  const roots = (root) => {
    const found = [root]
    for (const element of root.querySelectorAll("*"))
      if (element.shadowRoot) found.push(...roots(element.shadowRoot))
    return found
  }
  const describe = (e) => [e.textContent, e.value, e.getAttribute("aria-label"), e.ariaDescription]
  const keep = { start: 0, done: 0, roots: roots(document), frames: 0 }
  const text = (selector) => keep.roots
    .flatMap((root) => [...root.querySelectorAll(selector)].map((e) => describe(e).join("|")))
    .join("~")
  for (const kind of ["click", "keydown"])
    addEventListener(kind, (event) => {
      if (kind === "click" || event.key === "Enter" || event.key.startsWith("Arrow"))
        keep.start = performance.now()
    }, true)
  window.stopwatch = {
    watch(selector) {
      keep.roots = roots(document)
      const before = text(selector)
      keep.done = 0
      const look = () => {
        // Looking for new parts of the page takes time itself.
        if (keep.frames++ % 4 === 0) keep.roots = roots(document)
        const now = text(selector)
        if (now && now !== before) keep.done = performance.now()
        else requestAnimationFrame(look)
      }
      look()
    },
    done: () => keep.done > 0,
    time: () => keep.done - keep.start,
  }
}
"""

Act = Callable[[Page, int], None]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    print("| page | interaction | median, ms | greatest, ms |")
    print("|---|---|---:|---:|")
    with served() as server, browser() as chromium:
        for path, rows in INTERACTIONS.items():
            for name, selector, act in rows:
                context = chromium.new_context(viewport={"width": 1280, "height": 900})
                times = measure(context.new_page(), server.address + path, selector, act, repeats)
                context.close()
                page_name = path.split("?")[0].strip("/") or "recommend"
                print(
                    f"| {page_name} | {name} | {median(times):.0f} | {max(times):.0f} |",
                    flush=True,
                )


def measure(page: Page, address: str, selector: str, act: Act, repeats: int) -> list[float]:
    """Milliseconds from each of the acts to the change of what the selector finds."""
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address)
    page.locator(selector).first.wait_for(state="attached")
    page.wait_for_timeout(3_000)
    page.evaluate(STOPWATCH)
    times = []
    for repeat in range(repeats + 1):
        page.evaluate("(selector) => stopwatch.watch(selector)", selector)
        act(page, repeat)
        page.wait_for_function("() => stopwatch.done()", polling=100)
        times.append(page.evaluate("() => stopwatch.time()"))
        page.wait_for_timeout(700)
    return times[1:]


def button(name: str) -> Act:
    """Press a button, or one of a group of choices."""
    return lambda page, repeat: page.get_by_role("button", name=name, exact=True).first.click()


def alternate(role: Literal["radio", "button"], *names: str) -> Act:
    """Choose one after another of some choices."""
    return lambda page, repeat: page.get_by_role(role, name=names[repeat % len(names)]).first.click()


def tracks(label: str, first: int, box: str | None = None) -> Act:
    """Choose one track after another in a field, by typing its title."""

    def act(page: Page, repeat: int) -> None:
        field = page.get_by_role("combobox", name=label).first
        field.click()
        field.fill(_titles()[first + 7 * repeat])
        page.wait_for_timeout(400)
        page.keyboard.press("Enter")

    return act


def key(role: Literal["slider"], name: str, *pressed: str) -> Act:
    """Press a key on something, in turn."""

    def act(page: Page, repeat: int) -> None:
        target = page.get_by_role(role, name=name).first
        target.focus()
        page.keyboard.press(pressed[repeat % len(pressed)])

    return act


def walk(page: Page, repeat: int) -> None:
    """From the point that is looked at on the map to another, by keyboard."""
    page.locator("canvas.over").first.focus()
    here = page.locator(CARD).first.inner_text()
    for direction in ("Right", "Up", "Left", "Down") * 3:
        page.keyboard.press(f"Arrow{direction}")
        if page.locator(".tip b").inner_text() != here:
            break
    page.keyboard.press("Enter")


def search(page: Page, repeat: int) -> None:
    """Find something on the map."""
    field = page.get_by_role("textbox", name="Find")
    field.fill(("piano", "jazz", "blue", "rock")[repeat % 4])
    page.keyboard.press("Enter")


def cell(page: Page, repeat: int) -> None:
    """Choose a cell of the network's grid."""
    cells = page.get_by_role("group", name="The cells of channel").get_by_role("button")
    cells.nth(3 + 4 * repeat).click()


def colour(page: Page, repeat: int) -> None:
    """Colour the map by something else."""
    field = page.get_by_role("combobox", name="Colour by").first
    field.click()
    page.get_by_role("option").nth(1 + repeat % 2).click()


def _titles() -> list[str]:
    import pandas as pd

    from soundalike import paths

    titles = pd.read_csv(paths.LIBRARY / "tracks.csv")["title"].astype(str)
    alone = titles[~titles.duplicated(keep=False) & (titles.str.len() > 8)]
    return list(alone)


CARD = ".single .title"
ROWS = "tbody .title"
INTERACTIONS: dict[str, list[tuple[str, str, Act]]] = {
    "/": [
        ("another track, to its playlist", ROWS, tracks("Track", 5)),
        ("surprise me", ROWS, button("Surprise me")),
        ("compare by", ROWS, alternate("radio", "Picture only", "Genre only", "Article's method")),
        ("length", ROWS, key("slider", "Tracks", "ArrowRight", "ArrowLeft")),
    ],
    "/map": [
        ("a point, to its details", CARD, walk),
        ("search", "[data-testid=stCaptionContainer]", search),
        (
            "another representation",
            "canvas.over",
            alternate("radio", "Picture only", "Article's method"),
        ),
        ("two or three dimensions", "canvas.over", alternate("radio", "3-D", "2-D")),
    ],
    "/features?by=vgg_mel&dimension=3400": [
        ("first look at the next dimension", ".moment .title", button("Next")),
        ("a cell of the grid", ".moment .title", cell),
        ("first look at any dimension", ".moment .title", button("Surprise me")),
        ("what fires for another track", CARD, tracks("Track", 6)),
    ],
    "/anatomy?track=0102": [
        ("first look at another track", "figcaption .seen", tracks("Track", 8)),
        ("a track looked at before", "figcaption .seen", tracks("Track", 8)),
        (
            "first look at another front end",
            "figcaption .seen",
            alternate("button", "Bark bands", "Gammatone"),
        ),
    ],
}

if __name__ == "__main__":
    main()
