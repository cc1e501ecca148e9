"""Plotly figures. This module does not use Streamlit, so tests can check the figures as data."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from soundalike import foreign_text
from soundalike.ui.palette import Style

ACCENT, GUIDE = "#5E6AD2", "#8A8A8A"
LONGEST_NAME = 26
"""Characters of a name beside an axis; longer names would shrink the plot."""


def escaped(names: Iterable[str]) -> list[str]:
    """Names of any origin as categories: plotly reads a little HTML, links among it."""
    return [html.escape(name, quote=False) for name in names]


def named_ticks(names: Sequence[str]) -> dict[str, Any]:
    """Axis ticks for categories that are `escaped` names: truncated ones."""
    return {
        "tickmode": "array",
        "tickvals": escaped(names),
        "ticktext": escaped(map(_cut, names)),
    }


def vertical(x: float, line: Mapping[str, Any]) -> dict[str, Any]:
    """A vertical line over the whole height, for a layout's shapes (`add_vline` is slow)."""
    return {"type": "line", "x0": x, "x1": x, "xref": "x", "y0": 0, "y1": 1, "yref": "y domain"} | {
        "line": dict(line)
    }


def horizontal(y: float, line: Mapping[str, Any]) -> dict[str, Any]:
    """A horizontal line over the whole width, for a layout's shapes."""
    return {"type": "line", "x0": 0, "x1": 1, "xref": "x domain", "y0": y, "y1": y, "yref": "y"} | {
        "line": dict(line)
    }


def _cut(name: str) -> str:
    return foreign_text.shortened(name, LONGEST_NAME)


def genre_bars(genres: Mapping[str, float], styles: Mapping[str, Style]) -> go.Figure:
    """Predicted genres as horizontal bars, most likely on top.

    Parameters
    ----------
    genres : probabilities, 0 to 1
    styles : of each genre
    """
    ordered = sorted(genres.items(), key=lambda pair: pair[1])
    names = [name for name, _ in ordered]
    shares = [share for _, share in ordered]
    bars = go.Bar(
        x=shares,
        y=escaped(names),
        orientation="h",
        marker_color=[styles[name].colour for name in names],
        text=[f"{share:.0%}" for share in shares],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.1%}<extra></extra>",
    )
    return go.Figure(
        bars,
        layout={
            "height": 26 * len(names) + 16,
            "margin": {"l": 0, "r": 40, "t": 4, "b": 4},
            "bargap": 0.35,
            "showlegend": False,
            "dragmode": False,
            "xaxis": {
                "visible": False,
                "range": [0, max([*shares, 0.01]) * 1.02],
                "fixedrange": True,
            },
            "yaxis": {
                "automargin": True,
                "ticksuffix": "  ",
                "fixedrange": True,
                "showgrid": False,
                **named_ticks(names),
            },
        },
    )


def steps(angles: Sequence[float]) -> go.Figure:
    """The steps of a journey as bars in degrees, with the mean as a dashed line."""
    bars = go.Bar(
        x=list(range(1, len(angles) + 1)),
        y=list(angles),
        marker_color=ACCENT,
        hovertemplate="From track %{x} to the next: %{y:.1f}°<extra></extra>",
    )
    mean = sum(angles) / len(angles)
    return go.Figure(
        bars,
        layout={
            "height": 150,
            "margin": {"l": 0, "r": 8, "t": 8, "b": 4},
            "bargap": 0.25,
            "showlegend": False,
            "dragmode": False,
            "xaxis": {"title": "Step", "dtick": max(1, len(angles) // 12), "fixedrange": True},
            "yaxis": {"ticksuffix": "°", "rangemode": "tozero", "nticks": 4, "fixedrange": True},
            "shapes": [horizontal(mean, {"dash": "dash", "width": 1, "color": GUIDE})],
        },
    )
