from __future__ import annotations

import json

import numpy as np
import pytest

from soundalike.analysis.dimension_profile import Finding
from soundalike.features.track_descriptors import CLIP
from soundalike.ui import palette
from soundalike.ui.features import charts


def test_every_track_is_in_the_distribution() -> None:
    values = np.array([0, 0, 0, 1, 2, 5], np.float32)
    figure = charts.distribution(values, marked=2.0)
    awake, asleep = figure.data
    assert sum(awake.y) == 3
    assert list(asleep.y) == [3]
    assert asleep.x[0] < awake.x[0]
    assert figure.layout.shapes[0].x0 == 2.0


def test_a_feature_that_is_never_zero_has_no_bar_for_zero() -> None:
    figure = charts.distribution(np.array([-1, 2, 3], np.float32))
    assert len(figure.data) == 1
    assert not figure.layout.shapes


@pytest.mark.parametrize("values", [[0, 0, 0], [0, 0, 7], [4, 4, 4]])
def test_odd_distributions_are_drawn(values) -> None:
    figure = charts.distribution(np.array(values, np.float32))
    assert sum(sum(bar.y) for bar in figure.data) == 3


def test_genres_are_ordered_with_their_intervals() -> None:
    genres = ("Folk", "Jazz", "Rock")
    means, errors = np.array([2.0, 3.0, 1.0]), np.array([0.1, np.inf, 0.2])
    figure = charts.genre_profile(genres, means, errors, 2.0, palette.genre_styles(genres))
    (dots,) = figure.data
    assert list(dots.y) == ["Rock", "Folk", "Jazz"]
    assert list(dots.error_x.array) == pytest.approx([0.392, 0.196, 0.0])
    assert figure.layout.shapes[0].x0 == 2.0


def test_descriptors_stand_closest_on_top_with_their_intervals() -> None:
    findings = [Finding(CLIP[2], 0.6, 0.5, 0.7), Finding(CLIP[0], -0.1, -0.2, 0.05)]
    (bars,) = charts.descriptor_bars(findings).data
    assert list(bars.y) == [CLIP[0].name, CLIP[2].name]
    assert list(bars.error_x.array) == pytest.approx([0.15, 0.1])
    assert bars.marker.color[0] != bars.marker.color[1]


def test_figures_are_small_to_send() -> None:
    values = np.random.default_rng(0).uniform(size=8_000).astype(np.float32)
    figure = charts.distribution(values, 0.5)
    assert len(json.dumps(figure.to_plotly_json(), default=list)) < 20_000
