"""The Features page's plotly figures, without Streamlit, so tests can check them as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from soundalike.analysis.dimension_profile import Finding
from soundalike.ui.figures import escaped, named_ticks, vertical
from soundalike.ui.palette import Style

BINS = 24
INTERVAL = 1.96
"""Half-width of a 95 % interval, in standard errors."""
_QUIET = "#8A8A8A"
_ACCENT = "#5E6AD2"


def distribution(
    values: NDArray[np.float32], marked: float | None = None, measure: str = "Activation"
) -> go.Figure:
    """Histogram of a dimension's values in the library.

    Tracks at exactly zero get a separate grey bar on the left.

    Parameters
    ----------
    values : activation of every track
    marked : the value of one clip, drawn as a line
    measure : what the values are called
    """
    awake = values[values != 0]
    counts, edges = np.histogram(awake, bins=BINS) if len(awake) else (np.zeros(0, int), np.zeros(1))
    width = float(edges[1] - edges[0]) if len(edges) > 1 else 1.0
    bars = [
        go.Bar(
            x=_middles(edges),
            y=counts.tolist(),
            width=width,
            marker_color=_ACCENT,
            customdata=[[a, b] for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)],
            hovertemplate="%{customdata[0]:.2f} to %{customdata[1]:.2f}: %{y} tracks<extra></extra>",
        )
    ]
    if len(awake) < len(values):
        bars.append(
            go.Bar(
                x=[min(0.0, float(edges[0])) if len(awake) and edges[0] < 0 else -width / 2],
                y=[len(values) - len(awake)],
                width=width,
                marker_color=_QUIET,
                hovertemplate="exactly 0: %{y} tracks<extra></extra>",
            )
        )
    line = {"color": "#E07B39", "width": 2, "dash": "dot"}
    return go.Figure(
        bars,
        layout=_layout(190)
        | {
            "shapes": [] if marked is None else [vertical(marked, line)],
            "xaxis": {"title": {"text": measure}, "fixedrange": True, "zeroline": False},
            # Logarithmic: otherwise a few tall bars would hide the rest.
            "yaxis": {"title": {"text": "Tracks"}, "fixedrange": True, "type": "log", "dtick": 1},
            "bargap": 0.05,
        },
    )


def genre_profile(
    genres: Sequence[str],
    means: NDArray[np.float64],
    errors: NDArray[np.float64],
    library_mean: float,
    styles: Mapping[str, Style],
) -> go.Figure:
    """Mean activation of each genre with its 95 % interval, highest on top, and the library's mean.

    Parameters
    ----------
    genres : names
    means, errors : of each; an infinite error is drawn without an interval
    library_mean : drawn as a line
    styles : of each genre
    """
    order = np.argsort(means)
    names = [genres[i] for i in order]
    reach = np.where(np.isfinite(errors), errors * INTERVAL, 0.0)[order]
    dots = go.Scatter(
        x=means[order].tolist(),
        y=escaped(names),
        mode="markers",
        marker={
            "color": [styles[name].colour for name in names],
            "symbol": [styles[name].marker for name in names],
            "size": 9,
        },
        error_x={"array": reach.tolist(), "color": _QUIET, "thickness": 1.5, "width": 4},
        customdata=reach.tolist(),
        hovertemplate="%{y}: %{x:.2f} ± %{customdata:.2f}<extra></extra>",
    )
    return go.Figure(
        dots,
        layout=_layout(24 * len(names) + 56)
        | {
            "shapes": [vertical(library_mean, {"color": _QUIET, "width": 1.5, "dash": "dash"})],
            "xaxis": {"title": {"text": "Mean"}, "fixedrange": True, "zeroline": False},
            "yaxis": {
                "automargin": True,
                "ticksuffix": "  ",
                "fixedrange": True,
                **named_ticks(names),
            },
        },
    )


def descriptor_bars(findings: Sequence[Finding]) -> go.Figure:
    """Correlation with each spectral descriptor and its 99 % interval, strongest on top."""
    shown = list(reversed(findings))
    return go.Figure(
        go.Bar(
            x=[finding.correlation for finding in shown],
            y=[finding.descriptor.name for finding in shown],
            orientation="h",
            marker_color=[_ACCENT if finding.telling else _QUIET for finding in shown],
            error_x={
                "array": [finding.high - finding.correlation for finding in shown],
                "arrayminus": [finding.correlation - finding.low for finding in shown],
                "color": _QUIET,
                "thickness": 1.5,
                "width": 4,
            },
            customdata=[[finding.low, finding.high] for finding in shown],
            hovertemplate=(
                "%{y}: r = %{x:.2f} (%{customdata[0]:.2f} to %{customdata[1]:.2f})<extra></extra>"
            ),
        ),
        layout=_layout(24 * len(shown) + 56)
        | {
            "bargap": 0.4,
            "xaxis": {
                "title": {"text": "Correlation"},
                "range": [-1, 1],
                "fixedrange": True,
                "dtick": 0.5,
            },
            "yaxis": {"automargin": True, "ticksuffix": "  ", "fixedrange": True, "dtick": 1},
        },
    )


def _middles(edges: NDArray[np.floating]) -> list[float]:
    middles: list[float] = ((edges[:-1] + edges[1:]) / 2).tolist()
    return middles


def _layout(height: int) -> dict[str, object]:
    return {
        "height": height,
        "margin": {"l": 0, "r": 8, "t": 6, "b": 0},
        "showlegend": False,
        "dragmode": False,
    }
