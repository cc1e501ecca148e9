"""Votes of a session in the listening test: how fast it may vote, and who is the presenter."""

from __future__ import annotations

import hmac
import ipaddress
import os
import time
from pathlib import Path

import streamlit as st

from soundalike import paths
from soundalike.errors import BusyError
from soundalike.evaluation import listening_test
from soundalike.evaluation.listening_test import Votes
from soundalike.index.index import Index

ANSWERS = {"left": "Playlist A", "right": "Playlist B", "same": "They sound equally alike"}
MOST, WINDOW_S = 40, 600.0
"""Votes of a session in that many seconds; a listener takes longer than 15 seconds for a pair."""
PRESENTER = "SOUNDALIKE_PRESENTER"
"""Environment variable with the presenter's key. On the server itself, no key is needed."""
KEY = "presenter_key"
WRONG_KEY_S = 1.0
"""Seconds that a wrong key costs: guessing would take too long."""

_CAST, _PRESENTS = "votes_cast", "presents"
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via", "Cf-Connecting-Ip")
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


@st.cache_resource(max_entries=8, show_spinner=False)
def open_votes(path: str, library: str) -> Votes:
    """The votes on a library, shared by all sessions."""
    return Votes(Path(path), library, listening_test.LEAST_S)


def votes_of(index: Index) -> Votes:
    """The votes on an index's library."""
    return open_votes(str(paths.votes_file()), library_of(index))


def library_of(index: Index) -> str:
    """The fingerprint of an index's library."""
    return str(index.manifest["library"]["fingerprint"])


def cast(votes: Votes, pair_id: str, choice: str) -> bool:
    """Count a vote of this session; False if the pair already has one.

    Raises
    ------
    BusyError
        If the session has cast too many votes lately.
    TooSoonError, VotesError
        As `Votes.vote`.
    """
    now = time.monotonic()
    lately = [at for at in st.session_state.get(_CAST, []) if at > now - WINDOW_S]
    if len(lately) >= MOST:
        wait = round(lately[0] + WINDOW_S - now) + 1
        raise BusyError(f"That is a lot of votes. You can vote again in {wait} seconds.")
    counted = votes.vote(pair_id, choice)
    st.session_state[_CAST] = [*lately, now]
    return counted


def is_presenter() -> bool:
    """Whether this session may start a round or open a room: it gave the key, or is on the server."""
    return bool(st.session_state.get(_PRESENTS)) or on_server()


def on_server() -> bool:
    """Whether the visitor's browser runs on the server, and not behind a proxy that does."""
    headers = st.context.headers
    if any(name in headers for name in _FORWARDED):
        return False
    if _name(headers.get("Host", "localhost")) not in _LOCAL_NAMES:
        return False
    address = st.context.ip_address
    # Streamlit has no address for the server's own browser.
    return address is None or _is_loopback(address)


def ask_for_key() -> None:
    """Show the field for the presenter's key."""
    st.text_input("Presenter's key", key=KEY, type="password", max_chars=200, on_change=try_key)


def try_key() -> None:
    """Compare the typed key with the server's."""
    key, given = os.environ.get(PRESENTER, ""), str(st.session_state.get(KEY) or "")
    if key and hmac.compare_digest(key.encode(), given.encode(errors="replace")):
        st.session_state[_PRESENTS] = True
    else:
        time.sleep(WRONG_KEY_S)


def _name(host: str) -> str:
    """A host without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
