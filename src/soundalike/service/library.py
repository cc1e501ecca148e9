"""What the endpoints give: the library's answers as JSON documents.

They have the names of the command line's `--json`. Everything here blocks, and runs in a thread.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from soundalike import __version__, representations
from soundalike.audio import sandbox
from soundalike.errors import InputError, ModelError
from soundalike.fair_queue import FairQueue
from soundalike.index import track_arrays
from soundalike.index.index import Index
from soundalike.index.integrity import Check
from soundalike.models import ModelStore
from soundalike.playlist import file_writer, journey, playlist, query
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import Recipe
from soundalike.playlist.query import Query
from soundalike.service import parameters
from soundalike.words import description, filters, library, measures, naming, search
from soundalike.words.filters import Filter

_FACTS = ("track_id", "title", "artist", "album", "genre")
Document = dict[str, Any]


class LeftError(Exception):
    """The client has gone, or the server ends; nobody waits for the answer."""


@dataclass
class Call:
    """A request that is being answered.

    Attributes
    ----------
    values : of its parameters
    visitor : whom it comes from, for the queues
    content : the clip that was uploaded
    is_stopping : whether the server ends
    has_left : set when the client has gone
    """

    values: Mapping[str, Any]
    visitor: str = ""
    content: bytes = b""
    is_stopping: Callable[[], bool] = lambda: False
    has_left: threading.Event = field(default_factory=threading.Event)

    def check(self, ahead: int = 0) -> None:
        """Raise `LeftError` if nobody waits; what the queues call while the request waits."""
        if self.has_left.is_set() or self.is_stopping():
            raise LeftError


class Library:
    """An index with its networks, and the queues in front of them.

    Parameters
    ----------
    index : the library
    models : the networks that the index was built with
    """

    def __init__(self, index: Index, models: ModelStore) -> None:
        self.index = index
        self.models = models
        self._check = Check(index)
        self._networks = FairQueue()
        self._searches = FairQueue(places=os.cpu_count() or 1)

    @property
    def comparing_tracks(self) -> tuple[str, ...]:
        """The representations that compare the library's tracks with each other."""
        return tuple(self.index.names)

    @property
    def with_vectors(self) -> tuple[str, ...]:
        """The representations in which a journey can lead through the library."""
        return tuple(name for name in self.index.names if self.index.has_vectors(name))

    @property
    def comparing_clips(self) -> tuple[str, ...]:
        """The representations that compare a new clip with the library."""
        return tuple(name for name in self.with_vectors if self._embeds(name))

    def _embeds(self, name: str) -> bool:
        kind = representations.get(name)
        light = self.models.light and "vgg16" in kind.models
        return set(kind.models) <= self.models.names and kind.from_table is None and not light

    def recommend_track(self, call: Call) -> Document:
        """The tracks that sound most like one of the library's."""
        recipe = _recipe(call)
        with self._searching(call):
            return self._recommended(recipe, query.from_library(self.index, call.values["track"]))

    def recommend_upload(self, call: Call) -> Document:
        """The tracks that sound most like a clip that was uploaded."""
        self._check.confirm()
        recipe = _recipe(call)
        start = call.values["offset"]
        decode = partial(sandbox.decode, visitor=call.visitor, on_place=call.check, start=start)
        found = query.embed_query(
            call.content,
            self.index,
            self.models,
            turn=partial(self._networks.acquire, call.visitor, call.check),
            decode=decode,
            chosen=start is not None,
        )
        if start is not None and found.duration is not None and start >= found.duration:
            late = f"The clip ends before {start:g} seconds, so its last half minute was compared."
            found = replace(found, notes=(*found.notes, late))
        return self._recommended(recipe, found)

    def _recommended(self, recipe: Recipe, asked: Query) -> Document:
        found = playlist.make_playlist(self.index, [Seed(asked)], recipe)
        in_library = asked.row if asked.row is not None else asked.recording
        return {
            "query": {
                "track_id": None if in_library is None else self.index.fact("track_id", in_library),
                "duration": _rounded(asked.duration, 2),
            },
            "representation": recipe.representation,
            "results": [
                self._facts(entry.rank, entry.row) | {"similarity": round(entry.similarity, 6)}
                for entry in found.entries
            ],
            "notes": [*asked.notes, *found.notes],
        }

    def describe(self, call: Call) -> Document:
        """The tracks that a description fits best."""
        understood = description.read(call.values["text"])
        if not understood.terms:
            raise parameters.wrong(
                "text", "No word of `text` is known. Try a genre, an instrument or a mood."
            )
        with self._searching(call):
            found = search.search(self.index, self.models, understood.terms)
            if not found.terms:
                raise InputError(search.unavailable(found.missing))
            rows = search.best(found, call.values["length"])
            return {
                "terms": [term.label for term in found.terms],
                "unknown": list(understood.unknown),
                "results": [
                    self._facts(rank, row) | {"match": round(float(found.match[row]), 6)}
                    for rank, row in enumerate(rows, 1)
                ],
                "notes": search.notes(understood, found),
            }

    def journey(self, call: Call) -> Document:
        """The tracks that lead from one to another in small steps."""
        values = call.values
        stops = [values["from"], *values["via"], values["to"]]
        for name in ("via", "to"):
            own = values[name] if name == "via" else (values[name],)
            if any(stops.count(stop) > 1 for stop in own):
                raise parameters.wrong(name, f"Give `{name}` as a track that is not on the journey yet.")
        if values["length"] < len(values["via"]):
            raise parameters.wrong(
                "length",
                f"Give `length` as at least {len(values['via'])}, the number of stops on the way.",
            )
        with self._searching(call):
            rows = [self.index.row(stop) for stop in stops]
            found = journey.travel(self.index, rows, _representation(call), values["length"])
            steps = (0.0, *found.steps)
            return {
                "representation": found.representation,
                "results": [
                    self._facts(rank, row) | {"step": round(step, 3)}
                    for rank, (row, step) in enumerate(zip(found.rows, steps, strict=True), 1)
                ],
                "notes": list(found.notes),
            }

    def track(self, call: Call) -> Document:
        """What the index knows of a track; None where it lacks something."""
        with self._searching(call):
            row = self.index.row(call.values["id"])
            genres = self.index.genre_probabilities(row) if self.index.genres else {}
            return {
                **{column: self.index.fact(column, row) for column in (*_FACTS, "licence")},
                "duration": _rounded(file_writer.seconds_of(self.index, row), 2),
                "tempo": self._measured(measures.TEMPO, row),
                "key": self._key(row),
                "loudness": self._measured(measures.LOUDNESS, row),
                "brightness": self._measured(measures.BRIGHTNESS, row),
                "words": self._words(row),
                "genres": {genre: round(share, 4) for genre, share in genres.items()},
            }

    def health(self, _: Call) -> Document:
        """Whether the server can answer, and what with.

        Raises
        ------
        IndexFolderError
            If the index was found to be damaged.
        """
        self._check.confirm()
        return {
            "status": "ok",
            "version": __version__,
            "tracks": len(self.index),
            "representations": self.index.names,
            "waiting": self._networks.waiting + self._searches.waiting,
        }

    def _facts(self, rank: int, row: int) -> Document:
        return {"rank": rank} | {column: self.index.fact(column, row) for column in _FACTS}

    def _measured(self, quantity: str, row: int) -> float | None:
        values = measures.quantity(self.index, quantity)
        return None if values is None else _rounded(float(values[row]), 2)

    def _key(self, row: int) -> str | None:
        keys = track_arrays.keys(self.index)
        if keys is None or keys[row, 0] < 0:
            return None
        return measures.key_name(int(keys[row, 0]), int(keys[row, 1]))

    def _words(self, row: int) -> Sequence[str] | None:
        try:
            words = library.of(self.index, self.models)
        except ModelError:
            return None
        if words is None:
            return None
        return [item.word for item in naming.sounds_like(words, words.of_track(row)).words]

    @contextmanager
    def _searching(self, call: Call) -> Iterator[None]:
        """Hold a processor; addresses get one in turn."""
        self._check.confirm()
        with self._searches.acquire(call.visitor, call.check):
            yield


def _representation(call: Call) -> str:
    """The representation to compare by."""
    if call.values["by"] is None:
        raise InputError(
            "This index stores only the neighbours of its own tracks. Ask for one with GET /recommend."
        )
    return str(call.values["by"])


def _recipe(call: Call) -> Recipe:
    """The settings of a list of recommendations."""
    values = call.values
    return Recipe(
        _representation(call),
        values["length"],
        values["per_artist"] or None,
        variety=values["variety"],
        only=_filter(values["only"]),
    )


def _filter(text: str | None) -> Filter:
    wanted = filters.read(text or "")
    if text and wanted.is_empty:
        raise parameters.wrong(
            "only", "No part of `only` is understood. Try words, as in 'piano, no vocals'."
        )
    return wanted


def _rounded(value: float | None, digits: int) -> float | None:
    return round(value, digits) if value is not None and math.isfinite(value) else None
