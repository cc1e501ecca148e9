"""Words on the map: names of its regions, colours by a word or a named dimension, and a filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from soundalike import representations
from soundalike.analysis import dimension_names
from soundalike.index import track_arrays
from soundalike.index.index import Index
from soundalike.playlist import ordering
from soundalike.projection import region_names
from soundalike.projection.region_names import Region, TrackWords
from soundalike.ui import server, words
from soundalike.ui.map.charts import Colouring
from soundalike.words import filters, search, vocabulary
from soundalike.words.description import Term
from soundalike.words.library import LibraryWords

COLOURS = tuple(word.name for word in vocabulary.words())
"""The words that can colour the map."""


@dataclass(frozen=True, eq=False)
class Only:
    """The tracks that meet the visitor's filter.

    Attributes
    ----------
    kept : whether each track meets it [shape=(n,)]; None without a filter
    notes : what was understood, and how many tracks are left, in sentences
    """

    kept: NDArray[np.bool_] | None
    notes: tuple[str, ...]


def only(index: Index, text: str) -> Only:
    """Apply the visitor's filter to a library."""
    wanted = filters.read(text)
    kept, notes = filters.apply(index, server.models_of(index), wanted)
    return Only(None if wanted.is_empty else kept, tuple(notes))


def colouring(index: Index, word: str) -> Colouring:
    """A colour for each track by a word: the share of the library to which the word applies less."""
    shares = search.search(index, server.models_of(index), [Term(word)]).shares
    known = shares[:, 0] if shares.shape[1] else np.full(len(index), np.nan)
    title = f"“{word}” is stronger than in this share of the library, in %"
    return Colouring(title, numbers=100 * known.astype(np.float64))


def colouring_by_dimension(index: Index, dimension: str) -> Colouring:
    """A colour for each track by its value in a dimension, such as "musicnn:17".

    Raises
    ------
    PlaylistError
        If the index has no such dimension.
    """
    values = ordering.quantity(index, dimension).astype(np.float64)
    name = _dimension_name(index, dimension)
    title = f"{dimension_title(dimension)}. {name}" if name else dimension_title(dimension)
    return Colouring(title, numbers=values)


def dimension_title(dimension: str) -> str:
    """Where a dimension comes from, in words."""
    part, _, number = dimension.partition(":")
    return f"Number {number} of “{representations.get(part).title}”"


def regions(index: Index, name: str) -> list[Region]:
    """The named regions of a two-dimensional map; none if the index has no words.

    Parameters
    ----------
    index : the library
    name : of the map's array
    """
    known = words.of_library(index)
    if index.array(name).shape[1] != 2 or known is None:
        return []
    return _regions(index, name, _track_words(index, known))


def data(map_name: str, named: list[Region]) -> dict[str, Any]:
    """The names of regions as data for the component, those with priority first."""
    listed = [
        {"name": region.name, "level": region.level, "at": [round(value, 2) for value in region.at]}
        for region in named
    ]
    return {"map": map_name, "regions": listed}


@st.cache_resource(
    max_entries=server.OPEN_AT_ONCE, show_spinner=False, hash_funcs={Index: server.identity}
)
def _track_words(index: Index, _known: LibraryWords) -> TrackWords:
    return region_names.of(index, _known)


def _dimension_name(index: Index, dimension: str) -> str:
    library_words = words.of_library(index)
    scores = None if library_words is None else library_words.scores
    known = dimension_names.properties(scores, track_arrays.descriptors(index))
    if known is None:
        return ""
    values = ordering.quantity(index, dimension)[:, None]
    return dimension_names.label(dimension_names.find(values, known, index.artist_keys)[0])


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs={Index: server.identity})
def _regions(index: Index, name: str, _given: TrackWords) -> list[Region]:
    return region_names.find(index.array(name)[_given.rows], _given)
