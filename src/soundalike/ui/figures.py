"""Plotly figures; no Streamlit here, so that tests can look at them as data."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from soundalike.ui.palette import Style


def genre_bars(genres: Mapping[str, float], styles: Mapping[str, Style]) -> go.Figure:
    """Predicted genres as horizontal bars, likeliest on top.

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
        y=names,
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
            },
        },
    )
