"""Why a track is in a playlist: a sentence, the shares, and both clips where they agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from soundalike.analysis import receptive_fields
from soundalike.analysis.activation_maps import Picture
from soundalike.analysis.dimension_cache import BLANK
from soundalike.analysis.explanation import Explanation, explain
from soundalike.audio import decoding
from soundalike.index.index import Index
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.query import Query
from soundalike.ui import components, frontend
from soundalike.ui.components import Track
from soundalike.ui.features import parts

_LEGENDS = {
    "moments": "A bar is what 3 s of one clip add to the similarity, taken with all of the other clip; "
    "all bars of a clip add up to it. The band joins the two moments that agree best.",
    "cells": "Light: where the two agree more than this clip does with the library on the whole. The "
    "band joins the moment where that is most so.",
    "times": "A bar is what 3 s add to the similarity, moment against moment. The band joins the moment "
    "that adds most.",
}


@dataclass(frozen=True)
class Side:
    """One of the two clips: who it is, and its mel spectrogram."""

    track: Track
    picture: Picture


def show(
    index: Index,
    query: Query,
    query_track: Track,
    row: int,
    representation: str,
    key: str,
    weights: Mapping[str, float] | None = None,
) -> None:
    """Draw why a track is similar to a query into the current container.

    Parameters
    ----------
    index : the library
    query : what was asked about
    query_track : its name, and where it can be played
    row : of the track
    representation : by which they were compared
    key : of the component
    weights : of a joined representation, other weights than the index's

    Raises
    ------
    ValueError, IndexFolderError
        As `explain.explain`.
    """
    explained = explain(index, query, row, representation, weights)
    st.markdown(components.plain(" ".join([explained.sentence, _main_part(explained)]).strip()))
    asked = Side(query_track, _picture_of_query(index, query))
    found = Side(components.track_of(index, row), _picture(index, row))
    _register()(data=payload(explained, asked, found), key=key)
    components.show_notes([*explained.notes, *_inside(explained)])


def payload(explained: Explanation, asked: Side, found: Side) -> dict[str, Any]:
    """What the component is sent: the shares, and both clips where time is known to matter."""
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


def words(explained: Explanation, asked: Side, found: Side) -> str:
    """The picture of the two clips in words."""
    names = f"“{asked.track.title}” and “{found.track.title}”"
    said = [f"The spectrograms of {names}, marked where they agree."]
    if explained.best is not None:
        middles = [start + explained.best.length / 2 for start in explained.best[:2]]
        one, other = (
            decoding.clock(side.picture.offset + middle)
            for side, middle in zip((asked, found), middles, strict=True)
        )
        said.append(f"They agree best around {one} of the first and {other} of the second.")
    if explained.shades is not None and _kind(explained) == "cells" and explained.shades[0].any():
        band, time = divmod(int(explained.shades[0].argmax()), receptive_fields.TIMES)
        place = receptive_fields.share(receptive_fields.Cell(band, time, 0)).words
        said.append(f"Of all cells the one at {place} is furthest above its usual share.")
    return " ".join(said)


def _main_part(explained: Explanation) -> str:
    """Which part of the similarity weighs most, in words."""
    part, total = explained.main_part, explained.similarity or 0.0
    if part is None or part.value <= 0 or total <= 0:
        return ""
    return f"Largest share of the similarity: {part.name}, {min(part.value / total, 1.0):.0%}."


def _kind(explained: Explanation) -> str:
    if explained.moments is not None:
        return "moments"
    return "times" if explained.usual is None else "cells"


def _bars(explained: Explanation) -> list[dict[str, Any]]:
    """The parts, if there is more than one; bars reach as far as the largest."""
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


def _picture_of_query(index: Index, query: Query) -> Picture:
    if isinstance(query.embeddings, ClipEmbeddings):
        return query.embeddings.picture
    return BLANK if query.row is None else _picture(index, query.row)


def _picture(index: Index, row: int) -> Picture:
    store = parts.open_features(index)
    return store.picture(row) or store.draw(row)


def _inside(explained: Explanation) -> list[str]:
    """Which of the networks' own numbers contribute most, for who wants to know."""
    kinds = {"channels": explained.channels, "genre features": explained.features}
    listed = [
        f"{name} {', '.join(f'{place} ({_number(value)})' for place, value in strongest)}"
        for name, strongest in kinds.items()
        if strongest
    ]
    return [f"Of the network's numbers these add most: {'; '.join(listed)}."] if listed else []


@st.cache_resource(max_entries=1, show_spinner=False)
def _register() -> Callable[..., Any]:
    return st.components.v2.component(
        "soundalike_why",
        html='<div class="root"></div>',
        css=frontend.read("explanation.css"),
        js=frontend.player("explanation.js"),
    )
