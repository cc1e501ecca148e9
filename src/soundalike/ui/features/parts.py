"""Components of the Features page: the network's grid, lists of dimensions, and moments."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from soundalike import representations
from soundalike.analysis import receptive_fields
from soundalike.analysis.dimension_cache import FeatureStore
from soundalike.analysis.dimension_profile import Portrait
from soundalike.index.index import Index
from soundalike.models import vgg16
from soundalike.ui import components, frontend, incoming, palette, server

_FEATURES_A_ROW = 8
_WHOLE_SECONDS = 31.0
"""Clips up to this length are analysed from the beginning."""


def open_features(index: Index) -> FeatureStore:
    """Statistics of an index's dimensions, shared by all sessions."""
    return _store(index)


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs={Index: server.identity})
def _store(index: Index) -> FeatureStore:
    return FeatureStore(index, server.models_of(index))


def warm(store: FeatureStore) -> None:
    """Load the spectrogram code in the background if the index has no stored pictures."""
    if store.picture(0) is None:
        _warm()


@st.cache_resource(max_entries=1, show_spinner=False)
def _warm() -> None:
    """Draw a spectrogram in the background; the first call takes seconds."""

    def load() -> None:
        from soundalike.audio.clip import Clip
        from soundalike.features import spectral

        spectral.mel_spectrogram(Clip(np.zeros(8_192, np.float32)))

    threading.Thread(target=load, daemon=True).start()


def grid(store: FeatureStore, painted: Portrait, key: str, on_choose: Callable[[int], None]) -> None:
    """Show the network's grid: the cells of the dimension's channel, or the genre head's features."""
    means = store.siblings(painted).mean
    described = _cells_of(painted.cell.channel) if painted.cell else _features(len(means))
    ceiling = float(max(means.max(), 1e-6))
    dimensions: list[int] = described.pop("dimensions")
    texts: list[str] = described.pop("texts")
    marks: list[str] = described.pop("marks")
    data = described | {
        "kind": "grid",
        "selected": dimensions.index(painted.dimension),
        "cells": [
            {
                "dimension": dimension,
                "text": f"Dimension {dimension}: {text}, mean activation {mean:.2f}",
                "mark": mark,
                "share": round(max(float(mean), 0.0) / ceiling, 3),
            }
            for dimension, text, mark, mean in zip(dimensions, texts, marks, means, strict=True)
        ],
    }
    _grid(data, painted.name, key, on_choose)


def dimension_list(
    label: str,
    items: Sequence[tuple[int, float, str]],
    name: str,
    ceiling: float,
    key: str,
    on_choose: Callable[[int], None],
) -> None:
    """Show a list of dimensions: each has a number, a value up to `ceiling`, and the value as text."""
    data = {
        "kind": "list",
        "label": label,
        "items": [
            {
                "dimension": dimension,
                "detail": describe(name, dimension),
                "share": round(value / ceiling, 3),
                "value": written,
            }
            for dimension, value, written in items
        ],
    }
    _grid(data, name, key, on_choose)


def describe(name: str, dimension: int) -> str:
    """The part of the picture that a dimension covers, in words."""
    if name != "vgg_mel":
        return "the whole picture"
    cell = receptive_fields.cell(dimension)
    return f"channel {cell.channel}, {receptive_fields.share(cell).words}"


def moment_list(store: FeatureStore, painted: Portrait, key: str) -> bool:
    """Show the tracks that activate a dimension most; missing pictures are drawn one by one.

    Returns
    -------
    whether all of them have an activation map
    """
    maps = {row: store.map_of(painted, row) for row in painted.top}
    index = store.index
    styles = palette.of(index)

    def draw_next() -> None:
        missing = [row for row in painted.top if store.picture(row) is None]
        if missing:
            store.draw(missing[0])

    boxes = {}
    if painted.cell is not None:
        boxes["box"] = receptive_fields.share(painted.cell).percent()
        boxes["view"] = receptive_fields.field_of_view(painted.cell).percent()
    tracks = [_moment(store, painted, row, maps[row], styles) for row in painted.top]
    data = {"label": "The tracks that activate it most, strongest first", "tracks": tracks} | boxes
    result = _register_moments()(
        data=data | {"actions": components.actions()},
        key=key,
        on_wanted_change=draw_next,
        on_chosen_change=lambda: None,
    )
    components.navigate(index, result)
    return all(found is not None for found in maps.values())


def _moment(
    store: FeatureStore,
    painted: Portrait,
    row: int,
    found: NDArray[np.float32] | None,
    styles: dict[str, palette.Style],
) -> dict[str, Any]:
    track = components.track_of(store.index, row)
    picture = store.picture(row)
    style = styles.get(track.genre)
    offset = picture.offset if picture else None
    if offset is None and _length(store.index, row) <= _WHOLE_SECONDS:
        offset = 0.0
    return vars(track) | {
        "colour": style.colour if style else "#8A8A8A",
        "marker": style.marker if style else "circle",
        "value": f"{painted.values[row]:.1f}",
        "score": f"{painted.score(row):+.1f} sd",
        "start": round(_start(painted, found), 3),
        "offset": offset,
        "timeline": receptive_fields.TIMELINE,
        "picture": None if picture is None else components.picture_url(picture.content, "webp"),
        "map": None if found is None else _shown(found),
    }


def _start(painted: Portrait, found: NDArray[np.float32] | None) -> float:
    """The second at which playback starts: the cell's, or where silencing lowers the feature most."""
    if painted.cell is not None:
        return receptive_fields.share(painted.cell).seconds[0]
    if found is None or not found.any():
        return 0.0
    column = int(np.argmax(found.max(axis=0)))
    return receptive_fields.share(receptive_fields.Cell(0, column, 0)).seconds[0]


def _length(index: Index, row: int) -> float:
    """A clip's length in seconds from the table; infinite if it is not listed."""
    try:
        return float(index.tracks.iloc[row].get("duration_s", "inf"))
    except ValueError:
        return float("inf")


def _shown(found: NDArray[np.float32]) -> dict[str, Any]:
    rows, columns = found.shape
    ceiling = float(found.max()) or 1.0
    places_a_row = vgg16.GRID[0] // rows
    return {
        "rows": rows,
        "columns": columns,
        # The genre head ignores the lowest of the fifteen rows.
        "height": 100 * places_a_row * rows / vgg16.GRID[0],
        "values": [round(float(value) / ceiling, 2) for value in found.ravel()],
    }


def _cells_of(channel: int) -> dict[str, Any]:
    places = [
        receptive_fields.Cell(band, time, channel)
        for band in range(receptive_fields.BANDS)
        for time in range(receptive_fields.TIMES)
    ]
    bands = [receptive_fields.share(place).hertz for place in places[:: receptive_fields.TIMES]]
    seconds = [
        f"{receptive_fields.share(place).seconds[0]:.0f}" for place in places[: receptive_fields.TIMES]
    ]
    return {
        "label": f"The cells of channel {channel}",
        "columns": receptive_fields.TIMES,
        "row_labels": [receptive_fields.pitch_range(*band) for band in bands],
        "column_labels": [*seconds[:-1], f"{seconds[-1]} s"],
        "dimensions": [place.dimension for place in places],
        "texts": [receptive_fields.share(place).words for place in places],
        "marks": [""] * len(places),
    }


def _features(count: int) -> dict[str, Any]:
    return {
        "label": "The features of the genre head",
        "columns": _FEATURES_A_ROW,
        "row_labels": [],
        "column_labels": [],
        "dimensions": list(range(count)),
        "texts": ["the whole picture"] * count,
        "marks": [str(dimension) for dimension in range(count)],
    }


def _grid(data: dict[str, Any], name: str, key: str, on_choose: Callable[[int], None]) -> None:
    dimensions = range(representations.get(name).dim)

    def chosen() -> None:
        if (dimension := incoming.number(incoming.triggered(key, "chosen"), dimensions)) is not None:
            on_choose(dimension)

    _register_grid()(data=data, key=key, on_chosen_change=chosen)


@st.cache_resource(max_entries=1, show_spinner=False)
def _register_grid() -> Callable[..., Any]:
    script = frontend.read("feature_grid.js")
    return _component("soundalike_feature_grid", "feature_grid", script)


@st.cache_resource(max_entries=1, show_spinner=False)
def _register_moments() -> Callable[..., Any]:
    script = frontend.player("feature_moment.js")
    return _component("soundalike_feature_moment", "feature_moment", script)


def _component(name: str, file: str, script: str) -> Callable[..., Any]:
    return st.components.v2.component(
        name,
        html='<div class="root"></div>',
        css=frontend.read(f"{file}.css"),
        js=script,
    )
