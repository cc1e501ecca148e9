"""The join link: its address, and a QR code that says the same."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
import segno

from soundalike.ui.present import link


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What the presenter's browser says of itself; a test can change it."""
    context = SimpleNamespace(url="http://192.168.1.5:8501/compare")
    monkeypatch.setattr(link, "st", SimpleNamespace(context=context))
    monkeypatch.delenv(link.VARIABLE, raising=False)
    return context


def test_the_link_has_the_address_in_the_browser(browser: SimpleNamespace) -> None:
    expected = "http://192.168.1.5:8501/compare?room=abc234"
    assert link.join_link({"room": "abc234"}) == expected
    browser.url = "https://music.example.org/base/compare/"
    found = link.join_link({"room": "abc234", "library": "My music"})
    assert found == "https://music.example.org/base/compare?room=abc234&library=My+music"


@pytest.mark.parametrize("url", [None, "", "javascript:alert(1)", "http://me:pw@host/", "http://a b/"])
def test_what_is_no_address_makes_no_link(browser: SimpleNamespace, url: str | None) -> None:
    browser.url = url
    assert link.join_link({"room": "abc234"}) == ""


def test_the_operator_s_address_comes_first(
    browser: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(link.VARIABLE, "https://music.example.org/")
    assert link.join_link({"room": "a"}) == "https://music.example.org/compare?room=a"
    monkeypatch.setenv(link.VARIABLE, "music.example.org")
    assert link.join_link({"room": "a"}) == f"{browser.url}?room=a"


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("http://localhost:8501/compare?room=a", True),
        ("http://127.0.0.1/compare", True),
        ("http://[::1]:8501/compare", True),
        ("http://192.168.1.5:8501/compare", False),
        ("https://localhost.example.org/compare", False),
    ],
)
def test_a_link_to_this_computer_is_recognised(address: str, local: bool) -> None:
    assert link.is_loopback(address) is local


def modules(svg: str) -> list[list[bool]]:
    """The dark modules that an SVG of segno's draws: its path has a line for each run of them."""
    size = int(re.search(r'viewBox="0 0 (\d+) ', svg)[1])  # type: ignore[index]
    drawn = [[False] * size for _ in range(size)]
    x, y = 0, 0.0
    (path,) = re.findall(r'<path class="qrline" stroke="#000" d="([^"]+)"', svg)
    for kind, numbers in re.findall(r"([Mmh])([-\d. ]+)", path):
        values = [float(value) for value in numbers.split()]
        if kind == "h":
            for place in range(int(values[0])):
                drawn[int(y)][x + place] = True
            x += int(values[0])
        else:
            x, y = (0, 0.0) if kind == "M" else (x, y)
            x, y = x + int(values[0]), y + values[1]
    return drawn


def test_the_code_says_what_the_link_says() -> None:
    address = "http://192.168.1.5:8501/compare?room=abc234"
    expected = segno.make_qr(address, error="m").matrix_iter(border=4)
    assert modules(link.qr_code(address)) == [[bool(value) for value in row] for row in expected]
    assert modules(link.qr_code(f"{address}5")) != modules(link.qr_code(address))
