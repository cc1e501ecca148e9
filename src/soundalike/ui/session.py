"""State that the pages share: the chosen library, its index and models, and the URL.

A session shows one library at a time. Everything stored about it, rows and ids above all, is cleared
when another library is chosen or the index was rebuilt. A visitor's own clip is kept and compared with
the new library.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from soundalike.fair_queue import OnPlace
from soundalike.index import catalog
from soundalike.index.catalog import CatalogEntry
from soundalike.index.index import Index
from soundalike.playlist.clip_embeddings import Turn
from soundalike.ui import frontend, incoming
from soundalike.ui.server import _open, _turns

T = TypeVar("T")


def through_app() -> None:
    """Make sure that app.py runs the page, with its navigation and page settings.

    Because the folder is named `pages`, Streamlit treats the app as an old-style multipage app until
    `st.navigation` is first called. If the first visitor of a new server followed a link to a page, the
    page would run alone, in another layout.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


LIBRARY = "library"
"""Session key and URL parameter of the chosen library."""
PRESENT = "present"
"""Session key and URL parameter of the mode for showing the app to a room (`ui.present.mode`)."""
_OPENS_LIBRARY, _SEVERAL = "library_opens", "library_several"
_PAGES = ("recommend_", "anatomy_", "map_", "features_", "compare_")
_GIVEN = ("_upload", "_record")
"""Ends of the keys of files that the visitor gave."""
_OF_A_LIBRARY = {f"about_{name}" for name in ("track", "by", "search", "licence", "model")}
_OF_NONE = {
    *("recommend_source", "recommend_length", "anatomy_source", "anatomy_also"),
    *("map_source", "features_source", "compare_source"),
}
"""Keys that survive a change of library, as a visitor's own clip does: settings that fit any library."""


def choose_library() -> list[CatalogEntry]:
    """Choose the session's library from the session or the URL, and return all libraries on offer."""
    offered = catalog.offered()
    names = [library.name for library in offered]
    opens = st.session_state.pop(_OPENS_LIBRARY, None)
    asked = opens or st.session_state.get(LIBRARY) or incoming.parameter(LIBRARY)
    if asked not in names:
        if asked:
            # The rest of the link refers to a library that does not exist here.
            forget_library()
            st.query_params.clear()
            st.session_state.library_missing = incoming.text(asked, catalog.LONGEST_NAME)
        asked = names[0]
    st.session_state[LIBRARY] = asked
    st.session_state[_SEVERAL] = len(offered) > 1
    # A page that a button opened writes its address at the end, without another entry in the history.
    is_written = st.session_state.get(incoming.IGNORED) or incoming.parameter(LIBRARY) == asked
    if st.session_state[_SEVERAL] and not is_written:
        st.query_params[LIBRARY] = asked
    return offered


def switch_library() -> None:
    """Clear the state after another library was chosen."""
    forget_library()
    st.query_params.from_dict({LIBRARY: st.session_state[LIBRARY]})


def open_library(name: str) -> NoReturn:
    """Switch to Recommend, with another library."""
    st.session_state[_OPENS_LIBRARY] = name
    switch("recommend")


def forget_library() -> None:
    """Clear everything stored about a library."""
    for key in map(str, list(st.session_state)):
        of_page = key.startswith(_PAGES) and key not in _OF_NONE and not key.endswith(_GIVEN)
        if key in _OF_A_LIBRARY or of_page:
            del st.session_state[key]


def open_index() -> Index:
    """The index of the chosen library, opened once for all sessions.

    Raises
    ------
    IndexFolderError
        If the index cannot be used.
    """
    index = chosen_index()
    if st.session_state.get("library_identity", index.identity) != index.identity:
        forget_library()
    st.session_state.library_identity = index.identity
    return index


def chosen_index() -> Index:
    """The same, for what is outside of the pages: the session's state is left as it is."""
    offered = catalog.offered()
    named = {library.name: library.folder for library in offered}
    folder = named.get(st.session_state.get(LIBRARY, ""), offered[0].folder)
    index, check = _open(str(folder.resolve()), catalog.stamp(folder))
    check.confirm()
    return index


def turn(on_place: OnPlace, patience: int = 0) -> Turn:
    """The context in which this session uses the shared networks; see `FairQueue.acquire`."""
    visitor, queue = _visitor(), _turns()
    return lambda: queue.acquire(visitor, on_place, patience)


def turns() -> Callable[[OnPlace], Turn]:
    """As `turn`, to be called for this session in another thread."""
    visitor, queue = _visitor(), _turns()
    return lambda on_place: lambda: queue.acquire(visitor, on_place)


def in_turn(action: Callable[..., T], on_place: OnPlace) -> Callable[..., T]:
    """One of `sandbox`'s functions, called for this session; cancelled when `on_place` raises."""
    return partial(action, visitor=_visitor(), on_place=on_place)


def _visitor() -> str:
    return str(st.session_state.setdefault("visitor", uuid.uuid4().hex))


FIRST_TRACK = "0235"
"""The bundled library's track on a first visit."""


CURRENT_TRACK = "clip_track"
"""Session key of the track of the library that the visitor is on."""
SOURCE = "clip_source"
"""Session key of where the visitor's clip comes from."""
OWN_CLIP = "clip_own"
"""Session key of the visitor's own clip, if there is one."""
_UNKNOWN = "address_unknown"
_LONGEST_SHOWN = 40
_PAGE, _OPENS, _REPLACED = "address_page", "address_opens", "address_replaced"
ADDRESS = "address"
"""Session key of the parameters of the page's address, as last written."""


def track_from_url(index: Index, key: str, parameter: str = "track", *, optional: bool = False) -> None:
    """Like `from_url`, for a library track; an optional track is None unless the URL names it."""
    if key in st.session_state:
        return
    first = FIRST_TRACK if index.has(FIRST_TRACK) else index.ids[0]
    written = incoming.parameter(parameter)
    asked = incoming.track(index, written)
    if written and asked is None:
        _note_unknown(parameter, written)
    st.session_state[key] = asked or (None if optional else first)


def from_url(key: str, parameter: str, options: Sequence[T], default: T) -> None:
    """Set a widget's state before it is first drawn: from the URL if it names an option."""
    if key in st.session_state:
        return
    written = incoming.parameter(parameter)
    if written and written not in map(str, options):
        _note_unknown(parameter, written)
    st.session_state[key] = incoming.option(written, options, default)


def _note_unknown(parameter: str, written: str) -> None:
    short = incoming.text(written, _LONGEST_SHOWN)
    st.session_state.setdefault(_UNKNOWN, []).append(f"{parameter}={short}")


def take_unknown() -> list[str]:
    """The parameters of the address that named nothing that is here, once."""
    found: list[str] = st.session_state.pop(_UNKNOWN, [])
    return found


def open_page(page: str) -> bool:
    """Start a run of a page.

    After Back or Forward its settings are forgotten, and read from the address again. A run that
    opens the page adds its settings to the entry that the history has of it.

    Returns
    -------
    whether the visitor has just come to the page, or gone back or forward
    """
    context = get_script_run_ctx()
    went = context is not None and context.is_history_navigation
    if went:
        st.session_state.pop(incoming.IGNORED, None)
        for key in map(str, list(st.session_state)):
            if key.startswith(f"{page}_") and not key.endswith(_GIVEN):
                del st.session_state[key]
    opened = went or st.session_state.get(_PAGE) != page
    st.session_state[_PAGE], st.session_state[_OPENS] = page, opened
    return opened


def go(page: str, track_id: str, path: Sequence[str] = ()) -> NoReturn:
    """Switch to another page, with a library track chosen there, and on the map also a path."""
    st.session_state[f"{page}_track"] = st.session_state[CURRENT_TRACK] = track_id
    st.session_state[f"{page}_source"] = st.session_state[SOURCE] = "library"
    if page == "recommend":
        # Edits to the previous clip's playlist do not apply to this one.
        st.session_state.recommend_kind = "playlist"
        for made in ("blend", "pinned", "removed"):
            st.session_state.pop(f"recommend_{made}", None)
    if path:
        st.session_state.map_path, st.session_state.map_panel = list(path), "path"
        st.session_state.map_view = ""  # the map moves to the path
    switch(page)


def switch(page: str) -> NoReturn:
    """Switch to another page, which takes its settings from the session and not from the address.

    Streamlit writes the parameters into the address of the page that is left first. If they changed
    there, that would be an entry of its own in the history, and one Back wouldn't leave the next page.
    """
    state = st.session_state
    state[incoming.IGNORED] = True
    here = state[ADDRESS] if state.get(_REPLACED) else st.query_params.to_dict()
    st.switch_page(f"pages/{page}.py", query_params=here)


def to_url(parameters: Mapping[str, object]) -> None:
    """Write parameters into the URL, except those that are None, beside those of every page.

    A page that was just opened adds its settings to the address without a new entry in the history.
    Streamlit does not notice that: until something changes, it names the address as it was opened.
    """
    state = st.session_state
    state.pop(incoming.IGNORED, None)
    wanted = {name: str(value) for name, value in parameters.items() if value is not None}
    wanted |= _of_every_page()
    differs = st.query_params.to_dict() != wanted
    if state.pop(_OPENS, False):
        state[_REPLACED] = differs
    elif wanted != state.get(ADDRESS):
        state[_REPLACED] = False
    state[ADDRESS] = wanted
    search = f"?{urlencode(wanted)}" if wanted else ""
    _register()(data={"search": search if state[_REPLACED] else None}, key="address")
    if differs and not state[_REPLACED]:
        st.query_params.from_dict(wanted)


def _of_every_page() -> dict[str, str]:
    """The parameters that the URL of every page keeps."""
    state = st.session_state
    library = {LIBRARY: state[LIBRARY]} if state.get(_SEVERAL) else {}
    return library | ({PRESENT: "1"} if state.get(PRESENT) else {})


@st.cache_resource(max_entries=1, show_spinner=False)
def _register() -> Callable[..., Any]:
    return frontend.component("soundalike_address", js=frontend.read("address.js"))
