"""Limits on tracks per artist and album, and one track per recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from soundalike.errors import PlaylistError
from soundalike.index import duplicates
from soundalike.index.index import Index


class Members:
    """The tracks of a playlist being built, and how many tracks each rule rejected.

    Parameters
    ----------
    index : the library
    length : number of tracks wanted
    per_artist, per_album : maximum number of tracks of each; None for no limit
    pinned : rows that are included regardless of the limits; they count towards them

    Raises
    ------
    PlaylistError
        If more tracks are pinned than `length`.
    """

    def __init__(
        self,
        index: Index,
        length: int,
        per_artist: int | None,
        per_album: int | None,
        pinned: Sequence[int] = (),
    ) -> None:
        if len(pinned) > length:
            raise PlaylistError(
                f"{len(pinned)} tracks are pinned, but the playlist has only {length}. "
                "Unpin some or make it longer."
            )
        self.rows: list[int] = []
        self.refused: Counter[str] = Counter()
        self._index = index
        self._caps = {"artist": per_artist, "album": per_album}
        self._length = length
        self._counts: Counter[tuple[str, str]] = Counter()
        self._copies: set[int] = set()
        for row in pinned:
            self._add(row)

    @property
    def full(self) -> bool:
        """Whether the playlist has the number of tracks wanted."""
        return len(self.rows) >= self._length

    def offer(self, row: int) -> bool:
        """Add a track unless a rule rejects it; return whether it was added."""
        rule = self._violated_rule(row)
        if rule is None:
            self._add(row)
        else:
            self.refused[rule] += 1
        return rule is None

    def _violated_rule(self, row: int) -> str | None:
        if row in self._copies:
            return "copy"
        for kind, cap in self._caps.items():
            name = self._name(kind, row)
            if cap is not None and name and self._counts[kind, name] >= cap:
                return kind
        return None

    def _add(self, row: int) -> None:
        self.rows.append(row)
        self._copies |= duplicates.of(self._index, row)
        for kind in self._caps:
            self._counts[kind, self._name(kind, row)] += 1

    def _name(self, kind: str, row: int) -> str:
        """What counts as the same artist or album; "" if it's unknown."""
        return self._index.artist_key(row) if kind == "artist" else self._index.fact(kind, row)
