"""What the pages share: the index and the models, the URL, and a session's own clip."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import NoReturn, TypeVar

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from soundalike import index as indices
from soundalike import paths
from soundalike.index import Index
from soundalike.models import ModelStore

T = TypeVar("T")


def through_app() -> None:
    """Make sure that a page is run by app.py, with its navigation and its page settings.

    Because of the folder's name, `pages`, Streamlit takes an app for one of its older kind until
    `st.navigation` is first called; a new server whose first visitor follows a link to a page would
    run that page alone, in another layout.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


@st.cache_resource(max_entries=1, show_spinner=False)
def open_index() -> Index:
    """The library's index, opened once for all sessions."""
    return indices.load(paths.index_folder())


@st.cache_resource(max_entries=1, show_spinner=False)
def open_models() -> ModelStore:
    """The networks; each is loaded at its first use."""
    return ModelStore(factors=paths.factors_file())


@st.cache_resource(max_entries=1, show_spinner=False)
def warm_models() -> None:
    """Load the network in the background, for a visitor who is about to upload or record a clip."""
    models = open_models()
    threading.Thread(target=lambda: models.vgg16, daemon=True).start()


def settle() -> None:
    """Make a server quick for all its visitors, whenever something more has been imported.

    Streamlit collects garbage after each run of a page. With the networks' libraries loaded that is
    half a million objects and a third of a second, in which nobody is answered; so what was imported,
    and lasts as long as the server, is passed over. And the threads of a linear algebra library go on
    spinning after each product: one of them leaves the other cores to decoding and to other visitors.
    """
    _settle(len(sys.modules))


@st.cache_resource(max_entries=1, show_spinner=False)
def _settle(modules: int) -> None:
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, "blas")
    gc.collect()
    gc.freeze()


FIRST_TRACK = "0235"
"""The track of the bundled library that a first visit begins with."""


def track_from_url(index: Index, key: str, parameter: str = "track") -> None:
    """As `from_url`, for a track of the library."""
    ids = list(index.tracks["track_id"])
    from_url(key, parameter, ids, FIRST_TRACK if FIRST_TRACK in ids else ids[0])


def from_url(key: str, parameter: str, options: Sequence[T], default: T) -> None:
    """Set a widget's state before it is first drawn: from the URL where that names an option."""
    if key in st.session_state:
        return
    asked = st.query_params.get(parameter)
    by_text = {str(option): option for option in options}
    st.session_state[key] = by_text.get(asked, default) if asked is not None else default


def go(page: str, track_id: str) -> NoReturn:
    """Leave for another page, with a track of the library chosen there."""
    st.session_state[f"{page}_track"] = track_id
    if page in ("recommend", "anatomy"):
        st.session_state[f"{page}_source"] = "library"
    if page == "recommend":
        # What was made of another clip's playlist does not belong to this one's.
        st.session_state.recommend_kind = "playlist"
        for made in ("blend", "pinned", "removed"):
            st.session_state.pop(f"recommend_{made}", None)
    st.switch_page(f"pages/{page}.py", query_params={"track": track_id})


def to_url(parameters: Mapping[str, object]) -> None:
    """Make the URL say what is on screen; a parameter that is None leaves it."""
    wanted = {name: str(value) for name, value in parameters.items() if value is not None}
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)
