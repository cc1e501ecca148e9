"""Uvicorn's HTTP, with a problem document for what isn't valid HTTP."""

from __future__ import annotations

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from soundalike.service.limits import HEADERS
from soundalike.service.problems import NOT_HTTP, ProblemError

_UNREAD = "This isn't a valid HTTP request. Percent-encode the URL, and keep the headers under 64 kB."


class Protocol(H11Protocol):
    """A connection."""

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be read as a request, and close the connection."""
        answer = ProblemError(NOT_HTTP, _UNREAD, {**HEADERS, "Connection": "close"}).response()
        events = (
            h11.Response(status_code=answer.status_code, headers=answer.raw_headers),
            h11.Data(data=bytes(answer.body)),
            h11.EndOfMessage(),
        )
        try:
            for event in events:
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:
            # The answer to the request's beginning is on its way.
            self.transport.abort()
            return
        self.transport.close()
