"""Which tracks are by the same artist: the one rule for limits, filters, evaluation and counts.

Case, spaces, accents' encoding and "The" don't make another artist. Of several artists, the first
counts: "Ann feat. Ben", "Ann & Ben", "Ann / Ben" and "Ann, Ben" are Ann's; "Tyler, the Creator" is one.
"Various Artists", "Unknown" and the like are nobody; the album stands in for them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any, Protocol

_NOBODY = frozenset(
    (
        *("", "unknown", "unknown artist", "unknown artists", "[unknown]", "<unknown>", "no artist"),
        *("various", "various artist", "various artists", "va", "v.a", "v.a.", "v/a", "v. a."),
        *("soundtrack", "original soundtrack", "ost", "o.s.t", "o.s.t.", "n/a", "none"),
    )
)
"""Names of nobody, as `_folded` gives them."""
_NEXT = re.compile(
    r"""
    [\s(\[]+ (?:feat|ft|featuring)\b   # also "(feat. Ben)"
    | \s+ [&/] \s+                     # with spaces: R&B and AC/DC are one name
    | (?<=\w\w\w) / (?=\w\w\w)         # as ID3 writes several values
    | ,\s+ (?!the\s)                   # "Tyler, the Creator" is one name
    | ;
    """,
    re.VERBOSE,
)
"""What follows the first of several artists."""


class Columns(Protocol):
    """Anything that has columns by their names, such as a DataFrame."""

    def __getitem__(self, name: Any, /) -> Any: ...


@lru_cache(maxsize=4_096)
def key(artist: str, album: str = "") -> str:
    """What is equal for tracks by the same artist; "" if neither the artist nor the album is known.

    A key is for comparing, not for showing.
    """
    name = _folded(artist)
    if name in _NOBODY:
        return f"album: {_folded(album)}" if _folded(album) else ""
    first = _NEXT.split(name, maxsplit=1)[0].strip()
    return _without_the(first or name)


def keys(tracks: Columns) -> list[str]:
    """The `key` of each track of a table with the columns artist and album.

    Equal keys are one object, which saves most of the memory in a large library.
    """
    found: dict[tuple[str, str], str] = {}
    shared: dict[str, str] = {}
    listed = []
    for artist, album in zip(tracks["artist"], tracks["album"], strict=True):
        pair = str(artist), str(album)
        if pair not in found:
            name = key(*pair)
            found[pair] = shared.setdefault(name, name)
        listed.append(found[pair])
    return listed


def count(tracks: Columns) -> int:
    """Number of different artists; tracks by nobody don't count."""
    return len({name for artist in set(tracks["artist"]) if (name := key(str(artist)))})


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _without_the(name: str) -> str:
    return name.removeprefix("the ") or name
