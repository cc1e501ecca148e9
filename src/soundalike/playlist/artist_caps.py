"""Caps on the tracks of one artist or album, and one track per recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from soundalike.errors import PlaylistError
from soundalike.index import duplicates
from soundalike.index.index import Index


class Members:
    """The tracks of a playlist while it is made, and how many were refused by which rule.

    Parameters
    ----------
    index : the library
    length : tracks wanted
    per_artist, per_album : most tracks of each; None for any number
    pinned : rows that are in whatever the caps say; they count towards them

    Raises
    ------
    PlaylistError
        If more tracks are pinned than wanted.
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
        """Whether there are as many as wanted."""
        return len(self.rows) >= self._length

    def offer(self, row: int) -> bool:
        """Take a track in, unless a rule is against it."""
        rule = self._against(row)
        if rule is None:
            self._add(row)
        else:
            self.refused[rule] += 1
        return rule is None

    def _against(self, row: int) -> str | None:
        if row in self._copies:
            return "copy"
        for kind, cap in self._caps.items():
            name = self._index.fact(kind, row)
            if cap is not None and name and self._counts[kind, name] >= cap:
                return kind
        return None

    def _add(self, row: int) -> None:
        self.rows.append(row)
        self._copies |= duplicates.of(self._index, row)
        for kind in self._caps:
            self._counts[kind, self._index.fact(kind, row)] += 1
