"""Honest visitors beside attackers: page changes and uploads at the 95th percentile, and errors.

    python benchmarks/abuse.py [--sessions N] [--seconds S] [--attack NAME ...] [--json]

The visitors are those of `load.py` with remote browsers (`distant`). Each attack has a new server and
goes on, again and again, as long as the visitors stay. "none" is the same without an attacker.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress

import attacks
from figures import Figure, parser, percentile, show
from load import alone, crowd_elsewhere, ready
from serving import served

PAUSE_S = 0.5
"""Between two goes of an attacker."""


def slow_uploads(address: str) -> None:
    """Hold an upload open that never comes."""
    with attacks.slow_upload(address) as answer:
        answer()


ATTACKS: dict[str, Callable[[str], object]] = {
    "none": lambda address: None,
    "flood of messages": lambda address: attacks.flood(address, 10_000),
    "messages just below the limit": lambda address: attacks.flood(address, 600, 29),
    "orders to empty the caches": attacks.forget_all,
    "uploads to invented addresses": lambda address: attacks.unused_uploads(address, 25),
    "uploads that nobody uses": lambda address: attacks.unused_uploads(address, 5, asked=True),
    "uploads that never come": slow_uploads,
}


def main() -> None:
    """Print the figures."""
    options = parser(__doc__)
    options.add_argument("--sessions", type=int, default=20)
    options.add_argument("--seconds", type=float, default=120.0)
    options.add_argument("--clips", type=int, default=2, help="for each session; asked again in turn")
    options.add_argument("--attack", choices=ATTACKS, nargs="*", default=list(ATTACKS))
    chosen = options.parse_args()
    expected = alone(chosen.sessions * chosen.clips)
    found = []
    for name in chosen.attack:
        found += beside(name, chosen.sessions, chosen.seconds, expected)
    show(found, chosen.json)


def beside(name: str, sessions: int, seconds: float, expected: list[list[str]]) -> list[Figure]:
    """What honest visitors see beside an attacker."""
    with served() as server:
        ready(server.address)
        over = threading.Event()
        attacker = threading.Thread(target=attack, args=[name, server.address, over], daemon=True)
        attacker.start()
        seen = crowd_elsewhere(server.address, sessions, seconds, expected)
        over.set()
        attacker.join(60)
    if not seen.page_ms or not seen.upload_s:
        sys.exit(f"beside {name}, no visitor got as far as another page: {seen.problems[:3]}")
    for problem in [*seen.problems, *seen.mixed_up][:5]:
        print(f"{name}: {problem}", file=sys.stderr)
    return [
        Figure(
            f"beside {name}: page change, 95th percentile", round(percentile(seen.page_ms, 0.95)), "ms"
        ),
        Figure("the same, upload to playlist", round(percentile(seen.upload_s, 0.95), 1), "s"),
        Figure("the same, errors", len(seen.problems) + len(seen.mixed_up), "", 0),
    ]


def attack(name: str, address: str, over: threading.Event) -> None:
    """Attack until it is over; a server that refuses ends a go, not the attacker."""
    while not over.wait(PAUSE_S):
        with suppress(Exception):
            ATTACKS[name](address)


if __name__ == "__main__":
    main()
