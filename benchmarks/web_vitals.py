"""What a browser measures of each page: the web vitals, at a desk and on a slow phone.

    python benchmarks/web_vitals.py [--repeats 3] [--page NAME ...]

By the definitions of https://web.dev/articles/vitals: largest contentful paint (LCP) is when the largest
text or picture of a page appears; cumulative layout shift (CLS) the largest sum of shifts within five
seconds and gaps of one second; interaction to next paint (INP) here the slowest of four clicks. The
phone has a processor that is four times slower, and a line of 1.6 Mbit/s with 150 ms there and back; it
comes through a proxy, so that the server takes it for a visitor elsewhere.
Each page is opened in a new session with an empty cache. The table has the median of the repeats.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import dataclass

from playwright.sync_api import Browser, BrowserContext, Page
from serving import PATIENCE_MS, SETTLED, browser, served

PAGES = ("", "anatomy", "map", "features", "compare", "about")
OBSERVE = """
window.vitals = { lcp: 0, shifts: [], clicks: {} }
const observe = (type, take, more = {}) => {
  const observer = new PerformanceObserver((list) => list.getEntries().forEach(take))
  observer.observe({ type, buffered: true, ...more })
}
observe("largest-contentful-paint", (entry) => { vitals.lcp = entry.startTime })
observe("layout-shift", ({ hadRecentInput, startTime, value }) => {
  if (!hadRecentInput) vitals.shifts.push([startTime, value])
})
observe("event", (entry) => {
  const { interactionId: id, duration } = entry
  if (id) vitals.clicks[id] = Math.max(vitals.clicks[id] ?? 0, duration)
}, { durationThreshold: 16 })
"""
CLICKS = ("button.play", "[data-testid=stMain] [role=radio]", "button.play")
REST_MS = 1_500
ELSEWHERE = "203.0.113.9"
"""An address that is kept for examples (RFC 5737)."""


@dataclass(frozen=True)
class Device:
    """A device to open the pages on."""

    name: str
    width: int
    height: int
    slower: float = 1
    kilobits: float = 0
    delay_ms: float = 0


DEVICES = (
    Device("desk", 1280, 800),
    Device("slow phone", 390, 844, slower=4, kilobits=1_600, delay_ms=150),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3, help="times that each page is opened (3)")
    parser.add_argument("--page", nargs="+", choices=["recommend", *PAGES[1:]], help="pages (all)")
    options = parser.parse_args()
    repeats = options.repeats
    print("| page | device | LCP, s | CLS | INP, ms |\n|---|---|---:|---:|---:|")
    with served() as server, browser() as chromium:
        _measure(chromium, server.address, DEVICES[0])  # the server's own first time
        for page in PAGES:
            if options.page and (page or "recommend") not in options.page:
                continue
            for device in DEVICES:
                found = [_measure(chromium, f"{server.address}/{page}", device) for _ in range(repeats)]
                lcp, cls, inp = (statistics.median(values) for values in zip(*found, strict=True))
                name = page.capitalize() or "Recommend"
                print(f"| {name} | {device.name} | {lcp:.1f} | {cls:.3f} | {inp:.0f} |", flush=True)


def _measure(chromium: Browser, address: str, device: Device) -> tuple[float, float, float]:
    context = chromium.new_context(
        viewport={"width": device.width, "height": device.height},
        has_touch=device.slower > 1,
        color_scheme="light",
    )
    try:
        return _vitals(_open(context, address, device))
    finally:
        context.close()


def _open(context: BrowserContext, address: str, device: Device) -> Page:
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(OBSERVE)
    if device.slower > 1:
        context.set_extra_http_headers({"X-Forwarded-For": ELSEWHERE})
        session = context.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": device.slower})
        bytes_a_second = device.kilobits * 1000 / 8
        conditions = {
            "offline": False,
            "latency": device.delay_ms,
            "downloadThroughput": bytes_a_second,
            "uploadThroughput": bytes_a_second,
        }
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", conditions)
    page.goto(address)
    page.wait_for_selector(SETTLED)
    page.wait_for_selector("html[data-settled]", state="attached")
    page.wait_for_timeout(REST_MS)
    return page


def _vitals(page: Page) -> tuple[float, float, float]:
    """LCP in seconds, CLS, and INP in milliseconds."""
    lcp = page.evaluate("vitals.lcp") / 1000
    for selector in CLICKS:
        target = page.locator(selector).locator("visible=true").last
        if target.count():
            target.click(force=True)
            page.wait_for_timeout(REST_MS)
    page.get_by_role("link", name="About", exact=True).last.click()
    page.wait_for_timeout(REST_MS)
    clicks = page.evaluate("Object.values(vitals.clicks)")
    return lcp, _largest_window(page.evaluate("vitals.shifts")), max(clicks, default=0.0)


def _largest_window(shifts: list[tuple[float, float]]) -> float:
    """The largest sum of shifts in a window of five seconds without a gap of one."""
    largest = total = 0.0
    start = last = float("-inf")
    for time, value in shifts:
        if time - last > 1_000 or time - start > 5_000:
            start, total = time, 0.0
        total, last = total + value, time
        largest = max(largest, total)
    return largest


if __name__ == "__main__":
    main()
