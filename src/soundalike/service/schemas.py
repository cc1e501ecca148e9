"""JSON schemas of the answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from soundalike.service.problems import KINDS, TYPE

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
TEXTS: Schema = {"type": "array", "items": TEXT}
COUNT: Schema = {"type": "integer", "minimum": 0}
NOTES = TEXTS | {"description": "Sentences on what was left out, changed or not understood."}
RANK: Schema = {"type": "integer", "minimum": 1}


def _object(**properties: Schema) -> Schema:
    """An object that has all of these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _or_null(kind: str, about: str) -> Schema:
    return {"type": [kind, "null"], "description": about}


def _results(name: str, value: Schema) -> Schema:
    """A list of tracks, each with a value of its own."""
    texts = dict.fromkeys(("track_id", "title", "artist", "album", "genre"), TEXT)
    return {"type": "array", "items": _object(rank=RANK, **texts, **{name: value})}


def _between(low: float, high: float, about: str) -> Schema:
    return {"type": "number", "minimum": low, "maximum": high, "description": about}


def all_schemas() -> dict[str, Schema]:
    """The schemas by name."""
    return {
        "Recommendations": _object(
            query=_object(
                track_id=_or_null("string", "The clip's own ID, if the library has this recording."),
                duration=_or_null("number", "Seconds of the whole clip; null for a track."),
            ),
            representation=TEXT,
            # The correction of hubs may add a little to a cosine.
            results=_results("similarity", {"type": "number", "description": "About -1 to 1."}),
            notes=NOTES,
        ),
        "Described": _object(
            terms=TEXTS | {"description": "What was looked for."},
            unknown=TEXTS | {"description": "Words that are not known."},
            results=_results("match", _between(0, 1, "How well the description is met.")),
            notes=NOTES,
        ),
        "Journey": _object(
            representation=TEXT,
            results=_results("step", _between(0, 180, "Angle to the track before, in degrees.")),
            notes=NOTES,
        ),
        "Track": _object(
            **dict.fromkeys(("track_id", "title", "artist", "album", "genre", "licence"), TEXT),
            duration=_or_null("number", "Seconds."),
            tempo=_or_null("number", "Beats per minute."),
            key=_or_null("string", "As in 'C minor'."),
            loudness=_or_null("number", "LUFS."),
            brightness=_or_null("number", "Spectral centroid in Hz."),
            words=_or_null("array", "What the track sounds like.") | {"items": TEXT},
            genres={
                "type": "object",
                "description": "Predicted genres and their probabilities, likeliest first.",
                "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
            },
        ),
        "Health": _object(
            status={"type": "string", "const": "ok"},
            version=TEXT,
            tracks=COUNT,
            representations=TEXTS,
            waiting=COUNT | {"description": "Requests that wait for the networks or a processor."},
        ),
        "Problem": _problem(TYPE + kind.name for kind in KINDS),
    }


def _problem(types: Iterable[str]) -> Schema:
    faults = {"type": "array", "items": _object(name=TEXT, detail=TEXT)}
    return {
        "type": "object",
        "description": "A problem document (RFC 9457).",
        "properties": {
            "type": {"type": "string", "enum": list(types)},
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": TEXT | {"description": "What to do."},
            "parameters": faults | {"description": "Each parameter that is wrong."},
        },
        "required": ["type", "title", "status", "detail"],
        "additionalProperties": False,
    }
