"""Components of the Features page: the network's grid, lists of dimensions, and moments."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from soundalike import representations
from soundalike.analysis import dimension_sets, receptive_fields
from soundalike.analysis.dimension_cache import FeatureStore
from soundalike.analysis.dimension_profile import Portrait
from soundalike.analysis.dimension_sets import WORDS
from soundalike.index.index import Index
from soundalike.models import stretches, vgg16
from soundalike.playlist import ordering
from soundalike.ui import components, frontend, incoming, palette, server, words
from soundalike.words import vocabulary

NETWORK_PICTURES = ("vgg_mel", "genre_head")
"""Sets whose values are activations of VGG16 or of the head on it."""
_FEATURES_A_ROW = 8
WORD_KINDS = words.KIND_NAMES | {"other": "Not music"}
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
    _grid(data, store.sets.size(painted.name), key, on_choose)


def word_grid(store: FeatureStore, selected: int, key: str, on_choose: Callable[[int], None]) -> None:
    """Show all words by kind; a stronger colour means that more tracks clearly have the word."""
    known = store.sets.words
    assert known is not None
    total = len(store.index)
    groups: dict[str, list[dict[str, Any]]] = {title: [] for title in WORD_KINDS.values()}
    for dimension, (word, count) in enumerate(zip(vocabulary.words(), known.clear_counts, strict=True)):
        groups[WORD_KINDS[word.kind]].append(
            {
                "dimension": dimension,
                "selected": dimension == selected,
                "mark": word.name,
                "text": f"{word.name}: clearly in {int(count):,} of {total:,} tracks",
                "share": round(0.6 * float(count) / total, 3),
            }
        )
    data = {
        "kind": "groups",
        "label": "Words",
        "groups": [{"title": title, "cells": cells} for title, cells in groups.items()],
    }
    _grid(data, len(vocabulary.words()), key, on_choose)


def dimension_list(
    store: FeatureStore,
    label: str,
    items: Sequence[tuple[int, float, str]],
    name: str,
    key: str,
    on_choose: Callable[[int], None],
) -> None:
    """Show a list of dimensions: each has a number, a value from -1 to 1, and the value as text."""
    data = {
        "kind": "list",
        "label": label,
        "items": [
            {
                "dimension": dimension,
                "name": name_of(store, name, dimension),
                "detail": describe(store, name, dimension),
                "share": round(value, 3),
                "value": written,
            }
            for dimension, value, written in items
        ],
    }
    _grid(data, store.sets.size(name), key, on_choose)


def name_of(store: FeatureStore, name: str, dimension: int) -> str:
    """A short name for a dimension in a list: the word, the name that was found, or its number."""
    if name == WORDS:
        return dimension_sets.word(dimension).name
    return f"{dimension:,}" if name == "vgg_mel" else store.labels(name)[dimension] or f"{dimension:,}"


def describe(store: FeatureStore, name: str, dimension: int) -> str:
    """What a dimension is, in a few words: its place in the picture or in a network."""
    if name == WORDS:
        return WORD_KINDS[dimension_sets.word(dimension).kind].lower().removesuffix("s")
    if name == "vgg_mel":
        cell = receptive_fields.cell(dimension)
        return f"channel {cell.channel}, {receptive_fields.share(cell).words}"
    if name == "genre_head":
        return f"feature {dimension} of the genre head"
    part, number = store.index.part_of(name, dimension)
    return f"number {number:,} of “{representations.get(part).title}”"


def facts(store: FeatureStore, painted: Portrait) -> list[str]:
    """What a dimension is, and how many clips it is found in."""
    found = [f"Dimension {painted.dimension:,}", describe(store, painted.name, painted.dimension)]
    total = len(painted.values)
    if painted.name == WORDS:
        known, word = store.sets.words, dimension_sets.word(painted.dimension)
        assert known is not None
        clear = int(known.clear_counts[painted.dimension])
        outputs = [f"the tagger's “{tag}”" for tag in word.tags]
        outputs += [f"YAMNet's “{name}”" for name in word.classes]
        return [f"clearly in {clear:,} of {total:,} tracks", f"made of {', '.join(outputs)}"]
    if painted.name in NETWORK_PICTURES and not painted.dead:
        found.append(f"active (non-zero) for {painted.active:,} of {total:,} clips")
    return found


def order_of(store: FeatureStore, painted: Portrait) -> str:
    """The playlist order from high to low in a dimension (`ordering`); "" for one without a name."""
    if painted.name == WORDS:
        return f"-{ordering.WORDS}:{dimension_sets.word(painted.dimension).name}"
    if not any(name.holds for name in painted.names):
        return ""
    part, number = store.index.part_of(painted.name, painted.dimension)
    return f"-{part}:{number}"


def how_to_read(store: FeatureStore, painted: Portrait) -> str:
    """What the numbers and boxes beside the moments mean."""
    above = "how far it is above the library's average, in standard deviations"
    if painted.cell is not None:
        return (
            "Solid box: the cell, where playback starts. Dashed box: the cell's receptive field. The "
            f"numbers are each clip's activation and {above}."
        )
    if painted.name == "genre_head":
        trained = ""
        if store.index.was_trained_on:
            trained = " The genre head was trained on these clips, so it fits them better than new ones."
        return f"The numbers are each clip's activation and {above}.{trained}"
    return f"Box: the three seconds where it is highest, where playback starts. The number is {above}."


def moment_list(
    store: FeatureStore, painted: Portrait, rows: Sequence[int], key: str, label: str, *, is_high: bool
) -> bool:
    """Show tracks with the moments of a dimension; missing pictures are drawn one by one.

    Parameters
    ----------
    store : the library's statistics
    painted : the dimension
    rows : the tracks
    key : of the component
    label : for screen readers
    is_high : whether a track starts where the dimension is highest, or where it is lowest

    Returns
    -------
    whether all of them have an activation map
    """
    maps = {row: store.map_of(painted, row) for row in rows}
    index = store.index
    styles = palette.of(index)

    def draw_next() -> None:
        missing = [row for row in rows if store.picture(row) is None]
        if missing:
            store.draw(missing[0])

    boxes = {}
    if painted.cell is not None:
        boxes["box"] = receptive_fields.share(painted.cell).percent()
        boxes["view"] = receptive_fields.field_of_view(painted.cell).percent()
    tracks = [_moment(store, painted, row, maps[row], styles, is_high=is_high) for row in rows]
    result = _register_moments()(
        data={"label": label, "tracks": tracks, "actions": components.actions()} | boxes,
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
    *,
    is_high: bool,
) -> dict[str, Any]:
    track = components.track_of(store.index, row)
    picture = store.picture(row)
    style = styles.get(track.genre)
    offset = picture.offset if picture else None
    if offset is None and _length(store.index, row) <= _WHOLE_SECONDS:
        offset = 0.0
    moment = store.moment(painted, row, is_high=is_high)
    activation = f"{painted.values[row]:.1f}" if painted.name in NETWORK_PICTURES else ""
    return vars(track) | {
        "colour": style.colour if style else "#8A8A8A",
        "marker": style.marker if style else "circle",
        "value": activation,
        "score": f"{painted.score(row):+.1f} sd",
        "start": round(_loudest(found) if moment is None else moment, 3),
        "offset": offset,
        "timeline": receptive_fields.TIMELINE,
        "box": None if moment is None or painted.cell is not None else _stretch(moment),
        "picture": None if picture is None else components.picture_url(picture.content, "webp"),
        "map": None if found is None else _shown(found),
    }


def _loudest(found: NDArray[np.float32] | None) -> float:
    """The second of the picture where silencing lowers the feature most; 0 if that isn't known."""
    if found is None or not found.any():
        return 0.0
    column = int(np.argmax(found.max(axis=0)))
    return receptive_fields.share(receptive_fields.Cell(0, column, 0)).seconds[0]


def _stretch(start: float) -> dict[str, float]:
    """The box of a stretch of 3 s over the whole height of a picture, in percent."""
    begins, span = receptive_fields.TIMELINE
    left = max(0.0, 100 * (start - begins) / span)
    return {"left": left, "top": 0.0, "width": 100 * stretches.SECONDS / span, "height": 100.0}


def _length(index: Index, row: int) -> float:
    """A clip's length in seconds from the table; infinite if it is not listed."""
    try:
        return float(index.fact("duration_s", row) or "inf")
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


def _grid(data: dict[str, Any], size: int, key: str, on_choose: Callable[[int], None]) -> None:
    def chosen() -> None:
        if (dimension := incoming.number(incoming.triggered(key, "chosen"), range(size))) is not None:
            on_choose(dimension)

    _register_grid()(data=data, key=key, on_chosen_change=chosen)


@st.cache_resource(max_entries=1, show_spinner=False)
def _register_grid() -> Callable[..., Any]:
    script = frontend.read("feature_grid.js")
    return component("soundalike_feature_grid", "feature_grid", script)


@st.cache_resource(max_entries=1, show_spinner=False)
def _register_moments() -> Callable[..., Any]:
    script = frontend.player("clock.js", "excerpt_player.js", "feature_moment.js")
    return component("soundalike_feature_moment", "feature_moment", script)


def component(name: str, file: str, script: str) -> Callable[..., Any]:
    """Register a component with its own stylesheet."""
    return frontend.component(
        name,
        html='<div class="root"></div>',
        css=frontend.read(f"{file}.css"),
        js=script,
    )
