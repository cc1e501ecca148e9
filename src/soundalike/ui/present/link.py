"""The link by which an audience joins a room, and its QR code."""

from __future__ import annotations

import html
import ipaddress
import os
from urllib.parse import urlencode, urlsplit

import segno
import streamlit as st

from soundalike.ui import incoming

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
    """A QR code as an inline SVG, black on white, with the usual quiet zone of four modules."""
    code = segno.make_qr(link, error="m")
    return code.svg_inline(scale=1, border=4, dark="#000", light="#fff", omitsize=True)


def figure(link: str) -> str:
    """HTML of the QR code with the link below it, which can be read out and opened."""
    shown = html.escape(link.partition("://")[2])
    address = html.escape(link, quote=True)
    return (
        f'<figure class="soundalike-join"><div role="img" aria-label="QR code of the link">'
        f'{qr_code(link)}</div><figcaption><a href="{address}">{shown}</a></figcaption></figure>'
    )
