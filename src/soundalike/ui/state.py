"""What the pages share: the library that is chosen, its index and models, and the URL.

A session looks at one library at a time. All that is kept of it, rows and ids above all, is forgotten
when another is chosen, or when the index was built again; a visitor's own clip stays, and is asked about
again.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, TypeVar

import streamlit as st
from starlette.formparsers import MultiPartParser
from streamlit.runtime.pages_manager import PagesManager

from soundalike import allocator, memory, paths
from soundalike.audio import decoding, sandbox
from soundalike.errors import SoundalikeError
from soundalike.fair_queue import OnPlace, Turns
from soundalike.index import catalog
from soundalike.index import index as indices
from soundalike.index.catalog import Library
from soundalike.index.index import Index
from soundalike.index.integrity import Check
from soundalike.models import ModelStore, runtime
from soundalike.playlist import query
from soundalike.playlist.clip_embeddings import Turn

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


LIBRARY = "library"
"""The key and the parameter of the library that is chosen."""
WARM_UP_AFTER_S = 3.0
"""What the first visitor's browser still fetches comes first."""
OPEN_AT_ONCE = 4
"""Libraries that a server keeps open; the one not used for longest gives way."""
_PAGES = ("recommend_", "anatomy_", "map_", "features_", "compare_")
_OF_A_LIBRARY = {f"about_{name}" for name in ("track", "by", "search", "licence", "model")}
_OF_NONE = {
    *("recommend_source", "recommend_upload", "recommend_record", "recommend_length"),
    *("anatomy_source", "anatomy_upload", "anatomy_kept", "anatomy_also", "map_upload"),
}
"""What stays when another library is chosen: a visitor's own clip, and what goes with any library."""


def choose_library() -> list[Library]:
    """The libraries on offer, once it is settled which of them this session looks at."""
    offered = catalog.offered()
    names = [library.name for library in offered]
    asked = st.session_state.get(LIBRARY) or st.query_params.get(LIBRARY)
    if asked not in names:
        if asked is not None:
            # What else the link says is of a library that is not here.
            forget_library()
            st.query_params.clear()
            st.session_state.library_missing = asked
        asked = names[0]
    st.session_state[LIBRARY] = asked
    if len(offered) > 1 and st.query_params.get(LIBRARY) != asked:
        st.query_params[LIBRARY] = asked
    return offered


def switch_library() -> None:
    """Another library was chosen: begin afresh there."""
    forget_library()
    st.query_params.from_dict({LIBRARY: st.session_state[LIBRARY]})


def forget_library() -> None:
    """Forget what was chosen, asked and made of a library."""
    for key in map(str, list(st.session_state)):
        if key in _OF_A_LIBRARY or (key.startswith(_PAGES) and key not in _OF_NONE):
            del st.session_state[key]


def open_index() -> Index:
    """The index of the library that is chosen, opened once for all sessions.

    Raises
    ------
    IndexFolderError
        If it cannot be used.
    """
    offered = catalog.offered()
    named = {library.name: library.folder for library in offered}
    folder = named.get(st.session_state.get(LIBRARY, ""), offered[0].folder)
    index, check = _open(str(folder.resolve()), catalog.stamp(folder))
    check.confirm()
    if st.session_state.get("library_identity", index.identity) != index.identity:
        forget_library()
    st.session_state.library_identity = index.identity
    return index


@st.cache_resource(max_entries=OPEN_AT_ONCE, show_spinner="Opening the library …")
def _open(folder: str, stamp: tuple[int, int]) -> tuple[Index, Check]:
    index = indices.load(Path(folder))
    return index, Check(index)


def identity(index: Index) -> str:
    """How caches tell an index from others."""
    return index.identity


@st.cache_resource(max_entries=1, show_spinner=False)
def open_models() -> ModelStore:
    """The networks that all libraries share; each is loaded at its first use."""
    runtime.give_way()
    return ModelStore(factors=paths.factors_file(), light=memory.is_small())


@st.cache_resource(max_entries=OPEN_AT_ONCE, show_spinner=False, hash_funcs={Index: identity})
def models_of(index: Index) -> ModelStore:
    """The networks of a library: its own where it brings some, the shared ones otherwise."""
    return index.models(open_models())


@st.cache_resource(max_entries=1, show_spinner=False)
def _turns() -> Turns:
    return Turns()


def turn(on_place: OnPlace) -> Turn:
    """How this session waits for the networks, which all sessions share; see `Turns.turn`."""
    visitor = st.session_state.setdefault("visitor", uuid.uuid4().hex)
    turns = _turns()
    return lambda: turns.turn(visitor, on_place)


@st.cache_resource(max_entries=1, show_spinner=False)
def warm_up() -> None:
    """Get ready in the background once the first page is there, before anyone sends a clip.

    Not with `$SOUNDALIKE_WARM_UP` set to 0, nor on a host on which memory is dear.
    """
    if os.environ.get("SOUNDALIKE_WARM_UP") == "0" or memory.is_small():
        return
    timer = threading.Timer(WARM_UP_AFTER_S, preload, [open_models()])
    timer.daemon = True
    timer.start()


def preload(models: ModelStore) -> None:
    """Start the decoding processes and load the networks, all of it used once."""
    # What is wrong is said to whoever sends a clip.
    with suppress(SoundalikeError):
        sandbox.warm()
    query.rehearse(models)


LARGEST_UPLOAD = decoding.MAX_BYTES + 2**20
"""Bytes, with what a form has around a file."""
FREEZE_S = 30
"""How long garbage may be passed over that was none when it was last looked at."""


def tune_process() -> None:
    """Make a server quick for all its visitors, whenever something more has been imported.

    Streamlit collects garbage after each run of a page. With the networks' libraries loaded that is
    half a million objects and a third of a second, in which nobody is answered; so what was imported,
    and lasts as long as the server, is passed over. And the threads of a linear algebra library go on
    spinning after each product: one of them leaves the other cores to decoding and to other visitors.
    Uploads are received in memory alone; by itself Starlette puts all above a megabyte into a file.

    The sessions of that moment are passed over too, and one that has ended is garbage: so all is looked
    at again every half minute.
    """
    _tune_process(len(sys.modules), int(time.monotonic() // FREEZE_S))


@st.cache_resource(max_entries=1, show_spinner=False)
def _tune_process(modules: int, turn: int) -> None:
    from threadpoolctl import threadpool_limits

    MultiPartParser.spool_max_size = LARGEST_UPLOAD
    threadpool_limits(1, "blas")
    allocator.give_back_at_once()
    gc.unfreeze()
    gc.collect()
    gc.freeze()


FIRST_TRACK = "0235"
"""The track of the bundled library that a first visit begins with."""


def track_from_url(index: Index, key: str, parameter: str = "track", *, optional: bool = False) -> None:
    """As `from_url`, for a track of the library; an optional one is None unless the URL names it."""
    if key in st.session_state:
        return
    asked = st.query_params.get(parameter)
    first = FIRST_TRACK if index.has(FIRST_TRACK) else index.ids[0]
    st.session_state[key] = asked if index.has(asked) else None if optional else first


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
    parameters = {"track": track_id}
    if LIBRARY in st.query_params:
        parameters[LIBRARY] = st.query_params[LIBRARY]
    st.switch_page(f"pages/{page}.py", query_params=parameters)


def to_url(parameters: Mapping[str, object]) -> None:
    """Make the URL say what is on screen; a parameter that is None leaves it, the library stays."""
    wanted = {name: str(value) for name, value in parameters.items() if value is not None}
    if LIBRARY in st.query_params:
        wanted[LIBRARY] = st.query_params[LIBRARY]
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)
