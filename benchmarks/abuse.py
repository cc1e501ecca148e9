"""Honest visitors beside attackers: page changes and uploads at the 95th percentile, and errors.

    python benchmarks/abuse.py [--sessions N] [--seconds S] [--attack NAME ...] [--json]

The visitors are those of `load.py` with remote browsers (`distant`). Each attack has a new server and
is repeated as long as the visitors stay. It comes from a process and an address of its own; that process
runs at the lowest priority, since a real attacker uses no processor of the server. "none" is the same
without an attacker.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import attacks
import numpy as np
import soundfile  # type: ignore[import-untyped]
from figures import Figure, parser, percentile, show
from load import alone, crowd_elsewhere, ready
from serving import served

PAUSE_S = 0.5
"""Between two goes of an attacker."""


def slow_uploads(address: str) -> None:
    """Hold an upload open that never comes."""
    with attacks.slow_upload(address) as answer:
        answer()


def clips_that_take_long(address: str) -> None:
    """Have small files of twenty minutes decoded."""
    # The bytes after its end make it another clip, whose answer isn't known yet.
    attacks.clips_of_those_who_leave(address, long_clip() + os.urandom(8))


@cache
def long_clip(minutes: float = 19.9, sample_rate: int = 48_000) -> bytes:
    """A small FLAC file that never changes, in stereo."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", sample_rate, 2, format="FLAC") as written:
        second = np.full((sample_rate, 2), 0.25, np.float32)
        for _ in range(int(minutes * 60)):
            written.write(second)
    return file.getvalue()


ATTACKS: dict[str, Callable[[str], object]] = {
    "none": lambda address: None,
    "flood of messages": lambda address: attacks.flood(address, 10_000),
    "messages just below the limit": lambda address: attacks.flood(address, 600, 29),
    "orders to empty the caches": attacks.forget_all,
    "uploads to invented addresses": lambda address: attacks.unused_uploads(address, 25),
    "uploads that nobody uses": lambda address: attacks.unused_uploads(address, 5, asked=True),
    "uploads that never come": slow_uploads,
    "long clips of visitors who leave": clips_that_take_long,
    "a list of 400,000 attributes": attacks.list_of_attributes,
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
        spawned = multiprocessing.get_context("spawn")
        attacker = spawned.Process(target=attack, args=[name, server.address], daemon=True)
        attacker.start()
        seen = crowd_elsewhere(server.address, sessions, seconds, expected)
        attacker.terminate()
        attacker.join()
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


def attack(name: str, address: str) -> None:
    """Attack without an end; a server that refuses ends a go, not the attacker."""
    os.nice(19)
    with attacks.another_address():
        while True:
            with suppress(Exception):
                ATTACKS[name](address)
            time.sleep(PAUSE_S)


if __name__ == "__main__":
    main()
