"""One colour per genre, the same on every page, in light and dark mode.

The colours follow Paul Tol's colour-blind safe qualitative schemes "muted" and "bright" (2021, "Colour
schemes", SRON/EPS/TN/09-002). Some are slightly lighter or darker, to show on both white and dark pages.
If there are more genres than colours, the marker changes as well. Colour is never the only cue: the
genre's name is always shown beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from soundalike.analysis import genre_groups
from soundalike.index.index import Index

COLOURS = (
    *("#CC6677", "#5E6AD2", "#C2A12B", "#2E9A63", "#4FA8DC"),
    *("#A8366A", "#3FA99B", "#8F8A2A", "#B04BA6", "#E07B39", "#9A6B4F", "#7488A8"),
)
MARKERS = ("circle", "diamond", "square", "triangle-up")


@dataclass(frozen=True)
class Style:
    """A genre's colour (CSS) and marker (plotly's name)."""

    colour: str
    marker: str


def of(index: Index) -> dict[str, Style]:
    """A style for each genre that is shown by its own name; the others have no colour."""
    return genre_styles(genre_groups.named(index))


def genre_styles(genres: Sequence[str]) -> dict[str, Style]:
    """A style for each genre, assigned in alphabetical order and therefore stable."""
    return {
        genre: Style(COLOURS[i % len(COLOURS)], MARKERS[i // len(COLOURS) % len(MARKERS)])
        for i, genre in enumerate(sorted(set(genres)))
    }
