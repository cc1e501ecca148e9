"""Rates, and what the server keeps of each address that it talks to."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable

from starlette.types import Scope

MOST_ADDRESSES = 10_000
"""Addresses that are remembered; beyond that, those that are idle are forgotten."""


class Bucket:
    """A token bucket: it fills at a steady rate, up to a burst.

    Parameters
    ----------
    rate : tokens that come back in a second
    burst : tokens that it holds, and has at first
    clock : the time in seconds
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._tokens, self._filled = burst, clock()

    def take(self, tokens: float = 1.0) -> float:
        """Take tokens, on credit if need be. Returns the seconds until they have come back."""
        self._fill()
        self._tokens -= tokens
        return max(0.0, -self._tokens / self._rate)

    def take_if_there(self, tokens: float = 1.0) -> bool:
        """Take tokens unless there are too few. Returns whether they were taken."""
        self._fill()
        there = self._tokens >= tokens
        if there:
            self._tokens -= tokens
        return there

    def is_full(self) -> bool:
        """Whether nothing was taken lately."""
        self._fill()
        return self._tokens >= self._burst

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
        self._filled = now


class Address:
    """An address that visitors come from.

    A class of thirty may share one address, and so may everybody where a proxy doesn't say whom it
    speaks for. The limits leave room for both.

    Attributes
    ----------
    sockets : the number of its open websockets
    messages : paces its messages together
    openings : limits how often it opens a websocket; a flood counts for many
    uploads : paces the bytes of its files; to take them in costs the server time
    """

    MESSAGES = (60.0, 300.0)
    OPENINGS = (5.0, 150.0)
    UPLOADS = (4.0 * 2**20, 256.0 * 2**20)

    def __init__(self) -> None:
        self.sockets = 0
        self.messages = Bucket(*self.MESSAGES)
        self.openings = Bucket(*self.OPENINGS)
        self.uploads = Bucket(*self.UPLOADS)

    def is_idle(self) -> bool:
        """Whether forgetting it changes nothing."""
        buckets = (self.messages, self.openings, self.uploads)
        return not self.sockets and all(bucket.is_full() for bucket in buckets)


class Addresses:
    """All addresses that the server remembers.

    Parameters
    ----------
    most : how many
    """

    def __init__(self, most: int = MOST_ADDRESSES) -> None:
        self._most = most
        self._known: dict[str, Address] = {}

    def of(self, scope: Scope) -> Address:
        """The address that a request comes from."""
        name = name_of(scope)
        if name not in self._known:
            if len(self._known) >= self._most:
                self._known = {key: kept for key, kept in self._known.items() if not kept.is_idle()}
            self._known[name] = Address()
        return self._known[name]


def name_of(scope: Scope) -> str:
    """The address of a request's sender; in IPv6, its network, as one customer has a whole one.

    Uvicorn has already put the address in that a trusted proxy forwards (`FORWARDED_ALLOW_IPS`).
    """
    host = str(scope["client"][0]) if scope.get("client") else ""
    found = _parsed(host)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found or host)


def is_own(scope: Scope) -> bool:
    """Whether a request comes from this machine, and not through a proxy on it."""
    forwarded = any(name in (b"x-forwarded-for", b"forwarded") for name, _ in scope["headers"])
    found = _parsed(str(scope["client"][0])) if scope.get("client") else None
    return found is not None and found.is_loopback and not forwarded


def _parsed(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address. One of IPv4 that came in through an IPv6 socket is one of IPv4."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
