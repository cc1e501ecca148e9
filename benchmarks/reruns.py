"""Cost of changing any widget: server time and bytes sent.

    python benchmarks/reruns.py [--repeats N] [--page NAME ...] [--json]

Every page, in each of its forms, is run by Streamlit's test driver through `app.py`, in this process and
without a browser. Each widget is changed several times, one value after the other, and so are the values
that the pages' own components (grids, maps, tables) change. Before each widget the session goes back to
the page as it was opened.

A track that is chosen on Anatomy itself is measured in that run: a first look, for the tracks that no
form of the page has shown yet. A visitor who comes from Recommend has been listening there meanwhile,
and the server has measured the track. So one more change is to choose a track on Recommend, to wait for
two seconds, and to open Anatomy, which alone is timed.

Uploads, recordings and "Look inside the network" need the network and are left out, as are buttons that
only open another page. Times are for the whole run including the driver; for a user, a change inside a
fragment reruns only that. Bytes are those sent to a browser that has the messages of its last runs.
The first change of a widget isn't counted. The slowest and the largest changes are followed by the next
five, for diagnosis.
"""

from __future__ import annotations

import logging
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import page_runs
from figures import Figure, parser, percentile, show
from streamlit.runtime.state.common import TESTING_KEY
from streamlit.testing.v1 import AppTest

from soundalike.ui import server, session

ROOT = Path(__file__).resolve().parents[1]
BAR_MS, BAR_KB = 100, 500
WORST = 6
MANY = 60

VIEWS: dict[str, list[dict[str, str]]] = {
    "recommend": [
        {},
        {"order": "soundalike:3", "blend": "0102:1", "variety": "40"},
        {"order": "shuffled", "by": "vgg_genre", "length": "50"},
        {"kind": "journey", "to": "0102", "via": "0001"},
    ],
    "anatomy": [
        {},
        {"second": "0102"},
        {"also": "bark,gammatone,wavelet"},
        {"second": "0102", "also": "bark,gammatone,wavelet,autoencoder"},
    ],
    "map": [{}, {"show": "tracks", "find": "piano"}, {"dims": "3"}],
    "features": [
        *({"by": name} for name in ("words", "soundalike", "vgg_mel", "genre_head", "musicnn")),
        {"by": "vgg_mel", "rows": "channels"},
    ],
    "compare": [{}, {"by": "vgg_genre,mfcc_flat,musicnn,fma518"}],
    "about": [
        {"section": name}
        for name in ("sound", "digital", "hearing", "pitch", "spectrograms", "method")
        + ("data", "models", "evaluation", "limits", "privacy")
    ],
}
"""URLs of each page's forms."""
LEFT_OUT = {"features_inside", "features_to_order", "features_to_map", "map_to_recommend"}
"""Buttons that run the network, or only open another page."""
TO_ANATOMY = "recommend_onward_anatomy"
LOOKED_AT_S = 2.0
"""Seconds that a visitor stays with a playlist before opening Anatomy."""
PAGES = ("recommend", "anatomy", "map")
"""Pages that a track links to; the keys of such buttons end in these."""
HEADER = "header_"
"""Begins the keys of the buttons in the header, which open the clip on another page."""

Change = tuple[str, Callable[[], object]]
"""A widget's name, and a function that changes it."""


@dataclass(frozen=True)
class Cost:
    """Median cost of a widget's changes, and the slowest."""

    where: str
    ms: float
    greatest_ms: float
    worked_ms: float
    kilobytes: float
    all_ms: tuple[float, ...]


def main() -> None:
    """Print the figures."""
    options = parser(__doc__)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--page", nargs="*", choices=list(VIEWS), default=list(VIEWS))
    chosen = options.parse_args()
    logging.disable(logging.WARNING)
    random.seed(0)
    # As on a server in use: background initialisation would slow everything down.
    os.environ["SOUNDALIKE_WARM_UP"] = "0"
    server.preload(server.open_models())
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SOUNDALIKE_VOTES"] = str(Path(folder) / "votes.sqlite")
        costs = [
            cost
            for page in chosen.page
            for view in VIEWS[page]
            for cost in costs_of(page, view, chosen.repeats)
        ]
        if "anatomy" in chosen.page:
            costs.append(onward(chosen.repeats))

    every = [ms for cost in costs for ms in cost.all_ms]

    def worst(name: str, unit: str, bar: float | None, of: Callable[[Cost], float]) -> Figure:
        """The largest value of all changes, and the next five as a note."""
        first = sorted(costs, key=of, reverse=True)[:WORST]
        note = "; ".join(f"{cost.where} {of(cost):.0f} {unit}" for cost in first)
        return Figure(f"rerun, the {name}", round(of(first[0]), 1), unit, bar, note)

    show(
        [
            Figure("rerun, 95th percentile of all", round(percentile(every, 0.95), 1), "ms", BAR_MS),
            worst("slowest widget's median", "ms", None, lambda cost: cost.ms),
            worst("largest widget's messages", "kB", BAR_KB, lambda cost: cost.kilobytes),
            worst("slowest widget's processor time, median", "ms", None, lambda cost: cost.worked_ms),
            Figure("rerun, median of all widgets", round(median(c.ms for c in costs), 1), "ms"),
            Figure("widgets changed", len(costs), ""),
            Figure("of them over 100 ms", sum(cost.ms > BAR_MS for cost in costs), ""),
            Figure("of them over 500 kB", sum(cost.kilobytes > BAR_KB for cost in costs), ""),
        ],
        chosen.json,
    )
    if not chosen.json:
        print("\n| change | median, ms | greatest, ms | processor, ms | kB |")
        print("|---|---:|---:|---:|---:|")
        for cost in costs:
            print(
                f"| {cost.where} | {cost.ms:.0f} | {cost.greatest_ms:.0f} | {cost.worked_ms:.0f} "
                f"| {cost.kilobytes:.0f} |",
            )


def costs_of(page: str, view: dict[str, str], repeats: int) -> Iterator[Cost]:
    """Costs of all widgets of one form of a page."""
    visit = page_runs.Visit(opened(page, view))
    visit.run()
    described = ", ".join(f"{name} {value}" for name, value in view.items())
    found = [name for name, _ in changes(visit.app, page, 0)]
    restore = visit.remember()
    for name in found:
        restore()
        measured = []
        for repeat in range(repeats + 1):
            now = dict(changes(visit.app, page, repeat))
            if name not in now:
                break
            measured.append((*visit.run(now[name]), visit.worked_ms))
        if len(measured) > 1:
            yield cost(f"{page}{f' ({described})' if described else ''}: {name}", measured[1:])


def cost(where: str, measured: Sequence[tuple[float, float, float]]) -> Cost:
    """What changes took, from the milliseconds, kilobytes and processor milliseconds of each."""
    times, sizes, worked = zip(*measured, strict=True)
    return Cost(where, median(times), max(times), median(worked), median(sizes), times)


def onward(repeats: int) -> Cost:
    """The cost of opening Anatomy a moment after a track was chosen on Recommend."""
    measured = []
    os.environ["SOUNDALIKE_WARM_UP"] = "1"
    for repeat in range(repeats + 1):
        visit = page_runs.Visit(opened("recommend", {}))
        visit.run(dict(changes(visit.app, "recommend", 11 + repeat))["Track"])
        time.sleep(LOOKED_AT_S)
        measured.append((*visit.run(visit.app.button(key=TO_ANATOMY).click), visit.worked_ms))
    os.environ["SOUNDALIKE_WARM_UP"] = "0"
    return cost(f"recommend: {LOOKED_AT_S:g} s after a choice, to Anatomy", measured[1:])


def opened(page: str, view: dict[str, str]) -> AppTest:
    """A page in one of its forms, in a new session."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    if page != "recommend":
        app.run()
    for name, value in view.items():
        app.query_params[name] = value
    if page != "recommend":
        app.switch_page(f"pages/{page}.py")
    return app.run()


def changes(app: Any, page: str, repeat: int) -> Iterator[Change]:
    """Possible changes of a page in its current state: each enabled widget to another value."""

    def enabled(kind: str) -> list[Any]:
        return [widget for widget in app.get(kind) if not widget.disabled]

    for kind in ("selectbox", "select_slider"):
        for widget in enabled(kind):
            yield widget.label, _chooser(app, widget, [_option(widget, repeat)], False)
    for widget in enabled("slider"):
        span = round((widget.max - widget.min) / (widget.step or 1))
        yield widget.label, _setter(widget, widget.min + (7 * repeat + 3) % (span + 1) * widget.step)
    for widget in enabled("number_input"):
        span = int(widget.max - widget.min) + 1
        yield widget.label, _setter(widget, int(widget.min) + (7_919 * repeat + 1_000) % span)
    for widget in enabled("button_group"):
        several = not widget._is_single_select
        yield widget.label or widget.key, _chooser(app, widget, [_option(widget, repeat)], several)
    for widget in enabled("multiselect"):
        count = min(widget.max_selections or 2, 2)
        first = repeat % max(len(widget.options) - count, 1)
        yield widget.label, _chooser(app, widget, range(first, first + count), True)
    for widget in enabled("text_input"):
        words = ("piano", "blue", "night", "rock", "star", "dance")
        yield widget.label, _setter(widget, words[repeat % len(words)])
    for kind in ("checkbox", "toggle"):
        for widget in enabled(kind):
            yield widget.label, _setter(widget, not widget.value)
    for button in enabled("button"):
        name = str(button.key or button.label)
        opens = name.startswith(HEADER) or (name.endswith(PAGES) and "onward" in name)
        if name not in LEFT_OUT and not opens:
            yield f"{button.label} (button)", button.click
    yield from components(app, page, repeat)


def components(app: Any, page: str, repeat: int) -> Iterator[Change]:
    """Changes that the page's own components make, as by their callbacks."""
    index = session.open_index()
    track = index.ids[(37 * repeat + 11) % len(index)]
    state = app.session_state

    def put(**values: Any) -> Callable[[], None]:
        def act() -> None:
            for key, value in values.items():
                state[key] = value

        return act

    if page == "recommend" and state["recommend_kind"] == "playlist":
        yield "a row: more like this", put(recommend_blend={track: 1.0})
        yield "a row: keep", put(recommend_pinned=[track])
        yield "a row: take out", put(recommend_removed=[track])
        yield "a row: why", put(recommend_why=track)
        yield "a row: recommend from this", put(recommend_track=track)
    elif page == "map":
        yield "a point", put(map_track=track)
        yield "a lasso", put(map_area=list(range(repeat * 20, repeat * 20 + 60)))
        yield "the legend", put(map_hidden=["Ambient"] if repeat % 2 else [])
        yield "zoom", put(map_view=f"0.5,0.5,{2 + repeat}")
    elif page == "features":
        sizes = {"words": 100, "genre_head": 32, "musicnn": 200, "soundalike": 1_480, "vgg_mel": 25_600}
        size = sizes[state["features_by"]]
        yield "a cell of the grid", put(features_dimension=(3_400 + 512 * repeat) % size)


def _option(widget: Any, repeat: int) -> int:
    """Another of its options; for tracks of the library, one after the other."""
    count = len(widget.options)
    return (23 * repeat + 5) % count if count > MANY else (repeat + 1) % count


def _setter(widget: Any, value: Any) -> Callable[[], object]:
    return lambda: widget.set_value(value)


def _chooser(app: Any, widget: Any, places: Sequence[int], several: bool) -> Callable[[], object]:
    """Choose options by their labels, as a browser does, rather than by value."""
    texts = [widget.options[place] for place in places]

    def act() -> None:
        app.session_state[TESTING_KEY][widget.id] = str
        widget.set_value(texts if several else texts[0])

    return act


if __name__ == "__main__":
    main()
