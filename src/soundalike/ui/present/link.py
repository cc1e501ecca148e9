"""The link by which an audience joins a room, and its QR code."""

from __future__ import annotations

import io
import ipaddress
import os
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import segno
import streamlit as st

from soundalike.ui import frontend, incoming

VARIABLE = "SOUNDALIKE_URL"
"""Environment variable: the app's address, where it isn't the one in the presenter's browser."""
PAGE = "compare"


def join_link(parameters: dict[str, str]) -> str:
    """The address of the Compare page with these parameters; "" if no address is known.

    It begins with `$SOUNDALIKE_URL`, or else with the address in this session's browser.
    """
    given = incoming.web_address(os.environ.get(VARIABLE))
    base = f"{given}/{PAGE}" if given else incoming.web_address(st.context.url)
    return f"{base}?{urlencode(parameters)}" if base else ""


def is_loopback(link: str) -> bool:
    """Whether a link leads back to the computer on which it is opened."""
    host = urlsplit(link).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def qr_code(link: str) -> str:
    """A QR code as an SVG, black on white, with the usual quiet zone of four modules."""
    written = io.BytesIO()
    code = segno.make_qr(link, error="m")
    code.save(written, "svg", xmldecl=False, omitsize=True, border=4, dark="#000", light="#fff")
    return written.getvalue().decode()


def show(link: str) -> None:
    """Show the QR code, and below it the link, which can be read out and opened."""
    _register()(data={"link": link, "code": qr_code(link)}, key="present_join")


@st.cache_resource(max_entries=1, show_spinner=False)
def _register() -> Callable[..., Any]:
    return frontend.component(
        "soundalike_join",
        html='<div class="root"></div>',
        css=frontend.read("join.css"),
        js=frontend.read("join.js"),
    )
