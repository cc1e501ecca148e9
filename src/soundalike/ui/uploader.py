"""A file uploader that says on the page why a file was refused, and a recorder that says what to do.

Streamlit refuses files in the browser: those that are too large, and those whose name has another
ending. It says so in a tooltip, and the file before stays. Here the page says it, and starts with an
empty uploader.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from soundalike.ui import components, frontend, incoming

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

DENIED = (
    "We can't use the microphone. Allow it for this page in your browser, usually with the icon beside "
    "the address, and check that one is connected. Then press record again. Or upload a file instead."
)
_LONGEST_NAME = 200
_COUNT, _REFUSED = "uploader_count", "uploader_refused"


def choose_file(
    label: str,
    key: str,
    endings: Sequence[str],
    most_mb: int,
    accepted: str,
    on_change: Callable[[], None],
    on_refused: Callable[[], None],
) -> UploadedFile | None:
    """Let the visitor choose or drop a file.

    Parameters
    ----------
    label : of the uploader
    key : of the uploader, which gets a number in front: each refused file leads to a new one
    endings : accepted endings of names, without dots
    most_mb : maximum size
    accepted : what the files are, as in "audio, such as WAV or MP3"
    on_change : called when a file was chosen or removed
    on_refused : called when one was refused
    """
    state = st.session_state
    widget = widget_key(key)

    def refused() -> None:
        told = incoming.triggered(f"{widget}_notes", "refused")
        state[_REFUSED] = key, reason(incoming.member(told, "way"), told, most_mb, accepted)
        renew()
        on_refused()

    def changed() -> None:
        state.pop(_REFUSED, None)
        on_change()

    given = st.file_uploader(
        label, type=list(endings), max_upload_size=most_mb, key=widget, on_change=changed
    )
    _register()(data={"key": widget, "denied": ""}, key=f"{widget}_notes", on_refused_change=refused)
    about, message = state.get(_REFUSED, ("", ""))
    if about == key:
        components.show_error(message)
    return given


def renew() -> None:
    """Start with empty uploaders and recorders."""
    st.session_state[_COUNT] = st.session_state.get(_COUNT, 0) + 1


def widget_key(key: str) -> str:
    """The key of the uploader or recorder that is shown now."""
    page, _, rest = key.partition("_")
    return f"{page}_{st.session_state.get(_COUNT, 0)}_{rest}"


def forget_refusal() -> None:
    """Say no longer that a file was refused."""
    st.session_state.pop(_REFUSED, None)


def explain_recorder(key: str) -> None:
    """Say what to do if the recorder with that key can't use the microphone."""
    _register()(data={"key": key, "denied": DENIED}, key=f"{key}_notes", on_refused_change=lambda: None)


def reason(way: object, told: object, most_mb: int, accepted: str) -> str:
    """Why a file was refused, and what to do."""
    name = incoming.text(incoming.member(told, "name"), _LONGEST_NAME) or "This file"
    if way == "size":
        return f"{name} is too large. Choose a file of at most {most_mb} MB."
    if way == "kind":
        return f"{name} has an ending that we don't know. Choose {accepted}."
    if way == "number":
        return "These are several files. Choose one."
    return f"{name} could not be uploaded. Check your connection and try again."


@st.cache_resource(max_entries=1, show_spinner=False)
def _register() -> Callable[..., Any]:
    return frontend.component(
        "soundalike_uploader",
        html='<div class="note" role="alert"></div>',
        css=frontend.read("uploader.css"),
        js=frontend.read("uploader.js"),
        isolate_styles=False,
    )
