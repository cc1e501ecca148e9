"""The API for other programs under load.

Clients of different addresses send requests without a pause: clips, IDs, descriptions and journeys. Each
answer is compared with the one that the server gave to the same request when it was alone.

    python benchmarks/service.py --clients 20 --seconds 60
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import requests
import uploads
from figures import percentile

from soundalike import paths
from soundalike.index import index

PATIENCE_S = 120
CLIPS, OTHERS = 12, 30
"""Different uploads, and different requests of each other kind."""
SHARES = {"upload": 3, "recommend": 6, "describe": 3, "journey": 3, "track": 3, "health": 2}
"""How often each kind is asked for, in twenty requests."""
NAMES = {
    "upload": "`POST /recommend`",
    "recommend": "`GET /recommend`",
    "describe": "`GET /describe`",
    "journey": "`GET /journey`",
    "track": "`GET /tracks/{id}`",
    "health": "`GET /health`",
}
WORDS = ("piano", "rock", "calm", "strings", "fast", "no drums", "choir", "dark", "guitar", "sad")


@dataclass(frozen=True)
class Request:
    """What a client sends, and the answer that is right."""

    kind: str
    path: str
    content: bytes = b""
    right: Any = None


@dataclass
class Seen:
    """Times by kind of request, and what went wrong."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--clients", type=int, default=20)
    options.add_argument("--seconds", type=float, default=60.0)
    chosen = options.parse_args()
    with served() as address:
        asked = [answered(address, request) for request in made_up()]
        seen, took = crowd(address, asked, chosen.clients, chosen.seconds)
    print(table(seen, chosen.clients, took))
    for problem in [*seen.errors, *seen.wrong][:20]:
        print(problem, file=sys.stderr)
    sys.exit(bool(seen.errors or seen.wrong))


@contextmanager
def served() -> Iterator[str]:
    """Run `soundalike serve`; yields its address."""
    command = [sys.executable, "-m", "soundalike", "serve", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert server.stdout is not None
    try:
        found = re.search(r"http://\S+", server.stdout.readline())
        yield found[0] if found else sys.exit("The server did not start.")
    finally:
        server.terminate()
        server.wait(20)


def made_up() -> Iterator[Request]:
    """Different requests of each kind."""
    chance, ids = random.Random(0), index.load(paths.BUNDLED_INDEX).ids
    for number in range(CLIPS):
        yield Request("upload", "/recommend?length=10", uploads.upload(number)[1])
    yield Request("health", "/health")
    for _ in range(OTHERS):
        first, second = chance.sample(ids, 2)
        words = ",+".join(chance.sample(WORDS, 2)).replace(" ", "+")
        yield Request("recommend", f"/recommend?track={first}&variety={chance.choice([0, 0.3])}")
        yield Request("describe", f"/describe?text={words}")
        yield Request("journey", f"/journey?from={first}&to={second}&length=8")
        yield Request("track", f"/tracks/{second}")


def answered(address: str, request: Request) -> Request:
    """The request with its right answer."""
    answer = sent(requests.Session(), address, request)
    answer.raise_for_status()
    return Request(request.kind, request.path, request.content, answer.json())


def sent(session: requests.Session, address: str, request: Request) -> requests.Response:
    """Send a request."""
    url = f"{address}{request.path}"
    if request.kind == "upload":
        return session.post(url, data=request.content, timeout=PATIENCE_S)
    return session.get(url, timeout=PATIENCE_S)


def crowd(address: str, asked: Sequence[Request], clients: int, seconds: float) -> tuple[Seen, float]:
    """All clients at once: what they saw, and how long the last one was busy."""
    seen, begun = Seen(), time.monotonic()
    threads = [
        threading.Thread(target=ask, args=(address, asked, number, begun + seconds, seen))
        for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen, time.monotonic() - begun


def ask(address: str, asked: Sequence[Request], number: int, until: float, seen: Seen) -> None:
    """Send requests until the time is over."""
    chance = random.Random(number)
    by_kind = {kind: [request for request in asked if request.kind == kind] for kind in SHARES}
    with requests.Session() as session:
        # The server believes a proxy on its own machine.
        session.headers["X-Forwarded-For"] = f"192.0.2.{number + 1}"
        while time.monotonic() < until:
            (kind,) = chance.choices([*SHARES], [*SHARES.values()])
            request = chance.choice(by_kind[kind])
            begun = time.monotonic()
            try:
                answer = sent(session, address, request)
            except requests.RequestException as error:
                seen.errors.append(f"{request.path}: {type(error).__name__}")
                continue
            seen.times[kind].append(time.monotonic() - begun)
            if answer.status_code != 200:
                seen.errors.append(f"{request.path}: {answer.text}")
            elif kind != "health" and not is_right(answer.json(), request.right):
                seen.wrong.append(f"{request.path}: {answer.text[:200]}")


def is_right(answer: Any, right: Any) -> bool:
    """Whether it is the answer to this request; a network's last digits depend on its threads."""
    found, wanted = answer.get("results", []), right.get("results", [])
    same = [one["track_id"] for one in found] == [one["track_id"] for one in wanted]
    return same and answer.get("track_id") == right.get("track_id")


def table(seen: Seen, clients: int, took: float) -> str:
    """The figures as a Markdown table."""
    count = sum(map(len, seen.times.values()))
    lines = [
        f"{clients} clients, {took:.0f} s: {count:,} requests, {len(seen.errors)} errors, "
        f"{len(seen.wrong)} wrong answers",
        "",
        "| | requests | median, ms | 95th percentile, ms |",
        "|---|---:|---:|---:|",
    ]
    for kind, name in NAMES.items():
        times = [1_000 * seconds for seconds in seen.times[kind]]
        if times:
            figures = f"{len(times):,} | {median(times):,.0f} | {percentile(times, 0.95):,.0f}"
            lines.append(f"| {name} | {figures} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
