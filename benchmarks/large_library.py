"""Test the app with libraries of FMA's sizes: what each page sends, and its computation time.

    python benchmarks/large_library.py [--tracks N ...]

For synthetic libraries (`synthetic_index`) of 478, 8,000, 25,000 and 106,574 tracks, every page is run
by Streamlit's test driver, in this process and without a browser. "First" is a page's first run after
the server started, and "again" the median of three further runs, like those after a click; next to each
are the kilobytes of messages sent (`page_runs`). Then follow the server's time per keystroke of a
search, and the peak memory of the process so far. TensorFlow isn't loaded.
"""

from __future__ import annotations

import argparse
import logging
import os
import resource
import tempfile
import time
from pathlib import Path
from statistics import median

import page_runs
import synthetic_index
from streamlit.testing.v1 import AppTest

from soundalike.index import index, text_search
from soundalike.ui import server, track_picker

ROOT = Path(__file__).resolve().parents[1]
SIZES = (478, 8_000, 25_000, 106_574)
AGAIN = 3
PAGES: dict[str, dict[str, str]] = {
    "recommend": {},
    "anatomy": {},
    "map": {},
    "features": {},
    "compare": {},
    "about": {"section": "data"},
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure the pages with large libraries.")
    parser.add_argument("--tracks", type=int, nargs="*", default=SIZES)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    print("| tracks | page | first, ms | first, kB | again, ms | again, kB |")
    print("|---:|---|---:|---:|---:|---:|")
    for size in options.tracks:
        with tempfile.TemporaryDirectory() as folder:
            _measure(synthetic_index.write(Path(folder) / "library", size), size)


def _measure(folder: Path, size: int) -> None:
    os.environ["SOUNDALIKE_INDEX"] = str(folder)
    os.environ["SOUNDALIKE_VOTES"] = str(folder / "votes.sqlite")
    opening = time.perf_counter()
    opened = index.load(folder)
    print(f"| {size:,} | open the index | {_ms(opening):.0f} | | | |")
    for page, parameters in PAGES.items():
        app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=300)
        for name, value in parameters.items():
            app.query_params[name] = value
        visit = page_runs.Visit(app)
        first, sent = visit.run()
        again = [visit.run() for _ in range(AGAIN)]
        later, later_sent = (median(values) for values in zip(*again, strict=True))
        print(
            f"| {size:,} | {page} | {first:.0f} | {sent:.0f} | {later:.0f} | {later_sent:.0f} |",
            flush=True,
        )
    for text in ("night", "summer moon river 3"):
        text_search.find(opened, text)
        start = time.perf_counter()
        text_search.best(opened, text, track_picker.MOST_OFFERED)
        print(f"| {size:,} | search for “{text}” | | | {_ms(start):.0f} | |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    print(f"| {size:,} | memory at most, MB | {peak:,.0f} | | | |", flush=True)
    server._open.clear()


def _ms(start: float) -> float:
    return (time.perf_counter() - start) * 1_000


if __name__ == "__main__":
    main()
