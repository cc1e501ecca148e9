"""Values from outside, from links and from components in the browser: one validator for each kind.

A link can say anything, and so can a program that speaks to the server without our pages. A validator
takes any value, never raises, and returns one of the kind that it names, or none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import streamlit as st

from soundalike.index.index import Index

T = TypeVar("T")

LONGEST = 20_000
"""Characters of a query parameter; our longest links list a few hundred tracks."""
_LONGEST_NUMBER = 12
"""Characters of a number. Python refuses to read very long ones."""

_WEB_ADDRESS = re.compile(
    r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:/[\w.~-]+)*", re.I | re.A
)
_LONGEST_ADDRESS = 300


class Action(NamedTuple):
    """What a button beside a track does, and the track's id."""

    name: str
    track: str


IGNORED = "address_ignored"
"""Session key that says whether the address is still that of the page that was left."""


def parameter(name: str) -> str:
    """A query parameter of the page's address; "" without one."""
    if st.session_state.get(IGNORED):
        return ""
    return text(st.query_params.get(name), LONGEST)


def sent(component: object, name: str) -> Any:
    """What a component in the browser has sent under a name, as it came; None if nothing has come."""
    return getattr(component, name, None)


def triggered(key: str, name: str) -> Any:
    """The same in a callback, by the component's key."""
    return sent(st.session_state.get(key), name)


def member(value: object, name: str) -> Any:
    """A named part of a value; None if it has no such part."""
    return value.get(name) if isinstance(value, Mapping) else None


def text(value: object, longest: int) -> str:
    """A text, cut off where it is too long."""
    return value[:longest] if isinstance(value, str) else ""


def web_address(value: object) -> str:
    """An address of a page on the web, without a slash at its end; "" if it is anything else.

    It has a host, perhaps a port and a path, and nothing more: no user's name, no parameters.
    """
    written = text(value, LONGEST).strip().rstrip("/")
    fits = len(written) <= _LONGEST_ADDRESS and _WEB_ADDRESS.fullmatch(written)
    return written if fits else ""


def texts(value: object, longest: int, most: int) -> list[str]:
    """The texts of a list, without empty ones."""
    values = value if isinstance(value, list) else []
    return [one for one in (text(item, longest) for item in values[:most]) if one]


def number(value: object, options: range) -> int | None:
    """A whole number of a range, written or not."""
    if isinstance(value, str):
        written = len(value) <= _LONGEST_NUMBER and value.isascii() and value.isdecimal()
        value = int(value) if written else None
    return value if type(value) is int and value in options else None


def span(value: object, options: range) -> tuple[int, int] | None:
    """Two whole numbers of a range, the first not above the second, from a text such as "100-130"."""
    first, _, last = text(value, LONGEST).partition("-")
    low, high = number(first, options), number(last, options)
    return (low, high) if low is not None and high is not None and low <= high else None


def share(value: object) -> float | None:
    """A number from -1 to 1, but not 0."""
    try:
        found = float(text(value, _LONGEST_NUMBER))
    except ValueError:
        return None
    return found if math.isfinite(found) and 0 < abs(found) <= 1 else None


def option(value: object, options: Iterable[T], default: T) -> T:
    """The option that is written like this, or the default."""
    by_text = {str(one): one for one in options}
    return by_text.get(value, default) if isinstance(value, str) else default


def chosen(value: object, options: Collection[str], most: int, separator: str = ",") -> list[str]:
    """Some of the options, each once, from a text with commas or another separator."""
    named = dict.fromkeys(text(value, LONGEST).split(separator))
    return [name for name in named if name in options][:most]


def track(index: Index, value: object) -> str | None:
    """The id of a track of the library."""
    return value if isinstance(value, str) and index.has(value) else None


def tracks(index: Index, value: object) -> list[str]:
    """Ids of tracks, each once, from a list or a text with commas."""
    values = text(value, LONGEST).split(",") if isinstance(value, str) else value
    if not isinstance(values, list):
        return []
    found = (track(index, one) for one in values[: len(index)])
    return list(dict.fromkeys(one for one in found if one is not None))


def action(index: Index, value: object, names: Collection[str]) -> Action | None:
    """An action on a track of the library: one of those names."""
    name, found = member(value, "action"), track(index, member(value, "track"))
    return Action(name, found) if isinstance(name, str) and name in names and found is not None else None


def row(value: object, rows: Sequence[T]) -> T | None:
    """The row that a selection in a table names; None without one."""
    places = member(member(value, "selection"), "rows")
    place = number(places[0], range(len(rows))) if isinstance(places, list) and places else None
    return None if place is None else rows[place]
