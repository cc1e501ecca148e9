"""What the page says and does when the server is lost, and when it is back."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import streamlit as st

from soundalike.ui import frontend

_SESSION = "connection_session"


def watch(*, own_clip: bool) -> None:
    """Let the page say that the connection is lost, and open it again if the session is gone.

    Parameters
    ----------
    own_clip : whether the session has a clip of the visitor's own, which would have to be given again
    """
    session = st.session_state.setdefault(_SESSION, uuid.uuid4().hex)
    _register()(
        data={"session": session, "own": own_clip}, key="connection", on_back_change=lambda: None
    )


@st.cache_resource(max_entries=1, show_spinner=False)
def _register() -> Callable[..., Any]:
    return frontend.component(
        "soundalike_connection",
        html='<div class="line" role="status"></div>',
        css=frontend.read("connection.css"),
        js=frontend.read("connection.js"),
    )
