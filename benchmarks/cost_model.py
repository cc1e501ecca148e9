"""What indexing millions of tracks would take: a simulated run over a cluster, from measured rates.

The run is simulated task by task in groups: each worker takes tasks whose length varies as tracks do
(log-normal about the measured mean), is lost after an exponential time and replaced after a pause, and
what it was at is done again. Whatever the workers give, nothing goes faster than the storage is read, or
than the one process that writes a part's work store takes results. Rates are what this project's
benchmarks measured (each option says which); prices are assumptions, to be replaced by one's own.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

HOUR = 3_600.0
_SIMULATED = 200_000
"""Tasks that are simulated; the rest is taken to go at the same rate."""


@dataclass(frozen=True)
class Rates:
    """What was measured, and what is assumed.

    Attributes
    ----------
    core_seconds : of one processor for one track
    spread : deviation of a track's time over its mean
    megabytes : of audio read for one track
    stored_bytes : of a track in the index
    puts : tracks a second that one work store takes
    hours_between_losses : of one worker, on average
    start_seconds : of a worker, until its first task
    storage : megabytes a second that all workers together read
    core_hour, gigabyte_month : prices
    """

    core_seconds: float
    spread: float
    megabytes: float
    stored_bytes: int
    puts: float
    hours_between_losses: float
    start_seconds: float
    storage: float
    core_hour: float
    gigabyte_month: float


def hours(rates: Rates, tracks: int, workers: int, parts: int, seed: int = 0) -> tuple[float, str]:
    """How long it takes, and what holds it up.

    Parameters
    ----------
    tracks : how many there are
    workers : processes with a processor each
    parts : indexes that are made beside each other, each with its own work store
    """
    bounds = {
        "workers": _worker_hours(rates, tracks, workers, seed),
        "storage": tracks * rates.megabytes / rates.storage / HOUR,
        "work stores": tracks / (rates.puts * parts) / HOUR,
    }
    slowest = max(bounds, key=lambda name: bounds[name])
    return bounds[slowest], slowest


def _worker_hours(rates: Rates, tracks: int, workers: int, seed: int) -> float:
    """Hours until all tracks are done, were reading and writing for nothing."""
    draw = np.random.default_rng(seed)
    simulated = min(tracks, max(_SIMULATED, 50 * workers))
    per_worker = np.array_split(_lengths(rates, simulated, draw), workers)
    ends = np.array([rates.start_seconds + _with_losses(rates, own, draw) for own in per_worker])
    # The last workers to end are waited for once, however many tracks there are.
    steady = ends.mean() - rates.start_seconds
    return float(steady * tracks / simulated + (ends.max() - ends.mean()) + rates.start_seconds) / HOUR


def _lengths(rates: Rates, count: int, draw: np.random.Generator) -> np.ndarray:
    variance = np.log1p(rates.spread**2)
    return draw.lognormal(np.log(rates.core_seconds) - variance / 2, np.sqrt(variance), count)


def _with_losses(rates: Rates, lengths: np.ndarray, draw: np.random.Generator) -> float:
    """Seconds that one worker's tasks take, with what is done twice and the pauses."""
    own = float(lengths.sum())
    lost = draw.poisson(own / (rates.hours_between_losses * HOUR))
    again = draw.choice(lengths, lost) * draw.uniform(0, 1, lost) if lost else np.zeros(0)
    return own + float(again.sum()) + lost * rates.start_seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--tracks", type=int, default=10_000_000)
    parser.add_argument("--parts", type=int, default=10, help="indexes made beside each other")
    parser.add_argument("--core-seconds", type=float, default=CORE_SECONDS, help="`indexing.py rate`")
    parser.add_argument("--spread", type=float, default=0.3)
    parser.add_argument("--megabytes", type=float, default=1.0, help="audio a track: 30 s of MP3")
    parser.add_argument("--stored-bytes", type=int, default=52_000, help="vectors a track")
    parser.add_argument("--puts", type=float, default=1_000.0, help="tracks a second into a store")
    parser.add_argument("--hours-between-losses", type=float, default=50.0, help="of one worker")
    parser.add_argument("--start-seconds", type=float, default=20.0)
    parser.add_argument("--storage", type=float, default=2_000.0, help="MB a second, all together")
    parser.add_argument("--core-hour", type=float, default=0.04, help="price, an assumption")
    parser.add_argument("--gigabyte-month", type=float, default=0.08, help="price, an assumption")
    given = vars(parser.parse_args())
    tracks, parts = given.pop("tracks"), given.pop("parts")
    rates = Rates(**given)
    print(f"{tracks:,} tracks in {parts} parts")
    print("| processors | hours | held up by | tracks a second | price of the processors |")
    print("|---:|---:|---|---:|---:|")
    for workers in (2, 16, 64, 256, 1_024):
        took, slowest = hours(rates, tracks, workers, parts)
        print(
            f"| {workers:,} | {took:,.1f} | {slowest} | {tracks / took / HOUR:,.0f} "
            f"| {took * workers * rates.core_hour:,.0f} |"
        )
    stored = tracks * rates.stored_bytes / 1e9
    print(f"vectors: {stored:,.0f} GB, {stored * rates.gigabyte_month:,.0f} a month on disk")


CORE_SECONDS = 1.0

if __name__ == "__main__":
    main()
