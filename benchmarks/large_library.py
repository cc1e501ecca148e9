"""Whether the pages are as fast, and the memory as small, with FMA's 106,574 tracks as with 478.

    python benchmarks/large_library.py [--folder DIR] [--tracks SMALL LARGE] [--repeats N] [--json]

Makes two synthetic libraries (`synthetic_index`), and runs every page of both by Streamlit's test
driver, in this process and without a browser. The larger one comes first, as on a new server: the
milliseconds of its first visitor, and the process's memory once every page has been opened and clicked,
with the mapped files that it has read. Then both libraries take turns, click by click, so that other
load slows both. A click is either a run without a change, or a run with one: another track, another
dimension of Features, another section of About. Each figure is the larger library's median as a multiple
of the smaller one's. The server's time per keystroke of a search follows. TensorFlow isn't loaded.
Libraries in a given folder are kept and used again.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import page_runs
import psutil
import synthetic_index
from figures import Figure, parser, show
from streamlit.testing.v1 import AppTest

from soundalike.index import catalog, index, text_search
from soundalike.index.index import Index
from soundalike.ui import server, track_picker

ROOT = Path(__file__).resolve().parents[1]
SMALL, LARGE = 478, 106_574
REPEATS = 15
BAR, MEMORY_BAR_MB = 1.5, 1_000
SEARCHES = ("night", "summer moon river 3")

State = Mapping[str, object]


@dataclass(frozen=True, eq=False)
class Page:
    """A page and a change of it.

    Attributes
    ----------
    name : of the file
    changed : what the change is, for the figure's name
    change : the session's state after the n-th change
    back : the state before each change, for a page that would else have nothing to change
    """

    name: str
    changed: str
    change: Callable[[Index, int], State]
    back: State | None = None


def _track(key: str) -> Callable[[Index, int], State]:
    return lambda opened, number: {key: opened.ids[(len(opened) // 3 + 37 * number) % len(opened)]}


def _dimension(opened: Index, number: int) -> State:
    return {"features_dimension": (397 * number + 3) % 1_480}


PAGES = (
    Page("recommend", "another track", _track("recommend_track")),
    Page("anatomy", "another track", _track("anatomy_track")),
    Page("map", "another point", _track("map_track")),
    Page("features", "another dimension", _dimension),
    Page("compare", "another track", _track("compare_track")),
    Page("about", "another section", lambda *_: {"about_section": "data"}, {"about_section": "sound"}),
)


class Library:
    """A library whose pages are open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._visits = {page.name: self._visit(page.name) for page in PAGES}
        self._changes = 0

    @property
    def opened(self) -> Index:
        """The index that the server has open."""
        return server._open(str(self.folder.resolve()), catalog.stamp(self.folder))[0]

    def run(self, page: Page, state: State | None = None) -> float:
        """Milliseconds of a run of a page, with changes of the session's state before it."""
        os.environ["SOUNDALIKE_INDEX"] = str(self.folder)
        visit = self._visits[page.name]
        # As app.py does before each run.
        server.tune_process()

        def act() -> None:
            for key, value in (state or {}).items():
                visit.app.session_state[key] = value

        return visit.run(act)[0]

    def change(self, page: Page) -> float:
        """Milliseconds of a run of a page with its change."""
        if page.back is not None:
            self.run(page, page.back)
        self._changes += 1
        return self.run(page, page.change(self.opened, self._changes))

    @staticmethod
    def _visit(name: str) -> page_runs.Visit:
        return page_runs.Visit(
            AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=300)
        )


def main() -> None:
    """Print the figures."""
    options = parser(__doc__)
    options.add_argument("--folder", type=Path, help="where the libraries are made, and kept")
    options.add_argument("--tracks", type=int, nargs=2, default=(SMALL, LARGE))
    options.add_argument("--repeats", type=int, default=REPEATS)
    chosen = options.parse_args()
    logging.disable(logging.WARNING)
    # As on a server in use: background initialisation would slow everything down.
    os.environ["SOUNDALIKE_WARM_UP"] = "0"
    with tempfile.TemporaryDirectory() as aside:
        os.environ["SOUNDALIKE_VOTES"] = str(Path(aside) / "votes.sqlite")
        found = measure(chosen.folder or Path(aside), chosen.tracks, chosen.repeats)
    show(found, chosen.json)


def measure(folder: Path, tracks: Sequence[int], repeats: int) -> list[Figure]:
    """Measure everything that is reported."""
    folders = [folder / str(size) for size in tracks]
    for size, made in zip(tracks, folders, strict=True):
        _make(made, size)
    small, large = map(Library, folders)
    first = {page: large.run(page) for page in PAGES}
    for page in PAGES:
        large.change(page)
        large.change(page)
    memory = _memory(tracks[1])
    for page in PAGES:
        small.run(page)
    clicks: list[Figure] = []
    for page in PAGES:
        both = (small, large)
        again = [[library.run(page) for library in both] for _ in range(repeats)]
        for library in both:
            library.change(page)
        changed = [[library.change(page) for library in both] for _ in range(repeats)]
        clicks += [_ratio(page.name, "no change", again), _ratio(page.name, page.changed, changed)]
    return [
        *clicks,
        memory,
        Figure(
            f"first visitor of Recommend, {tracks[1]:,} tracks",
            round(first[PAGES[0]]),
            "ms",
            note=", ".join(f"{page.name} {ms:.0f} ms" for page, ms in list(first.items())[1:]),
        ),
        _keystroke(large),
    ]


def _make(folder: Path, size: int) -> None:
    """Make a library in a process of its own, whose memory isn't measured."""
    if not index.is_index(folder):
        with ProcessPoolExecutor(1, get_context("spawn")) as aside:
            aside.submit(synthetic_index.write, folder, size).result()


def _ratio(name: str, changed: str, runs: Sequence[Sequence[float]]) -> Figure:
    small, large = (median(times) for times in zip(*runs, strict=True))
    note = f"{small:.0f} ms and {large:.0f} ms"
    return Figure(f"{name.capitalize()}, {changed}, times", round(large / small, 2), "", BAR, note)


def _memory(tracks: int) -> Figure:
    """The largest memory of this process so far."""
    now = psutil.Process().memory_info()
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (peak,) = (int(line.split()[1]) * 1_024 for line in lines if line.startswith("VmHWM:"))
    note = f"in the end {now.rss / 1e6:.0f} MB, {now.shared / 1e6:.0f} MB of them mapped files"
    return Figure(f"memory at most, {tracks:,} tracks", round(peak / 1e6), "MB", MEMORY_BAR_MB, note)


def _keystroke(library: Library) -> Figure:
    times = []
    for text in SEARCHES:
        text_search.find(library.opened, text)
        start = time.perf_counter()
        text_search.best(library.opened, text, track_picker.MOST_OFFERED)
        times.append((time.perf_counter() - start) * 1_000)
    return Figure(f"a keystroke of a search, {len(library.opened):,} tracks", round(max(times)), "ms")


if __name__ == "__main__":
    main()
