"""The endpoints: addresses, parameters, answers and problems. The OpenAPI document comes from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from soundalike import representations
from soundalike.audio import decoding
from soundalike.playlist import playlist
from soundalike.service import problems
from soundalike.service.library import Call, Document, Library
from soundalike.service.parameters import PATH, Choice, Integer, Number, Parameter, Text, Track
from soundalike.service.problems import Kind
from soundalike.words import description

MOST_STOPS = 3
"""Stops on the way of a journey."""
ANYWHERE = (
    problems.INVALID,
    problems.TOO_MANY,
    problems.INTERNAL,
    problems.UNUSABLE_DATA,
    problems.BUSY,
)
"""Problems that any endpoint may answer with."""
OF_UPLOADS = (problems.MALFORMED, problems.LATE, problems.TOO_LARGE, problems.UNUSABLE_AUDIO)


@dataclass(frozen=True)
class Endpoint:
    """A method of an address.

    Attributes
    ----------
    method, path : as in OpenAPI
    name : unique
    summary, description : in one line, and in a few sentences
    answer : name of the answer's schema (`schemas`)
    work : makes the answer
    parameters : what a request may say in its address
    problems : what it may be answered with, besides `ANYWHERE`
    takes_clip : whether its body is a clip
    is_quick : whether it blocks for nothing, and needs no thread
    """

    method: str
    path: str
    name: str
    summary: str
    description: str
    answer: str
    work: Callable[[Call], Document]
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[Kind, ...] = ()
    takes_clip: bool = False
    is_quick: bool = False


def of(library: Library) -> list[Endpoint]:
    """The endpoints for a library."""
    known, ids = library.index.has, library.index.ids
    return [
        Endpoint(
            "POST",
            "/recommend",
            "recommendByUpload",
            "Find music that sounds like a clip",
            "The body is the clip, or a form whose only part is a file named `file`. The clip is "
            "decoded in memory, in a confined process, and is neither kept nor logged.",
            "Recommendations",
            library.recommend_upload,
            (
                *_choosing(library.comparing_clips),
                Number(
                    "offset",
                    "Where the half minute to compare by starts, in seconds. Without it, the loudest "
                    "half minute counts.",
                    low=0.0,
                    high=decoding.MAX_SECONDS,
                ),
            ),
            (*OF_UPLOADS, problems.UNKNOWN_REPRESENTATION, problems.UNUSABLE_REQUEST),
            takes_clip=True,
        ),
        Endpoint(
            "GET",
            "/recommend",
            "recommendByTrack",
            "Find music that sounds like a track of the library",
            "Nothing is decoded: the index has what is compared.",
            "Recommendations",
            library.recommend_track,
            (
                Track("track", "The track's ID.", required=True, is_known=known, example=ids[0]),
                *_choosing(library.comparing_tracks),
            ),
            (problems.UNKNOWN_TRACK, problems.UNKNOWN_REPRESENTATION),
        ),
        Endpoint(
            "GET",
            "/describe",
            "describe",
            "Find music by a description",
            "The answer says which words were understood, and which are unknown.",
            "Described",
            library.describe,
            (
                Text(
                    "text",
                    "Words such as 'calm piano with strings' or 'fast, no vocals'.",
                    required=True,
                    longest=description.LONGEST_TEXT,
                    example="calm piano with strings",
                ),
                _length("Number of tracks."),
            ),
            (problems.UNUSABLE_REQUEST,),
        ),
        Endpoint(
            "GET",
            "/journey",
            "journey",
            "Lead from one track to another in small steps",
            "The answer begins with the start and ends with the destination.",
            "Journey",
            library.journey,
            (
                Track("from", "The start's ID.", required=True, is_known=known, example=ids[0]),
                Track("to", "The destination's ID.", required=True, is_known=known, example=ids[-1]),
                Track("via", "ID of a stop on the way.", most=MOST_STOPS, is_known=known),
                _length("Number of tracks between start and destination."),
                _by(library.with_vectors),
            ),
            (problems.UNKNOWN_TRACK, problems.UNKNOWN_REPRESENTATION, problems.UNUSABLE_REQUEST),
        ),
        Endpoint(
            "GET",
            "/tracks/{id}",
            "track",
            "What the index stores about a track",
            "A value is null where the index lacks it.",
            "Track",
            library.track,
            (Track("id", "The track's ID.", PATH, required=True, is_known=known, example=ids[0]),),
            (problems.UNKNOWN_TRACK,),
        ),
        Endpoint(
            "GET",
            "/health",
            "health",
            "Whether the server can answer",
            "Never waits for the networks, so it also answers while they are busy.",
            "Health",
            library.health,
            is_quick=True,
        ),
    ]


def _choosing(names: tuple[str, ...]) -> tuple[Parameter, ...]:
    """What a list of recommendations may be like."""
    return (
        _length("Number of tracks."),
        _by(names),
        Integer(
            "per_artist",
            "Maximum number of tracks per artist; 0 for no limit.",
            default=playlist.PER_ARTIST,
            high=playlist.MAX_LENGTH,
        ),
        Number(
            "variety",
            "0 picks the closest matches; up to 1 makes the tracks more different from each other.",
            default=0.0,
            high=1.0,
        ),
        Text(
            "only",
            "Conditions that the tracks must meet, such as 'piano, no vocals, 100 to 130 BPM'.",
            longest=description.LONGEST_TEXT,
        ),
    )


def _length(about: str) -> Integer:
    return Integer("length", about, default=playlist.DEFAULT_LENGTH, low=1, high=playlist.MAX_LENGTH)


def _by(names: tuple[str, ...]) -> Choice:
    default = representations.default(names) if names else None
    return Choice("by", "The representation to compare by.", default=default, options=names)
