"""The Compare page's figures: precision with its interval, agreement, and votes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from soundalike.evaluation.agreement import Agreement
from soundalike.evaluation.listening_test import VoteCount
from soundalike.ui.figures import escaped, vertical

BAR, OWN, GUIDE = "#5E6AD2", "#2E9A63", "#8A8A8A"
_ROW = 30


def precision_bars(table: pd.DataFrame, chance: float, default: str) -> go.Figure:
    """Precision at 10 of each representation, with its 95 % interval; chance as a dashed line.

    Parameters
    ----------
    table : from `results.Report.table`
    chance : 0 to 1
    default : the representation to highlight
    """
    shown = table.iloc[::-1]
    bars = go.Bar(
        x=shown["precision"],
        y=escaped(shown["title"]),
        orientation="h",
        marker_color=[OWN if name == default else BAR for name in shown["name"]],
        error_x={
            "type": "data",
            "symmetric": False,
            "array": shown["high"] - shown["precision"],
            "arrayminus": shown["precision"] - shown["low"],
            "color": GUIDE,
            "thickness": 1.5,
            "width": 4,
        },
        customdata=shown[["low", "high"]],
        hovertemplate="%{y}: %{x:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f})<extra></extra>",
    )
    figure = go.Figure(
        bars,
        layout={
            "height": _ROW * len(shown) + 56,
            "margin": {"l": 0, "r": 12, "t": 8, "b": 40},
            "bargap": 0.35,
            "showlegend": False,
            "dragmode": False,
            "xaxis": {
                "title": "Precision at 10, artist filtered",
                "range": [0, min(1.0, float(shown["high"].max()) * 1.04)],
                "fixedrange": True,
                "tickformat": ".1f",
            },
            "yaxis": {"automargin": True, "ticksuffix": "  ", "fixedrange": True},
        },
    )
    figure.layout.shapes = [vertical(chance, {"dash": "dash", "color": GUIDE, "width": 1.5})]
    return figure


def agreement_map(agreements: Sequence[Agreement], titles: Mapping[str, str]) -> go.Figure:
    """A matrix of the share of tracks that each pair of playlists has in common."""
    names = list(dict.fromkeys(name for item in agreements for name in (item.first, item.second)))
    shares = {(item.first, item.second): item.overlap for item in agreements}
    values = [[None if a == b else shares.get((a, b), shares.get((b, a))) for a in names] for b in names]
    shown = [titles[name] for name in names]
    heat = go.Heatmap(
        z=values,
        x=shown,
        y=shown,
        zmin=0,
        zmax=1,
        colorscale=[[0, "#CDD2F5"], [1, "#3D48B8"]],
        showscale=False,
        xgap=2,
        ygap=2,
        texttemplate="%{z:.0%}",
        hovertemplate="%{y} and %{x}: %{z:.0%} in common<extra></extra>",
    )
    return go.Figure(
        heat,
        layout={
            "height": 52 * len(names) + 60,
            "margin": {"l": 0, "r": 0, "t": 8, "b": 8},
            "dragmode": False,
            "xaxis": {"fixedrange": True, "side": "bottom", "showgrid": False},
            "yaxis": {
                "fixedrange": True,
                "autorange": "reversed",
                "automargin": True,
                "showgrid": False,
            },
        },
    )


def vote_bars(tallies: Sequence[VoteCount], titles: Mapping[str, str]) -> go.Figure:
    """For each pair of representations, the share of votes for the first, with its interval."""
    shown = [item for item in tallies if item.share is not None][::-1]
    names = [f"{titles.get(i.first, i.first)} vs. {titles.get(i.second, i.second)}" for i in shown]
    shares = [float(item.share or 0.0) for item in shown]
    dots = go.Scatter(
        x=shares,
        y=names,
        mode="markers",
        marker={"size": 10, "color": BAR},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [item.high - share for item, share in zip(shown, shares, strict=True)],
            "arrayminus": [share - item.low for item, share in zip(shown, shares, strict=True)],
            "color": BAR,
            "thickness": 1.5,
            "width": 4,
        },
        customdata=[[item.for_first, item.for_second, item.same] for item in shown],
        hovertemplate="%{y}: %{x:.0%}<br>%{customdata[0]} to %{customdata[1]}, "
        "%{customdata[2]} equally alike<extra></extra>",
    )
    figure = go.Figure(
        dots,
        layout={
            "height": _ROW * len(shown) + 64,
            "margin": {"l": 0, "r": 12, "t": 8, "b": 40},
            "showlegend": False,
            "dragmode": False,
            "xaxis": {
                "title": "Share of votes for the first",
                "range": [0, 1],
                "tickformat": ".0%",
                "fixedrange": True,
            },
            "yaxis": {"automargin": True, "ticksuffix": "  ", "fixedrange": True},
        },
    )
    figure.layout.shapes = [vertical(0.5, {"dash": "dash", "color": GUIDE, "width": 1.5})]
    return figure
