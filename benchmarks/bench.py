"""Run the benchmarks of speed, memory and load that the project makes promises about.

    python benchmarks/bench.py [--repeats 3] [--all | --only NAME ...]

Runs each measurement as its own program, three times, writes `results.json` next to this file and the
figures as a Markdown table into docs/benchmarks.md, between two markers, and prints them. It names what
is worse than in the file before by more than the runs spread, and fails if a bar is missed by more than
that. What takes long (`LONG`) is left out without `--all`, and runs once. Figures that aren't measured
now are kept; each has the date and machine of its measurement. The file is an object:

    machine   processor, cores, memory, system, Python, and the versions of relevant packages
    figures   a list of {name, value, spread, unit, bar, holds, command, note, least, measured, machine};
              the value is the median of the runs; a bar is the maximum of a value, or its minimum if
              `least` is true; bar and `holds` are null for a figure without a target
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict, fields
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
from figures import Figure, is_missed, is_worse, middle, table

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
DOCUMENT = HERE.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- what `make bench` measured -->", "<!-- /what `make bench` measured -->"
MEASUREMENTS = {
    "network": "network.py",
    "upload": "upload.py",
    "cold_start": "cold_start.py",
    "reruns": "reruns.py",
    "large_library": "large_library.py",
    "scale": "scale.py --only soundalike",
    "memory": "memory.py",
    "scale_of_vgg16": "scale.py --only vgg_genre",
    "memory_growth": "memory_growth.py",
    "load": "load.py",
    "load_in_tabs": "load.py --tabs",
    "peers": "peers.py",
}
"""Programs by name, with arguments, in the order in which they are run."""
LONG = ("network", "scale_of_vgg16", "memory_growth", "load", "load_in_tabs", "peers")
"""What takes long: left out without `--all`, and run once."""
MAKE_LIBRARIES = ("large_library", "scale", "scale_of_vgg16")
"""What makes large libraries, in a folder that lasts for all of its runs."""
REPEATS = 3
PACKAGES = ("tensorflow-cpu", "tensorflow", "openvino", "numpy", "streamlit", "av", "librosa")


def main() -> None:
    """Run the programs, write the results and print them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, help=f"{REPEATS} by default, and 1 of what takes long")
    parser.add_argument("--all", action="store_true", help=f"also {', '.join(LONG)}")
    parser.add_argument("--only", nargs="+", choices=list(MEASUREMENTS))
    options = parser.parse_args()
    usual = [name for name in MEASUREMENTS if options.all or name not in LONG]
    here, kept = machine(), earlier()
    failed, worse, missed = [], [], []
    for name in options.only or usual:
        command = f"python benchmarks/{MEASUREMENTS[name]}"
        before = {figure["name"]: as_figure(figure) for figure in kept.get(command, [])}
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            repeats = options.repeats or (1 if name in LONG else REPEATS)
            found = middle(several(name, repeats))
        except subprocess.CalledProcessError:
            failed.append(name)
            continue
        worse += [figure.name for figure in found if is_worse(figure, before.get(figure.name, figure))]
        missed += [figure.name for figure in found if is_missed(figure)]
        day = datetime.now(UTC).strftime("%Y-%m-%d")
        where = {"command": command, "measured": day, "machine": here["processor"]}
        kept[command] = [asdict(figure) | {"holds": figure.holds} | where for figure in found]
        write(here, kept)
    measured = table([as_figure(figure) for figure in in_order(kept)])
    into_document(measured)
    print(measured)
    for about, names in (("Worse than before", worse), ("Bars missed by more than the spread", missed)):
        if names:
            print(f"\n{about}: {', '.join(names)}")
    if failed:
        sys.exit(f"These ended with an error, and their figures are as before: {', '.join(failed)}.")
    sys.exit(bool(missed))


def several(name: str, repeats: int) -> list[list[Figure]]:
    """Figures of several runs of a measurement."""
    with tempfile.TemporaryDirectory() as folder:
        further = ["--folder", f"{folder}/libraries"] if name in MAKE_LIBRARIES else []
        return [run([*MEASUREMENTS[name].split(), *further]) for _ in range(repeats)]


def run(program: list[str]) -> list[Figure]:
    """Run one program, with its arguments, and return its figures; its errors go to the terminal.

    Raises
    ------
    CalledProcessError
        If it fails.
    """
    file, *arguments = program
    command = [sys.executable, str(HERE / file), *arguments, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return [as_figure(figure) for figure in json.loads(done.stdout.strip().splitlines()[-1])["figures"]]


def earlier() -> dict[str, list[dict[str, Any]]]:
    """Figures of the last run, by command."""
    kept: dict[str, list[dict[str, Any]]] = {}
    if RESULTS.is_file():
        for figure in json.loads(RESULTS.read_text(encoding="utf-8"))["figures"]:
            kept.setdefault(figure["command"], []).append(figure)
    return kept


def in_order(kept: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """All figures, in the order of the measurements."""
    commands = [f"python benchmarks/{file}" for file in MEASUREMENTS.values()]
    return [figure for command in commands for figure in kept.get(command, [])]


def write(here: dict[str, Any], kept: dict[str, list[dict[str, Any]]]) -> None:
    """Write the results to a temporary file first, to keep the old file if interrupted."""
    aside = RESULTS.with_suffix(".part")
    text = json.dumps({"machine": here, "figures": in_order(kept)}, indent=1, ensure_ascii=False)
    aside.write_text(text + "\n", encoding="utf-8")
    aside.replace(RESULTS)


def into_document(figures: str) -> None:
    """Insert the table into docs/benchmarks.md."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{figures}\n\n{END}{after}", encoding="utf-8")


def as_figure(found: dict[str, Any]) -> Figure:
    """Convert a figure from the file."""
    return Figure(**{field.name: found[field.name] for field in fields(Figure) if field.name in found})


def machine() -> dict[str, Any]:
    """Description of the machine for the figures."""
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := installed(name))},
    }


def processor() -> str:
    """Name of the processor."""
    facts = Path("/proc/cpuinfo")
    names = [
        line.partition(":")[2].strip()
        for line in (facts.read_text().splitlines() if facts.is_file() else [])
        if line.startswith("model name")
    ]
    return names[0] if names else platform.processor() or platform.machine()


def installed(name: str) -> str | None:
    """Version of a package, if installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
