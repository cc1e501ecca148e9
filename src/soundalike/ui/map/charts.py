"""The map as data: points, colours and legend. Without Streamlit, so tests can check them.

We don't use plotly. `st.plotly_chart` treats a changed figure as a new one: it loses the zoom and the
selection whenever a link is drawn, and cannot play a point the moment it is clicked. Instead the map is
a small WebGL component (`map.js`) in two parts. `points` holds all tracks and rarely changes. `marks`
holds what changes with a click: the selected track, its links, search results. Lasso, search, a
filtering legend, keyboard and touch therefore work in 2-D and in 3-D, and a click sends only a kilobyte
or two.

Positions are sent as 16-bit integers over the range of each axis, far finer than a pixel. Above
`MAX_POINTS` tracks, a random sample is drawn. Marks carry their own positions, so every track can still
be selected.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis import genre_groups
from soundalike.features import track_descriptors
from soundalike.index import track_arrays
from soundalike.index.index import Index, nearest
from soundalike.projection import layout, quality
from soundalike.ui import palette
from soundalike.words import library

if TYPE_CHECKING:
    import pandas as pd

MAX_POINTS = 15_000
MOST_FREQUENT = len(palette.COLOURS)
MAX_MATCHES = 500
WORD = "word"
"""Key of the colouring by a word; the word is chosen apart."""
DIMENSION = "dimension"
"""Key of the colouring by a dimension of an embedding, which is chosen on the Features page."""

OTHER = "#9A9CA8"
SCALE = ("#3B4CC0", "#3F8FB5", "#4DB08A", "#A9BF45", "#F2C230")
"""Low to high. Lightness increases steadily, so the scale works without colour vision."""

_titles: WeakKeyDictionary[Index, dict[str, str]] = WeakKeyDictionary()
_MISSING = 255
_NOT_A_MEASURE = {"track_id", "file", "sha256", "genre_fold"}
_MIN_DISTINCT = 10


@dataclass(frozen=True)
class Colouring:
    """What the colours show: each track's group (by name, "" for none) or number."""

    title: str
    groups: Sequence[str] | None = None
    numbers: NDArray[np.float64] | None = None


def why_no_maps(index: Index) -> str:
    """Explain why an index has no map."""
    if len(index) < layout.MIN_TRACKS:
        return f"A map needs at least {layout.MIN_TRACKS} tracks; this library has {len(index)}."
    if not any(index.has_vectors(name) for name in index.names):
        return (
            "This index stores only each track's neighbours, which is not enough for a map. Build a "
            "full index with `soundalike index`."
        )
    return "This index has no maps. Add them with `soundalike map`."


def colour_titles(index: Index) -> dict[str, str]:
    """The options for colouring the map, by key."""
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
    titles |= {"popularity": "Times listed as a neighbour", "kept": "Neighbours kept"}
    return titles | {WORD: "A word …"} if library.has_words(index) else titles


def colouring(index: Index, key: str, representation: str, points: NDArray[np.float32]) -> Colouring:
    """The colouring for a key of `colour_titles`."""
    title = colour_titles(index)[key]
    if key == "predicted":
        likeliest = np.asarray(index.array("genre_probabilities")).argmax(axis=1)
        return Colouring(title, [index.genres[i] for i in likeliest])
    if key == "kept":
        shares = quality.kept(points, index.array(f"{representation}_neighbours"))
        return Colouring(
            "Nearest ten that are also nearest on the map", numbers=shares.astype(np.float64) * 10
        )
    if key == "popularity":
        nearest = index.array(f"{representation}_neighbours")[:, : quality.TRUST_NEIGHBOURS]
        counts = np.bincount(nearest.ravel(), minlength=len(index))
        return Colouring("Tracks that list it in their ten nearest", numbers=counts.astype(np.float64))
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
    """The map's points as data for the component.

    Parameters
    ----------
    name : of the map
    tracks : one row per track, with `track_id`, `title`, `artist`
    positions : the map [shape=(n, 2 or 3)]
    colours : what the colours show
    genres : genres shown by name if the colours show genres; the others share a colour
    limit : draw a random sample if there are more tracks
    seed : of the sample
    """
    import pandas as pd

    n = len(tracks)
    rows = drawn_rows(n, limit, seed)
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


def drawn_rows(n: int, limit: int = MAX_POINTS, seed: int = 0) -> NDArray[np.intp]:
    """Rows of the tracks that are drawn as points: all, or a sorted random sample."""
    if n <= limit:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, limit, replace=False))


def mark(index: Index, positions: NDArray[np.float32], row: int) -> dict[str, Any]:
    """A track as a mark on the map."""
    return {
        "id": index.fact("track_id", row),
        "title": index.fact("title", row),
        "artist": index.fact("artist", row),
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
    path: Iterable[int] = (),
    kept: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """The marks on the map as data for the component.

    Parameters
    ----------
    name : of the map
    focus : the selected track (`mark`) or clip (without an `id`)
    linked : rows of its nearest neighbours in the full space, nearest first
    found : rows that match a search; None without a search
    area : selected rows
    hidden : groups of the legend that are initially hidden
    view : the initially visible part of the map, in the format of `map_scene.js`
    path : rows of a path, in order
    kept : whether each track meets a filter [shape=(n,)]; points of the others are dimmed
    """
    shown = None if kept is None else _packed(np.packbits(kept[drawn_rows(len(kept))]), "u1")
    return {
        "map": name,
        "focus": dict(focus) if focus else None,
        "links": [mark(index, positions, row) for row in linked],
        "found": None if found is None else [mark(index, positions, row) for row in found[:MAX_MATCHES]],
        "area": [index.ids[row] for row in area],
        "hidden": list(hidden),
        "view": view,
        "path": [mark(index, positions, row) for row in path],
        "kept": shown,
    }


def clip_mark(title: str, place: layout.Placement) -> dict[str, Any]:
    """A visitor's clip as a mark on the map."""
    return {"id": None, "title": title, "artist": "", "at": [round(float(x), 4) for x in place.position]}


def found_in_words(text: str, hits: int) -> str:
    """Say how many tracks match a search."""
    if not hits:
        return f"No track has “{text}” in its title, artist, album or genre."
    if hits > MAX_MATCHES:
        return f"{hits:,} tracks match “{text}”; the first {MAX_MATCHES} are circled on the map."
    tracks = "track matches" if hits == 1 else "tracks match"
    return f"{hits:,} {tracks} “{text}” (circled on the map and listed under “All tracks”)."


def trust_in_words(facts: Mapping[str, Any]) -> str:
    """Explain a map's trustworthiness."""
    near = facts["trustworthiness_neighbours"]
    return (
        f"**Trustworthiness {facts['trustworthiness']:.2f}.** How well each track's {int(near):d} "
        "nearest on the map match its real neighbours: 1 is perfect, random placement scores about "
        "0.5. Long lines show neighbours that the map had to move apart."
    )


def near_on_map(
    positions: NDArray[np.float32], at: Sequence[float], linked: Sequence[int], own: int | None
) -> int:
    """Number of linked rows that are also among the same number of nearest points on the map."""
    # Axis by axis, which is several times faster than a sum over two or three columns.
    squares = [np.square(positions[:, axis] - np.float32(place)) for axis, place in enumerate(at)]
    distances = np.sum(squares, axis=0)
    if own is not None:
        distances[own] = np.inf
    return len(np.intersect1d(nearest(-distances, len(linked)), list(linked)))


def _legend(
    colours: Colouring, rows: NDArray[np.intp], genres: list[str]
) -> tuple[NDArray[np.integer[Any]], dict[str, Any]]:
    import pandas as pd

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
    """The label for tracks whose genre is not shown by name or is missing."""
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
    """Integers 0 to 254 between the 2nd and 98th percentile, and 255 for missing values."""
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
    """A column as numbers, if nearly all values are numeric and vary."""
    import pandas as pd

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
