"""The title of a page with the choice of a library beside it, and what is said of a library in part."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from soundalike.index import catalog
from soundalike.index.catalog import CatalogEntry
from soundalike.index.index import Index
from soundalike.ui import session
from soundalike.ui.own_music import access

LIBRARY_WIDTH = 260
"""Pixels; longer names of libraries are truncated."""


def page_header(title: str, offered: Sequence[CatalogEntry]) -> None:
    """Show the page's title, with a library selector if there are several libraries.

    Those who may index folders also get the button for that.
    """
    if len(offered) == 1 and not access.may_index():
        st.title(title, anchor=False)
        return
    with st.container(
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        gap="small",
        key="page_head",
    ):
        st.title(title, anchor=False, width="content")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            if len(offered) > 1:
                _selector(offered)
            access.button()


def _selector(offered: Sequence[CatalogEntry]) -> None:
    st.selectbox(
        "Library",
        [library.name for library in offered],
        key=session.LIBRARY,
        persist_state="session",
        on_change=session.switch_library,
        icon=":material/library_music:",
        label_visibility="collapsed",
        required=True,
        width=LIBRARY_WIDTH,
    )


def partial_note(index: Index) -> str:
    """Say that indexing was interrupted, and how to resume it."""
    done, files = index.partial or (len(index), len(index))
    resume = (
        "It can go on from “Your music” on the About page."
        if catalog.is_own(index.folder)
        else "Run the same `soundalike index` command again to resume."
    )
    return (
        f"Indexing was interrupted after {done:,} of {files:,} files, so this is only part of the "
        f"library. {resume}"
    )
