"""Who may index folders from a page. It is off unless the server's owner names the folders.

Where folders are named, it is for the presenter (`ui.compare.voting`): anyone who uses the app on the
server itself or gives the key.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from soundalike import paths
from soundalike.index import music_files
from soundalike.ui import session
from soundalike.ui.compare import voting

if TYPE_CHECKING:
    from soundalike.indexing.background import Background

SECTION = "music"
"""The section of About with the page."""
_MOST_FOLDERS = 4


def is_offered() -> bool:
    """Whether anything of this is shown: to those who may index folders, or could give the key."""
    is_on = bool(music_files.named_folders())
    return is_on and (voting.is_presenter() or bool(os.environ.get(voting.PRESENTER)))


def may_index() -> bool:
    """Whether this session may index folders."""
    return bool(music_files.named_folders()) and voting.is_presenter()


def indexer() -> Background:
    """The runs of this server, which all sessions share."""
    return _indexer(str(paths.own_indexes()))


def button() -> None:
    """Show the button that leads to the page, to those who may index folders."""
    if not may_index() or st.session_state.get(session.PRESENT):
        return
    if st.button("Add music", icon=":material/library_add:", key="own_music_add", type="tertiary"):
        st.session_state.about_section = SECTION
        session.switch("about")


@st.cache_resource(max_entries=_MOST_FOLDERS, show_spinner=False)
def _indexer(folder: str) -> Background:
    from soundalike.indexing.background import Background

    return Background(Path(folder))
