"""One colour a genre, the same on every page, in light and in dark.

The colours follow Paul Tol's "muted" and "bright" qualitative schemes (2021, "Colour schemes",
SRON/EPS/TN/09-002), made to be told apart by colour-blind eyes, each a little lighter or darker where
it needs to be to show on a white and on a dark page. Where there are more genres than colours, the
marker changes as well; colour is never the only sign, a genre's name stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from soundalike.index import genre_groups
from soundalike.index.index import Index

COLOURS = (
    *("#CC6677", "#5E6AD2", "#C2A12B", "#2E9A63", "#4FA8DC"),
    *("#A8366A", "#3FA99B", "#8F8A2A", "#B04BA6", "#E07B39", "#9A6B4F", "#7488A8"),
)
MARKERS = ("circle", "diamond", "square", "triangle-up")


@dataclass(frozen=True)
class Style:
    """How a genre is drawn: colour (CSS) and marker (plotly's name)."""

    colour: str
    marker: str


def of(index: Index) -> dict[str, Style]:
    """A style for each genre that is shown by its own name; all others go without a colour."""
    return genre_styles(genre_groups.named(index))


def genre_styles(genres: Sequence[str]) -> dict[str, Style]:
    """A style for each genre, by its place in alphabetical order, so that it is always the same."""
    return {
        genre: Style(COLOURS[i % len(COLOURS)], MARKERS[i // len(COLOURS) % len(MARKERS)])
        for i, genre in enumerate(sorted(set(genres)))
    }
