"""Memory of the served app over time: what sessions leave behind, growth, and other configurations.

    python benchmarks/memory_growth.py [--sessions N] [--uploads N] [--json]

1. N browser sessions with an upload are opened and closed. Streamlit releases a session two minutes
   after its browser left, when the next one leaves, and the app collects garbage every half minute while
   it has users; the rest is what then remains of them.
2. Over N consecutive uploads in one browser page, the median of the last tenth is compared with that
   of the second tenth, after one-off growth.
3. All processes together, as in `memory.py`: with both networks, and with both on TensorFlow.
"""

from __future__ import annotations

import time
from statistics import median

from figures import Figure, parser, show
from memory import Memory, hosted, looking_around, mb, memory_of
from playwright.sync_api import Browser, Page, expect
from serving import PATIENCE_MS, Served, browser, served, upload, visit

GROWTH_BAR = 5.0
LET_GO_S, COLLECTED_S = 125, 35
WAYS = {
    "with both networks": {"SOUNDALIKE_LIGHT": "0"},
    "with both networks on TensorFlow": {"SOUNDALIKE_LIGHT": "0", "SOUNDALIKE_RUNTIME": "tensorflow"},
}


def main() -> None:
    """Print the figures."""
    options = parser(__doc__)
    options.add_argument("--sessions", type=int, default=20)
    options.add_argument("--uploads", type=int, default=500)
    chosen = options.parse_args()
    expect.set_options(timeout=PATIENCE_MS)
    with served() as server, browser() as chromium:
        memory = memory_of(server)
        page = visit(chromium, server.address)
        upload(page, 0)
        found = released(chromium, server, chosen.sessions, memory)
        found.append(in_a_row(page, chosen.uploads, memory))
    with browser() as chromium:
        found += [
            Figure(f"memory of all processes {way}", round(hosted(chromium, environment)), "MB")
            for way, environment in WAYS.items()
        ]
    show(found, chosen.json)


def released(chromium: Browser, server: Served, count: int, memory: Memory) -> list[Figure]:
    """What sessions leave behind, per session."""
    with looking_around(chromium, server, 1, 1):
        pass
    before = memory()
    with looking_around(chromium, server, count, 2):
        held = memory()
    for later, pause_s in enumerate((LET_GO_S, COLLECTED_S)):
        time.sleep(pause_s)
        with looking_around(chromium, server, 1, 2 + count + later):
            pass
    after = memory()
    return [
        Figure("left of a session with an upload when it is over", mb((after - before) / count), "MB"),
        Figure("given back", round(100 * (held - after) / max(held - before, 1e-9)), "%"),
    ]


def in_a_row(page: Page, count: int, memory: Memory) -> Figure:
    """Growth of memory over uploads in one page."""
    sizes = []
    for number in range(count):
        upload(page, 1_000 + number)
        sizes.append(memory())
    tenth = max(count // 10, 1)
    early, late = median(sizes[tenth : 2 * tenth]), median(sizes[-tenth:])
    return Figure(
        f"growth over {count} uploads in a row",
        round(100 * (late / early - 1), 1),
        "%",
        GROWTH_BAR,
        f"{early:.0f} MB in the second tenth, {late:.0f} in the last, at most {max(sizes):.0f} MB",
    )


if __name__ == "__main__":
    main()
