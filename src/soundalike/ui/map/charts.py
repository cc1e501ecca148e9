"""The map as data: points, colours and legend; no Streamlit here, so that tests can look at them.

The figure is no plotly figure. `st.plotly_chart` takes a changed figure for a new one: it forgets the
zoom and the selection whenever a link is drawn, and cannot play a point at the moment it is clicked. So
the map is a small WebGL component of our own (`map.js`), in two parts. `points` are all tracks, and they
stay as they are while a visitor walks about; `marks` is the little that changes: the track that is
looked at, its links, what a search found. In 2-D and in 3-D alike it then has lasso, search, a legend
that filters, keyboard and touch, and a click sends a kilobyte or two.

Positions are sent as 16-bit whole numbers over the range of each axis, far finer than a pixel. Above
`MAX_POINTS` tracks a random sample is drawn; marks have positions of their own, so that every track can
be looked at all the same.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from soundalike.features import track_descriptors
from soundalike.index import genre_groups, track_arrays
from soundalike.index.index import Index
from soundalike.projection import layout, quality
from soundalike.ui import palette

MAX_POINTS = 15_000
MOST_FREQUENT = len(palette.COLOURS)
MAX_MATCHES = 500

OTHER = "#9A9CA8"
SCALE = ("#3B4CC0", "#3F8FB5", "#4DB08A", "#A9BF45", "#F2C230")
"""Low to high. It grows steadily lighter, so that it can be read without telling its colours apart."""

_titles: WeakKeyDictionary[Index, dict[str, str]] = WeakKeyDictionary()
_MISSING = 255
_NOT_A_MEASURE = {"track_id", "file", "sha256", "genre_fold"}
_MIN_DISTINCT = 10


@dataclass(frozen=True)
class Colouring:
    """What colours say: a group (by name, "" for none) or a number of each track."""

    title: str
    groups: Sequence[str] | None = None
    numbers: NDArray[np.float64] | None = None


def why_no_maps(index: Index) -> str:
    """What is said of an index without a map."""
    if len(index) < layout.MIN_TRACKS:
        return f"A map needs at least {layout.MIN_TRACKS} tracks; this library has {len(index)}."
    if not any(index.has_vectors(name) for name in index.names):
        return (
            "This index holds only the neighbours of its tracks, of which no map can be made; build a "
            "full index with `soundalike index`."
        )
    return "This index has no maps; add them with `soundalike map`."


def colour_titles(index: Index) -> dict[str, str]:
    """What the map can be coloured by, by key, for a visitor to choose from."""
    if index not in _titles:
        _titles[index] = _colour_titles(index)
    return _titles[index]


def _colour_titles(index: Index) -> dict[str, str]:
    titles = {"genre": "Genre"}
    if index.genres:
        titles["predicted"] = "Predicted genre"
    titles |= {"artist": "Artist", "album": "Album"}
    titles |= {
        f"column-{column}": _column_title(column)
        for column in index.tracks.columns
        if column not in _NOT_A_MEASURE and _numbers(index.tracks[column]) is not None
    }
    if f"{track_arrays.DESCRIPTORS}.npy" in index.manifest["files"]:
        titles |= {
            f"measured-{place}": _capitalised(descriptor.name)
            for place, descriptor in enumerate(track_descriptors.CLIP)
        }
    return titles | {"popularity": "How often it is a neighbour", "kept": "Neighbours kept"}


def colouring(index: Index, key: str, representation: str, points: NDArray[np.float32]) -> Colouring:
    """What colours say for a key of `colour_titles`."""
    title = colour_titles(index)[key]
    if key == "predicted":
        likeliest = np.asarray(index.array("genre_probabilities")).argmax(axis=1)
        return Colouring(title, [index.genres[i] for i in likeliest])
    if key == "kept":
        shares = quality.kept(points, index.array(f"{representation}_neighbours"))
        return Colouring(
            "Neighbours kept on the map, of its ten nearest", numbers=shares.astype(np.float64) * 10
        )
    if key == "popularity":
        nearest = index.array(f"{representation}_neighbours")[:, : quality.TRUST_NEIGHBOURS]
        counts = np.bincount(nearest.ravel(), minlength=len(index))
        return Colouring("In how many tracks' ten nearest it is", numbers=counts.astype(np.float64))
    if key.startswith("measured-"):
        measured = track_arrays.descriptors(index)
        assert measured is not None
        place = int(key.removeprefix("measured-"))
        return Colouring(title, numbers=measured[:, place].astype(np.float64))
    if key.startswith("column-"):
        return Colouring(title, numbers=_numbers(index.tracks[key.removeprefix("column-")]))
    return Colouring(title, [str(value) for value in index.tracks[key]])


def points(
    name: str,
    tracks: pd.DataFrame,
    positions: NDArray[np.float32],
    colours: Colouring,
    genres: Iterable[str] = (),
    limit: int = MAX_POINTS,
    seed: int = 0,
) -> dict[str, Any]:
    """All that the map draws of itself, ready to be sent.

    Parameters
    ----------
    name : of the map
    tracks : one row a track, with `track_id`, `title`, `artist`
    positions : the map [shape=(n, 2 or 3)]
    colours : what their colours say
    genres : those that are shown by name, where the colours say genres; the others share a colour
    limit : draw a random sample where there are more tracks
    seed : of the sample
    """
    n = len(tracks)
    rows = np.arange(n)
    if n > limit:
        rows = np.sort(np.random.default_rng(seed).choice(n, limit, replace=False))
    shown = tracks.iloc[rows]
    artist_codes, artists = pd.factorize(shown["artist"])
    low, high = positions.min(axis=0), positions.max(axis=0)
    scaled = (positions[rows] - low) / np.maximum(high - low, 1e-9) * 65_535
    codes, legend = _legend(colours, rows, list(genres))
    return {
        "map": name,
        "dims": positions.shape[1],
        "of": n,
        "ids": list(shown["track_id"]),
        "titles": list(shown["title"]),
        "artists": list(artists),
        "artist": _packed(artist_codes, "<u4" if len(artists) > 65_535 else "<u2"),
        "wide": len(artists) > 65_535,
        "positions": _packed(np.round(scaled), "<u2"),
        "low": [float(value) for value in low],
        "high": [float(value) for value in high],
        "codes": _packed(codes, "u1"),
        "legend": legend,
    }


def mark(index: Index, positions: NDArray[np.float32], row: int) -> dict[str, Any]:
    """A track as something to draw on top of the map."""
    facts = index.tracks.iloc[row]
    return {
        "id": facts["track_id"],
        "title": facts["title"],
        "artist": facts["artist"],
        "at": [round(float(value), 4) for value in positions[row]],
    }


def marks(
    name: str,
    index: Index,
    positions: NDArray[np.float32],
    focus: Mapping[str, Any] | None,
    linked: Iterable[int],
    found: Sequence[int] | None = None,
    area: Iterable[int] = (),
    hidden: Iterable[str] = (),
    view: str = "",
) -> dict[str, Any]:
    """What is drawn on top of the map.

    Parameters
    ----------
    name : of the map
    focus : the track (`mark`) or the clip (without an `id`) that is looked at
    linked : rows of its nearest in the full space, nearest first
    found : rows that a search found; None where nothing is searched for
    area : rows that are selected
    hidden : groups of the legend that are not shown to begin with
    view : the part of the map that is seen to begin with, in the words of `map_scene.js`
    """
    return {
        "map": name,
        "focus": dict(focus) if focus else None,
        "links": [mark(index, positions, row) for row in linked],
        "found": None if found is None else [mark(index, positions, row) for row in found[:MAX_MATCHES]],
        "area": [index.ids[row] for row in area],
        "hidden": list(hidden),
        "view": view,
    }


def clip_mark(title: str, place: layout.Placement) -> dict[str, Any]:
    """A visitor's clip as something to draw on top of the map."""
    return {"id": None, "title": title, "artist": "", "at": [round(float(x), 4) for x in place.position]}


def found_in_words(text: str, hits: int) -> str:
    """How many tracks a search has found."""
    if not hits:
        return f"No track has “{text}” in its title, artist, album or genre."
    if hits > MAX_MATCHES:
        return f"{hits:,} tracks have “{text}”; the first {MAX_MATCHES} are ringed."
    tracks = "track has" if hits == 1 else "tracks have"
    return f"{hits:,} {tracks} “{text}”, ringed on the map and listed under “All tracks”."


def trust_in_words(facts: Mapping[str, Any]) -> str:
    """What a map's trustworthiness says."""
    near = facts["trustworthiness_neighbours"]
    return (
        f"**Trustworthiness {facts['trustworthiness']:.2f}.** It asks of each track's {near} nearest on "
        "the map how near they are in the full space: 1 means that none is out of place, and points "
        "thrown at random score about 0.5. The links show what the map had to give up: they lead to the "
        "nearest in the full space, wherever it put them."
    )


def near_on_map(
    positions: NDArray[np.float32], at: Sequence[float], linked: Sequence[int], own: int | None
) -> int:
    """How many of the linked rows are among as many nearest on the map."""
    distances = np.square(positions - np.asarray(at, np.float32)).sum(axis=1)
    if own is not None:
        distances[own] = np.inf
    return len(np.intersect1d(np.argsort(distances, kind="stable")[: len(linked)], list(linked)))


def _legend(
    colours: Colouring, rows: NDArray[np.intp], genres: list[str]
) -> tuple[NDArray[np.integer[Any]], dict[str, Any]]:
    if colours.numbers is not None:
        return _scale(colours.title, colours.numbers, rows)
    groups = pd.Series(list(colours.groups or ())).replace("", "None named")
    styles = palette.genre_styles(genres)
    counts = groups.value_counts()
    names = sorted(set(counts.index) & set(styles)) if genres else _most_frequent(groups, MOST_FREQUENT)
    items = []
    for place, name in enumerate(names):
        style = styles.get(name) or palette.Style(
            palette.COLOURS[place % len(palette.COLOURS)], "circle"
        )
        items.append(
            {"name": name, "colour": style.colour, "marker": style.marker, "count": int(counts[name])}
        )
    places = {name: place for place, name in enumerate(names)}
    codes = groups.map(places)
    if rest := int(codes.isna().sum()):
        name = _rest_in_words(rest, int(counts.get("None named", 0))) if genres else "All others"
        items.append({"name": name, "colour": OTHER, "marker": "circle", "count": rest})
    found = codes.fillna(len(names)).to_numpy(np.uint8)[rows]
    return found, {"kind": "groups", "title": colours.title, "items": items}


def _rest_in_words(rest: int, none: int) -> str:
    """What tracks are called whose genre is not shown by name, some of which have none."""
    if not none:
        return genre_groups.OTHER
    return "No genre" if none == rest else f"{genre_groups.OTHER}, or none"


def _most_frequent(groups: pd.Series, most: int) -> list[str]:
    counts = groups[~groups.isin(["None named", "Unknown artist"])].value_counts()
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return [str(name) for name, _ in ordered[:most]]


def _scale(
    title: str, numbers: NDArray[np.float64], rows: NDArray[np.intp]
) -> tuple[NDArray[np.integer[Any]], dict[str, Any]]:
    """Whole numbers 0 to 254 between the 2nd and the 98th percentile, and 255 where there is none."""
    known = np.isfinite(numbers)
    low, high = np.percentile(numbers[known], (2, 98)) if known.any() else (0.0, 1.0)
    if low == high:
        low, high = numbers[known].min(), numbers[known].max()
    scaled = np.clip((numbers[rows] - low) / max(high - low, 1e-12), 0.0, 1.0) * (_MISSING - 1)
    codes = np.where(known[rows], np.nan_to_num(scaled), _MISSING).astype(np.uint8)
    legend = {
        "kind": "scale",
        "title": title,
        "low": _figure(low),
        "high": _figure(high),
        "beyond": bool(known.any() and (numbers[known].min() < low or numbers[known].max() > high)),
        "stops": list(SCALE),
        "missing": int((~known).sum()),
        "colour": OTHER,
    }
    return codes, legend


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.3g}"


def _numbers(column: pd.Series) -> NDArray[np.float64] | None:
    """A column as numbers, where nearly all of it is numbers and they differ."""
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    known = np.isfinite(numbers)
    if known.mean() < 0.9 or len(np.unique(numbers[known])) < _MIN_DISTINCT:
        return None
    return numbers


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _column_title(column: str) -> str:
    words = column.removesuffix("_s").replace("_", " ").capitalize()
    return f"{words} (s)" if column.endswith("_s") else words


def _packed(values: NDArray[Any], dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values).astype(dtype).tobytes()).decode()
