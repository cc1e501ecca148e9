"""Charts that can be read, and a focus that can be seen."""

from __future__ import annotations

import pytest
from browsing import settled
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e

PALEST = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number)
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0)
  const app = document.querySelector("[data-testid=stApp]")
  const ground = light(numbers(getComputedStyle(app).backgroundColor))
  const labels = document.querySelectorAll(
    ".js-plotly-plot .xtick text, .js-plotly-plot .ytick text, .js-plotly-plot .xtitle")
  const contrasts = Array.from(labels, (label) => {
    const [dark, pale] = [light(numbers(getComputedStyle(label).fill)), ground].sort((a, b) => a - b)
    return (pale + 0.05) / (dark + 0.05)
  })
  return [contrasts.length, Math.min(...contrasts)]
}"""


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.sweep)])
def test_chart_labels_stand_out_and_links_show_their_focus(open_page, scheme) -> None:
    page = open_page("/?track=0235&kind=journey&to=0102", scheme=scheme)
    expect(page.locator(".js-plotly-plot .xtick text").first).to_be_visible()
    settled(page)
    count, palest = page.evaluate(PALEST)
    assert count > 5
    assert palest >= 4.5
    page.keyboard.press("Tab")
    for _ in range(10):
        focused = page.evaluate("() => document.activeElement.dataset.testid ?? ''")
        if focused == "stTopNavLink":
            break
        page.keyboard.press("Tab")
    style = page.evaluate(
        "() => { const s = getComputedStyle(document.activeElement);"
        " return [s.outlineStyle, parseFloat(s.outlineWidth)] }"
    )
    assert style == ["solid", 2]
