"""Read visitors' playlist files in the processes that decode their clips (`audio.sandbox`)."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

from soundalike.audio import sandbox
from soundalike.errors import AudioError
from soundalike.fair_queue import OnPlace
from soundalike.playlist import file_reader, listing_file
from soundalike.playlist.file_writer import one_line
from soundalike.playlist.listing_file import ListingError, Reference


def read(content: bytes, name: str, visitor: str, on_place: OnPlace) -> tuple[Reference, ...]:
    """As `file_reader.read`; a list that is slow to parse holds up nobody else.

    Parameters
    ----------
    content, name : as for `file_reader.read`
    visitor, on_place : as in `FairQueue.acquire`; see `sandbox.Pool`

    Raises
    ------
    ListingError
        As `file_reader.read`; also if the process fails.
    BusyError
        If too many files are waiting already.
    """
    shown = one_line(name) or "The file"
    try:
        found = sandbox.call(f"{__name__}:lists", content, name, visitor, on_place)
        # What comes from such a process is as untrusted as the file.
        return tuple(map(_reference, found[: listing_file.MAX_ENTRIES]))
    except sandbox.SandboxError as error:
        raise ListingError(f"{shown} takes too long or too much memory to read. Split it.") from error
    except AudioError as error:
        raise ListingError(str(error)) from error
    except (TypeError, ValueError) as error:
        raise ListingError(f"{shown} cannot be read. Export it again.") from error


def lists(content: bytes, name: str) -> list[list[str | float | None]]:
    """The entries that `file_reader.read` finds, as JSON can represent them."""
    return [list(astuple(reference)) for reference in file_reader.read(content, name)]


def _reference(entry: list[Any]) -> Reference:
    location, track_id, title, artist, seconds = entry
    return Reference(
        str(location),
        None if track_id is None else str(track_id),
        str(title),
        str(artist),
        None if seconds is None else float(seconds),
    )
