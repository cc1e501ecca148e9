"""Text is legible on every background of the themes."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path

import pytest

from soundalike.ui import frontend

CONFIG = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"
LEAST = 4.5
"""Contrast of text, by WCAG 2.2, level AA."""


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour such as #0A0C16, by WCAG."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_of_known_pairs() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_text_stands_out(name: str) -> None:
    theme = tomllib.loads(CONFIG.read_text("utf-8"))["theme"][name]
    backgrounds = (theme["backgroundColor"], theme["secondaryBackgroundColor"])
    for text, ground in itertools.product((theme["textColor"], theme["primaryColor"]), backgrounds):
        assert contrast(text, ground) >= LEAST, (text, ground)


def test_labels_of_charts_have_the_colour_of_text() -> None:
    rule = re.search(r"\.xtick text.*?\{(.*?)\}", frontend.read("app.css"), re.DOTALL)
    assert rule is not None
    assert rule[1].strip() == "fill: currentColor !important;"
