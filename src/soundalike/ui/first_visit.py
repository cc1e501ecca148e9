"""What a first visit begins with: a few tracks of the library that sound different."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from soundalike.index.index import Index
from soundalike.playlist import examples
from soundalike.ui import components, server, words
from soundalike.words.library import LibraryWords

COUNT = 6


@dataclass(frozen=True)
class Example:
    """A track to begin with.

    Attributes
    ----------
    track_id : of the track
    name : its strongest genre by the words, or by the library
    title : of the track
    """

    track_id: str
    name: str
    title: str


def show(index: Index, track_id: str, on_choose: Callable[[str], None]) -> None:
    """Show the examples as buttons, until the visitor has chosen another track.

    Parameters
    ----------
    index : the library
    track_id : of the chosen track
    on_choose : called with the id of an example that is pressed
    """
    found = find(index)
    known = {example.track_id for example in found}
    started = st.session_state.get("recommend_start") is not None
    if not found or (started and track_id not in known):
        return
    st.caption("Drop a song, record, describe, or try one of these:")
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="examples"):
        for example in found:
            st.button(
                components.plain(example.name or example.title),
                icon=":material/play_arrow:",
                key=f"recommend_example_{example.track_id}",
                help=components.plain(f"Play “{example.title}” and what sounds like it"),
                on_click=on_choose,
                args=[example.track_id],
                type="primary" if started and example.track_id == track_id else "secondary",
            )


def find(index: Index) -> tuple[Example, ...]:
    """The examples of a library, each of another genre as far as genres are known."""
    known = words.of_library(index)
    # Kept apart: a network that is missing once must not leave the library without genres for good.
    return _by_library(index) if known is None else _by_words(index, known)


@st.cache_resource(
    max_entries=server.OPEN_AT_ONCE, show_spinner=False, hash_funcs={Index: server.identity}
)
def _by_words(index: Index, _known: LibraryWords) -> tuple[Example, ...]:
    by_genre = examples.of_genres(index, _known, COUNT)
    return tuple(_example(index, row, name) for name, row in by_genre.items())


@st.cache_resource(
    max_entries=server.OPEN_AT_ONCE, show_spinner=False, hash_funcs={Index: server.identity}
)
def _by_library(index: Index) -> tuple[Example, ...]:
    rows = examples.contrasting(index, COUNT)
    return tuple(_example(index, row, index.fact("genre", row)) for row in rows)


def _example(index: Index, row: int, name: str) -> Example:
    return Example(index.ids[row], name[:1].upper() + name[1:], str(index.fact("title", row)))
