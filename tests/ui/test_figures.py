from __future__ import annotations

import json

import pytest

from soundalike.ui import figures, palette

GENRES = {"Rock": 0.6, "Jazz": 0.3, "Folk": 0.1}


def test_bars_are_likeliest_on_top_with_their_shares() -> None:
    bars = figures.genre_bars(GENRES, palette.genre_styles(list(GENRES))).data[0]
    assert list(bars.y) == ["Folk", "Jazz", "Rock"]
    assert list(bars.text) == ["10%", "30%", "60%"]


def test_bars_take_each_genre_s_colour() -> None:
    styles = palette.genre_styles(list(GENRES))
    bars = figures.genre_bars(GENRES, styles).data[0]
    assert list(bars.marker.color) == [styles[name].colour for name in bars.y]


def test_bars_are_small_to_send() -> None:
    figure = figures.genre_bars(GENRES, palette.genre_styles(list(GENRES)))
    assert len(json.dumps(figure.to_plotly_json(), default=list)) < 10_000


def test_every_genre_has_a_style_of_its_own() -> None:
    styles = palette.genre_styles([f"genre {i}" for i in range(36)])
    assert len(set(styles.values())) == 36


def test_a_genre_s_style_does_not_depend_on_order() -> None:
    assert palette.genre_styles(["b", "a", "c"]) == palette.genre_styles(["c", "b", "a", "a"])


def test_an_unknown_genre_is_an_error() -> None:
    with pytest.raises(KeyError):
        figures.genre_bars({"Polka": 1.0}, {})


def test_steps_are_bars_with_their_mean() -> None:
    figure = figures.steps([10.0, 30.0, 20.0])
    (bars,) = figure.data
    assert list(bars.y) == [10, 30, 20]
    (mean,) = figure.layout.shapes
    assert mean.y0 == mean.y1 == 20


def test_a_name_is_no_link_in_a_figure() -> None:
    name = '<a href="http://evil.example">Jazz</a>'
    made = figures.genre_bars({name: 1.0}, palette.genre_styles([name]))
    assert "<a" not in json.dumps(made.to_plotly_json(), default=list)
    assert list(made.data[0].y) == list(made.layout.yaxis.tickvals)
