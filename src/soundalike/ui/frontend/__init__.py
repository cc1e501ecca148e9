"""Scripts and stylesheets of the app's components."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parent


def read(*names: str) -> str:
    """The text of scripts or stylesheets, joined in the given order."""
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)


def player(*names: str) -> str:
    """The script of a component that plays audio: the shared player code, then the component's files."""
    return read("player_parts.js", *names)


def component(name: str, **parts: str | bool) -> Callable[..., Any]:
    """Register a component, from its `html`, `css` and `js`.

    Returns a function that shows it with its `data`. Its script gets bytes as they are. Anything else
    must be what JSON can hold, and comes as the only element of a list: in a dictionary, Streamlit looks
    for data frames, and imports pandas for that.
    """
    mount: Callable[..., Any] = st.components.v2.component(name, **parts)  # type: ignore[arg-type]

    def show(data: object, **arguments: Any) -> Any:
        return mount(data=data if isinstance(data, bytes) else [data], **arguments)

    return show
