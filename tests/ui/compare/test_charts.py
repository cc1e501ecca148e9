"""The Compare page's figures, as data."""

from __future__ import annotations

import pandas as pd
import pytest

from soundalike.evaluation.agreement import Agreement
from soundalike.evaluation.listening_test import tally
from soundalike.ui.compare import charts

TITLES = {"a": "One", "b": "Two", "c": "Three"}


def test_bars_are_best_on_top_with_their_intervals() -> None:
    table = pd.DataFrame(
        {
            "name": ["a", "b"],
            "title": ["One", "Two"],
            "precision": [0.6, 0.4],
            "low": [0.5, 0.3],
            "high": [0.65, 0.5],
        }
    )
    figure = charts.precision_bars(table, 0.25, "b")
    bars = figure.data[0]
    assert list(bars.y) == ["Two", "One"]
    assert list(bars.error_x.array) == pytest.approx([0.1, 0.05])
    assert list(bars.error_x.arrayminus) == pytest.approx([0.1, 0.1])
    assert list(bars.marker.color) == [charts.OWN, charts.BAR]
    assert figure.layout.shapes[0].x0 == 0.25


def test_agreement_is_symmetric_with_nothing_on_the_diagonal() -> None:
    found = [Agreement("a", "b", 0.5, 0.6), Agreement("a", "c", 0.1, 0.1), Agreement("b", "c", 0.0, 0.0)]
    heat = charts.agreement_map(found, TITLES).data[0]
    assert list(heat.x) == list(heat.y) == ["One", "Two", "Three"]
    assert [list(row) for row in heat.z] == [[None, 0.5, 0.1], [0.5, None, 0.0], [0.1, 0.0, None]]


def test_votes_are_shares_with_wilsons_interval() -> None:
    tallies = [tally("a", "b", 8, 2, 1), tally("a", "c", 0, 0, 4)]
    figure = charts.vote_bars(tallies, TITLES)
    dots = figure.data[0]
    assert list(dots.y) == ["One vs. Two"]
    assert list(dots.x) == [0.8]
    assert dots.x[0] + dots.error_x.array[0] == pytest.approx(tallies[0].high)
    assert dots.x[0] - dots.error_x.arrayminus[0] == pytest.approx(tallies[0].low)
