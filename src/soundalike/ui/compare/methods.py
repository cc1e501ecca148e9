"""The methods that are compared: their names, the pair to vote on, and its short playlists."""

from __future__ import annotations

import random
from collections.abc import Sequence

import streamlit as st

from soundalike import representations
from soundalike.index.index import Index
from soundalike.playlist import playlist, query
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import Recipe

LENGTH = 5
"""Tracks of a playlist in the blind test."""
_TRIES = 20


def titles(index: Index) -> dict[str, str]:
    """The representations' display names."""
    return {name: representations.get(name).title for name in index.names}


def first_choice(index: Index) -> list[str]:
    """The default and the article's method, filled up with others."""
    wanted = [representations.default(index.names), "vgg_genre", "mfcc_flat"]
    return [name for name in dict.fromkeys([*wanted, *index.names]) if name in index.names][:3]


def choose_pair(index: Index) -> list[str]:
    """Choose the pair to vote on; fewer than two methods if the visitor has chosen no more."""
    names = titles(index)
    st.multiselect(
        "Pair to vote on",
        index.names,
        format_func=lambda name: names[name],
        key="compare_pairing",
        persist_state="session",
        max_selections=2,
        help="Votes on the same two methods add up, so a group of listeners should keep to one pair.",
    )
    if st.session_state.compare_pairing != st.session_state.compare_shared:
        st.rerun()  # the whole page, which writes the choice into the address
    if len(st.session_state.compare_pairing) < 2:
        st.caption("Choose two methods.")
    return list(st.session_state.compare_pairing)


def rows_of(index: Index, track_id: str, name: str) -> list[int]:
    """The rows of a short playlist."""
    asked = query.from_library(index, track_id)
    recipe = Recipe(name, LENGTH, per_artist=None)
    return [entry.row for entry in playlist.make_playlist(index, [Seed(asked)], recipe).entries]


def draw_track(index: Index, names: Sequence[str], first: str | None = None) -> str:
    """Draw a random track for which the playlists of two methods differ.

    Parameters
    ----------
    index : the library
    names : of the methods
    first : the track to take if they differ for it
    """
    drawn = random.choice(index.ids) if first is None else first
    for _ in range(_TRIES):
        one, other = (rows_of(index, drawn, name) for name in names)
        if one != other:
            break
        drawn = random.choice(index.ids)
    return drawn
