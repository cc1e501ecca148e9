"""Fuzz the decoder with thousands of damaged files in every accepted format, as uploads.

    python benchmarks/fuzz.py [--count 10000] [--seed 0] [--format NAME ...]

Each mutant is processed like an upload: the sandbox decodes it (`sandbox.Pool.decode_stereo`, both the
mix and the channels), and its representative half minute is selected. Prints a row per format: how many
were decoded, rejected with a message, crashed the process, took over 5 s, or raised anything else; and
the maximum time and memory. The same seed gives the same mutants.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import mutations
import numpy as np

from soundalike.audio import sandbox
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES
from soundalike.errors import AudioError

SLOW_S = 5.0
FILES = 5_000
"""Number of mutants per process; high enough to reveal leaks."""
COLUMNS = ("decoded", "refused", "crashes", "slow", "unhandled")


@dataclass
class Row:
    """Outcomes of a format's mutants.

    Attributes
    ----------
    refused : rejected with an `AudioError` about the file, not its process
    crashes : processes that died
    slow : mutants that took over 5 s
    unhandled : exceptions other than `AudioError`, here or in the process
    longest : maximum seconds for one mutant
    memory : maximum memory of the process, MB
    kinds : messages and their counts
    """

    name: str
    mutants: int = 0
    decoded: int = 0
    refused: int = 0
    crashes: int = 0
    slow: int = 0
    unhandled: int = 0
    longest: float = 0.0
    memory: float = 0.0
    kinds: dict[str, int] | None = None


def fuzz(name: str, count: int, seed: int, pool: sandbox.Pool, keep: Path | None = None) -> Row:
    """Send mutants of a format to a pool.

    Parameters
    ----------
    name : format from `mutations.FORMATS`
    count : number of mutants
    seed : random seed
    pool : sandbox with one process
    keep : folder for mutants that broke something
    """
    rng = random.Random(f"{name} {seed}")
    own = mutations.seeds(name)
    others = [mutations.seeds(other)[0] for other in mutations.FORMATS]
    row, kinds = Row(name), Counter[str]()
    for number in range(count):
        mutant = mutations.mutate(rng.choice(own), rng.choice(others), rng)
        began = time.perf_counter()
        lost = pool.lost
        outcome, kind = _outcome(mutant, pool)
        if pool.lost > lost:
            # Also if a second process survived it.
            outcome = "crashes"
        seconds = time.perf_counter() - began
        row.mutants += 1
        setattr(row, outcome, getattr(row, outcome) + 1)
        row.slow += seconds > SLOW_S
        row.longest = max(row.longest, seconds)
        kinds[kind] += 1
        if number % 50 == 0 or outcome in ("crashes", "unhandled"):
            row.memory = max([row.memory, *map(_peak_mb, pool.pids)])
        if keep is not None and (outcome in ("crashes", "unhandled") or seconds > SLOW_S):
            (keep / f"{name}-{seed}-{number}").write_bytes(mutant)
    row.kinds = dict(kinds.most_common(12))
    return row


def _outcome(mutant: bytes, pool: sandbox.Pool) -> tuple[str, str]:
    """Column of the table, and the message."""
    if not mutant:
        return "refused", "empty"
    try:
        clip, sides = pool.decode_stereo(mutant)
        window = analysis_window(clip)
    except sandbox.SandboxError as error:
        return "crashes" if error.reason in ("died", "slow", "memory") else "unhandled", error.reason
    except AudioError as error:
        return "refused", "".join("0" if c.isdigit() else c for c in str(error))
    except Exception as error:  # noqa: BLE001
        return "unhandled", f"here: {error!r}"
    usable = len(window.samples) == ANALYSIS_SAMPLES and bool(np.isfinite(window.samples).all())
    usable = usable and (sides is None or len(sides) == len(clip.samples))
    return ("decoded", "decoded") if usable else ("unhandled", "here: a clip that is of no use")


def _peak_mb(pid: int) -> float:
    """Peak memory of a process, if the system reports it."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    found = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return float(found[0].split()[1]) / 1024 if found else 0.0


def main() -> int:
    """Fuzz each format and print the table; 1 if anything broke."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="mutants of each format")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--format", action="append", choices=list(mutations.FORMATS))
    parser.add_argument("--keep", type=Path, help="a folder for mutants that broke something")
    asked = parser.parse_args()
    print("| format | mutants | decoded | refused | crashes | over 5 s | unhandled | longest | memory |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    rows = []
    for name in asked.format or mutations.FORMATS:
        pool = sandbox.Pool(1, sandbox.Limits(files=FILES))
        try:
            row = fuzz(name, asked.count, asked.seed, pool, asked.keep)
        finally:
            pool.close()
        rows.append(row)
        numbers = " | ".join(f"{getattr(row, column):,}" for column in COLUMNS)
        shown = f"| {row.mutants:,} | {numbers} | {row.longest:.2f} s | {row.memory:.0f} MB |"
        print(f"| {name} {shown}", flush=True)
    return int(any(row.crashes or row.slow or row.unhandled for row in rows))


if __name__ == "__main__":
    sys.exit(main())
