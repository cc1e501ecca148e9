"""Why a track is in a playlist: a sentence, the shares of the similarity, and both clips compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import streamlit as st

from soundalike.analysis import receptive_fields
from soundalike.analysis.dimension_cache import BLANK
from soundalike.analysis.explanation import Explanation, explain
from soundalike.audio.clip import clock
from soundalike.errors import ModelError
from soundalike.features.thumbnail import Thumbnail
from soundalike.index.index import Index
from soundalike.playlist import aspects
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.query import Query
from soundalike.ui import components, frontend
from soundalike.ui.components import Track
from soundalike.ui.features import parts

_LEGENDS = {
    "moments": "Each bar shows how much 3 seconds contribute to the overall similarity. The band links "
    "the two most similar moments.",
    "cells": "Light areas show where these clips agree more than your clip does with the library on "
    "average. The band links the moment where they stand out most.",
    "times": "Each bar shows how much 3 seconds contribute to the similarity, comparing the clips "
    "moment by moment. The band links the moment that contributes most.",
}
_SCALE = "90% means that 90% of the library is less like your clip in this aspect."
_UNKNOWN = "unknown"


@dataclass(frozen=True)
class Side:
    """One of the two clips: its track and its mel spectrogram."""

    track: Track
    picture: Thumbnail


def show(
    index: Index,
    query: Query,
    query_track: Track,
    row: int,
    representation: str,
    key: str,
    weights: Mapping[str, float] | None = None,
) -> None:
    """Explain in the current container why a track is similar to a query.

    Parameters
    ----------
    index : the library
    query : the starting clip
    query_track : its name and the URL that plays it
    row : of the track
    representation : the representation that compared them
    key : of the component
    weights : of a joined representation, to replace the index's weights

    Raises
    ------
    ValueError, IndexFolderError
        As `explanation.explain`.
    """
    explained = explain(index, query, row, representation, weights)
    st.markdown(components.plain(" ".join([explained.sentence, _main_part(explained)]).strip()))
    asked = Side(query_track, _picture_of_query(index, query))
    found = Side(components.track_of(index, row), _picture(index, row))
    data = payload(explained, asked, found) | aspect_bars(_shares(index, query, row))
    _register()(data=data, key=key)
    components.show_notes([*explained.notes, *_inside(explained)])


def payload(explained: Explanation, asked: Side, found: Side) -> dict[str, Any]:
    """Data for the component: the shares, and both clips if the shares are known over time."""
    data: dict[str, Any] = {"parts": _bars(explained), "total": ""}
    if explained.similarity is not None:
        data["total"] = f"Similarity {_number(explained.similarity)}"
    if explained.shades is None:
        return data
    shades = [[round(float(shade), 3) for shade in marked.ravel()] for marked in explained.shades]
    starts = (0.0, 0.0) if explained.best is None else explained.best[:2]
    return data | {
        "strips": [
            _strip(side, start, marks)
            for side, start, marks in zip((asked, found), starts, shades, strict=True)
        ],
        "columns": receptive_fields.TIMES,
        "covered": 100 * receptive_fields.TIMES * explained.stretch / receptive_fields.TIMELINE[1],
        "timeline": receptive_fields.TIMELINE,
        "length": None if explained.best is None else explained.best.length,
        "legend": _LEGENDS[_kind(explained)],
        "words": words(explained, asked, found),
    }


def aspect_bars(shares: Mapping[str, float | None]) -> dict[str, Any]:
    """Data for the component: how alike the clips are in each aspect, by `aspects.shares`."""
    if not shares:
        return {}
    bars = [
        {
            "name": aspects.TITLES[name],
            "value": _UNKNOWN if share is None else f"{share:.0%}",
            "share": round(share or 0.0, 3),
            "against": False,
        }
        for name, share in shares.items()
    ]
    return {"aspects": bars, "scale": _SCALE}


def words(explained: Explanation, asked: Side, found: Side) -> str:
    """Describe the picture of the two clips."""
    names = f"“{asked.track.title}” and “{found.track.title}”"
    said = [f"The spectrograms of {names}, marked where they are similar."]
    if explained.best is not None:
        middles = [start + explained.best.length / 2 for start in explained.best[:2]]
        one, other = (
            clock(side.picture.offset + middle)
            for side, middle in zip((asked, found), middles, strict=True)
        )
        said.append(f"They are most similar around {one} in the first and {other} in the second.")
    if explained.shades is not None and _kind(explained) == "cells" and explained.shades[0].any():
        band, time = divmod(int(explained.shades[0].argmax()), receptive_fields.TIMES)
        place = receptive_fields.share(receptive_fields.Cell(band, time, 0)).words
        said.append(f"The area at {place} exceeds its usual share the most.")
    return " ".join(said)


def _shares(index: Index, query: Query, row: int) -> dict[str, float | None]:
    """The aspects' shares; none if the index or the server lacks what they need."""
    with suppress(ModelError):
        if aspects.available(index):
            return aspects.shares(index, query, row)
    return {}


def _main_part(explained: Explanation) -> str:
    """Name the largest part of the similarity."""
    part, total = explained.main_part, explained.similarity or 0.0
    if part is None or part.value <= 0 or total <= 0:
        return ""
    return f"Largest share of the similarity: {part.name}, {min(part.value / total, 1.0):.0%}."


def _kind(explained: Explanation) -> str:
    if explained.moments is not None:
        return "moments"
    return "times" if explained.usual is None else "cells"


def _bars(explained: Explanation) -> list[dict[str, Any]]:
    """The parts as bars, scaled to the largest; none if there is only one part."""
    if len(explained.parts) < 2:
        return []
    largest = max(abs(part.value) for part in explained.parts) or 1.0
    return [
        {
            "name": part.name,
            "value": _number(part.value),
            "share": round(abs(part.value) / largest, 3),
            "against": part.value < 0,
        }
        for part in explained.parts
    ]


def _number(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")


def _strip(side: Side, start: float, shades: list[float]) -> dict[str, Any]:
    return {
        "title": side.track.title,
        "artist": side.track.artist,
        "url": side.track.url,
        "picture": components.picture_url(side.picture.content, "webp"),
        "offset": side.picture.offset,
        "start": round(start, 3),
        "shades": shades,
    }


def _picture_of_query(index: Index, query: Query) -> Thumbnail:
    if isinstance(query.embeddings, ClipEmbeddings):
        return query.embeddings.picture
    return BLANK if query.row is None else _picture(index, query.row)


def _picture(index: Index, row: int) -> Thumbnail:
    store = parts.open_features(index)
    return store.picture(row) or store.draw(row)


def _inside(explained: Explanation) -> list[str]:
    """Name the channels and features of the networks that contribute most."""
    kinds = {"channels": explained.channels, "genre features": explained.features}
    listed = [
        f"{name} {', '.join(f'{place} ({_number(value)})' for place, value in strongest)}"
        for name, strongest in kinds.items()
        if strongest
    ]
    return [f"Largest contributions: {'; '.join(listed)}."] if listed else []


@st.cache_resource(max_entries=1, show_spinner=False)
def _register() -> Callable[..., Any]:
    return frontend.component(
        "soundalike_why",
        html='<div class="root"></div>',
        css=frontend.read("explanation.css"),
        js=frontend.player("clock.js", "explanation.js"),
    )
