"""Problem documents (RFC 9457): how every error is answered."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from soundalike.errors import (
    AudioError,
    BusyError,
    DestinationError,
    MissingPackageError,
    SoundalikeError,
    StoredDataError,
    UnavailableError,
    UnknownRepresentationError,
    UnknownTrackError,
)

_LOG = logging.getLogger(__name__)
PROBLEM_JSON = "application/problem+json"
TYPE = "urn:soundalike:problem:"
"""What the type of every problem begins with."""
RETRY_S = 30
"""Seconds after which a busy server is worth another try."""
_LONGEST_QUOTED = 40


@dataclass(frozen=True)
class Kind:
    """A kind of problem.

    Attributes
    ----------
    name : the last part of its type
    status : HTTP status
    title : a short summary, the same for all problems of the kind
    """

    name: str
    status: int
    title: str


INVALID = Kind("invalid-parameter", 400, "A parameter is not valid")
UNKNOWN_REPRESENTATION = Kind("unknown-representation", 400, "There is no such representation")
NOT_HTTP = Kind("malformed-request", 400, "The request cannot be read")
MALFORMED = Kind("malformed-upload", 400, "The upload cannot be read")
UNKNOWN_PATH = Kind("unknown-path", 404, "There is nothing at this address")
UNKNOWN_TRACK = Kind("unknown-track", 404, "There is no such track")
METHOD = Kind("method-not-allowed", 405, "The address does not take this method")
LATE = Kind("late-upload", 408, "The upload did not arrive in time")
TOO_LARGE = Kind("too-large", 413, "The upload is too large")
UNUSABLE_AUDIO = Kind("unusable-audio", 422, "The audio cannot be used")
UNUSABLE_REQUEST = Kind("unusable-request", 422, "The request cannot be met")
TOO_MANY = Kind("too-many-requests", 429, "Too many requests from one address")
INTERNAL = Kind("internal-error", 500, "The server failed")
UNUSABLE_DATA = Kind("unusable-data", 500, "The server's index or models cannot be used")
BUSY = Kind("busy", 503, "The server is busy")

KINDS = (
    *(INVALID, UNKNOWN_REPRESENTATION, NOT_HTTP, MALFORMED, UNKNOWN_PATH, UNKNOWN_TRACK, METHOD, LATE),
    *(TOO_LARGE, UNUSABLE_AUDIO, UNUSABLE_REQUEST, TOO_MANY, INTERNAL, UNUSABLE_DATA, BUSY),
)
"""All of them, by status."""


class ProblemError(Exception):
    """An error that a client is told.

    Parameters
    ----------
    kind : what went wrong
    detail : what to do about it, in a sentence or two on one line
    headers : of the answer
    more : further members of the document
    """

    def __init__(
        self, kind: Kind, detail: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.headers = dict(headers or {})
        self.document: dict[str, Any] = {
            "type": TYPE + kind.name,
            "title": kind.title,
            "status": kind.status,
            "detail": detail,
            **more,
        }

    def response(self) -> Response:
        """The answer."""
        return json_response(self.document, self.kind.status, self.headers, PROBLEM_JSON)


def json_response(
    document: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    """A JSON document as an answer, also if a title has half a character that UTF-8 cannot hold."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    return Response(text.encode("utf-8", "replace"), status, headers, media_type)


def of(error: SoundalikeError) -> ProblemError:
    """The problem that one of our errors is to a client."""
    detail = " ".join(str(error).split())
    match error:
        case BusyError():
            return busy(detail)
        case UnavailableError():
            return ProblemError(BUSY, detail, {"Retry-After": str(RETRY_S)})
        case UnknownTrackError():
            return ProblemError(UNKNOWN_TRACK, detail)
        case UnknownRepresentationError():
            return ProblemError(UNKNOWN_REPRESENTATION, detail)
        case AudioError():
            return ProblemError(UNUSABLE_AUDIO, detail)
        case StoredDataError() | MissingPackageError() | DestinationError():
            # The message may name folders of the server.
            _LOG.error("%s", detail)
            return ProblemError(
                UNUSABLE_DATA,
                "The server cannot read its index or models. Ask whoever runs it to look at its log.",
            )
    return ProblemError(UNUSABLE_REQUEST, detail)


def busy(detail: str) -> ProblemError:
    """The problem of a client that comes at a time when others are served."""
    return ProblemError(BUSY, detail, {"Retry-After": str(RETRY_S)})


def stopping() -> ProblemError:
    """The problem of a request that a server does not get to before it ends."""
    return busy("The server is stopping. Try again when it has started again.")


def quoted(text: str) -> str:
    """A client's own words in a message: short, and on one line."""
    return repr(text if len(text) <= _LONGEST_QUOTED else f"{text[:_LONGEST_QUOTED]}…")
