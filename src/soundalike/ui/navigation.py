"""What surrounds every page: the pages' names, the clip in the header, and a phone's navigation.

Streamlit's navigation is at the top. On a phone it would hide behind an icon, so a bar at the foot takes
its place there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from soundalike.errors import SoundalikeError
from soundalike.ui import components, current_clip, frontend, session

_TO_CLIP = components.ACTIONS | {"features": "What fires", "compare": "Compare from this"}
"""The pages that begin with a clip, and what each does with it."""
_LONGEST_TITLE = 40


def pages() -> dict[str, StreamlitPage]:
    """The app's pages by name."""
    return {
        name: st.Page(
            f"pages/{name}.py", title=name.capitalize(), icon=icon, default=name == "recommend"
        )
        for name, icon in components.ICONS.items()
    }


def foot(offered: dict[str, StreamlitPage]) -> None:
    """Show the navigation at the foot of a phone's page; on larger screens the style sheet hides it."""
    with st.container(horizontal=True, gap=None, key="foot"):
        for page in offered.values():
            st.page_link(page)


def header(page: str) -> None:
    """Show the session's clip and "Copy link" in the header of the page."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="header"):
        with suppress(SoundalikeError):  # The page has said why there is no library.
            _chip(page)
        _register()(key="copy_link", data={"own": _is_own()})


def _is_own() -> bool:
    return current_clip.kept_clip() is not None and current_clip.chosen_source() != current_clip.LIBRARY


def _chip(page: str) -> None:
    own = current_clip.kept_clip() if _is_own() else None
    index = session.chosen_index()
    track_id = st.session_state.get(session.CURRENT_TRACK, "")
    if own is None and not index.has(track_id):
        return
    title = own.shown_name if own is not None else str(index.fact("title", index.row(track_id)))
    short = title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1]}…"
    # Another popover on each page: one that is open would stay so when the page changes.
    with (
        st.container(key="header_clip", width="content"),
        st.popover(components.plain(short), icon=":material/music_note:", key=f"header_actions_{page}"),
    ):
        artist = own.track.artist if own is not None else index.fact("artist", index.row(track_id))
        by = f" by {components.plain(artist)}" if artist else ""
        st.markdown(f"**{components.plain(title)}**{by}")
        if own is not None:
            st.caption(
                "Your clip is in this session's memory only. A link can't carry it, so it is gone when "
                "you close or reload the page."
            )
        for other, label in _TO_CLIP.items():
            if st.button(label, icon=components.ICONS[other], key=f"header_to_{other}", type="tertiary"):
                current_clip.go(other) if own is not None else session.go(other, track_id)
        _change(own is not None)


def _change(is_own: bool) -> None:
    if st.button(
        "Choose another clip", icon=":material/swap_horiz:", key="header_change", type="tertiary"
    ):
        session.switch("recommend")
    if is_own:
        st.button(
            "Remove your clip",
            icon=":material/close:",
            key="header_remove",
            on_click=current_clip.discard,
            type="tertiary",
        )


@st.cache_resource(max_entries=1, show_spinner=False)
def _register() -> Callable[..., Any]:
    return frontend.component(
        "soundalike_copy_link",
        html='<button type="button"></button><span role="status"></span>',
        css=frontend.read("copy_link.css"),
        js=frontend.read("copy_link.js"),
    )
