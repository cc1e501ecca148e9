"""Says on the Recommend page that the library has nothing close to a clip."""

from __future__ import annotations

import streamlit as st

from soundalike.index.index import Index
from soundalike.playlist import aspects, reach
from soundalike.playlist.playlist import Playlist
from soundalike.playlist.query import Query
from soundalike.ui import components, words
from soundalike.ui.playlist import playlist_state
from soundalike.words import vocabulary

RARE = 0.1
"""A library lacks a word if it applies clearly to less than this share of its tracks."""
MOST_WORDS = 2


def say(index: Index, asked: Query, found: Playlist) -> None:
    """Say that even the nearest tracks are far, if they are, and what the library lacks."""
    recipe = playlist_state.recipe(index)
    turned = any(dial != aspects.NEUTRAL for dial in recipe.dials.values())
    changed = recipe.farthest or turned or recipe.removed or recipe.only.labels
    if not found.entries or changed or st.session_state.recommend_blend:
        return
    best = max(entry.similarity for entry in found.entries)
    if not reach.is_far(index, found.representation, best):
        return
    lacked = lacking(index, asked)
    about = f" It has little {' or '.join(lacked)}." if lacked else ""
    st.info(
        components.plain(f"Nothing in this library is close; these are the nearest.{about}"),
        icon=":material/explore_off:",
    )


def lacking(index: Index, asked: Query) -> list[str]:
    """The words that a clip has and that fewest tracks of the library have; at most two."""
    known, named = words.of_library(index), words.of_query(index, asked)
    if known is None or named is None:
        return []
    places = {word.name: place for place, word in enumerate(vocabulary.words())}
    counts = {item.word: int(known.clear_counts[places[item.word]]) for item in named.words}
    rare = [word for word, count in counts.items() if count < RARE * len(index)]
    return sorted(rare, key=counts.__getitem__)[:MOST_WORDS]
