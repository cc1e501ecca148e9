"""What an index of very many tracks costs: a model that is computed from measured rates.

    python benchmarks/cost_model.py [--tracks N] [--machines N] [...]

Rates are arguments, with defaults as the benchmarks named beside them measured them on two cores of a
cloud machine without a GPU; prices are assumptions, to be replaced by a provider's. Embedding is
simulated: machines take chunks of tracks from one queue, may be taken away at any moment (as the
cheapest ones are), lose the chunk that they are at, and come back after a while; everything is drawn
from a seed. The rest is arithmetic, printed line by line.
"""

from __future__ import annotations

import argparse
import heapq
from dataclasses import dataclass

import numpy as np

GB = 1e9
NEIGHBOURS_BYTES = 100 * 8
"""A hundred neighbours and similarities, as an index keeps of every representation."""


@dataclass(frozen=True)
class System:
    """A representation as an index stores it.

    Attributes
    ----------
    core_ms : of one core, to embed a track, decoding left out
    numbers : of a vector, two bytes each
    code : numbers that are searched first, four bytes each; 0 where the vectors themselves are
    """

    name: str
    core_ms: float
    numbers: int
    code: int


@dataclass(frozen=True)
class Cluster:
    """What embeds.

    Attributes
    ----------
    lost_per_hour : how often a machine is taken away
    away_s : until another stands in its place
    chunk : tracks that are lost with a machine, at the most
    """

    machines: int
    cores: int
    lost_per_hour: float
    away_s: float
    chunk: int


def embedding_hours(cluster: Cluster, tracks: int, core_ms: float, seed: int = 0) -> tuple[float, float]:
    """Hours until all tracks are embedded, and the share of the work that was done twice."""
    rng = np.random.default_rng(seed)
    chunk_s = cluster.chunk * core_ms / 1e3 / cluster.cores
    left, done_twice = -(-tracks // cluster.chunk), 0.0
    chunks = left
    free = [(0.0, machine) for machine in range(cluster.machines)]
    heapq.heapify(free)
    ends_s = 0.0
    scale = 3600 / cluster.lost_per_hour if cluster.lost_per_hour else np.inf
    taken_away = [rng.exponential(scale) if np.isfinite(scale) else np.inf for _ in free]
    while left:
        now, machine = heapq.heappop(free)
        if now + chunk_s > taken_away[machine]:
            done_twice += max(taken_away[machine] - now, 0.0)
            back = max(taken_away[machine], now) + cluster.away_s
            taken_away[machine] = back + rng.exponential(scale)
            heapq.heappush(free, (back, machine))
            continue
        left -= 1
        ends_s = max(ends_s, now + chunk_s)
        heapq.heappush(free, (now + chunk_s, machine))
    return ends_s / 3600, done_twice / (chunks * chunk_s)


def report(asked: argparse.Namespace, system: System) -> list[str]:
    """One system's lines."""
    n = asked.tracks
    core_ms = system.core_ms + asked.decode_ms
    cluster = Cluster(asked.machines, asked.cores, asked.lost_per_hour, asked.away_s, asked.chunk)
    hours, again = embedding_hours(cluster, n, core_ms)
    core_hours = hours * cluster.machines * cluster.cores
    vectors, codes = 2 * system.numbers * n / GB, 4 * (system.code or system.numbers) * n / GB
    facts = (NEIGHBOURS_BYTES + 4) * n / GB
    graph = (asked.graph_bytes + (system.code or system.numbers)) * n / GB
    pass_ms = asked.pass_ms * n * (system.code or system.numbers) / (106_574 * 128)
    again_ms = asked.compare_ms if system.code else 0.0
    storage = (vectors + facts) * asked.disk_price
    serving = graph * asked.memory_price * asked.copies
    pairs_hours = n * (pass_ms + again_ms) / 3.6e6
    found_hours = n * (asked.graph_ms + again_ms) / 3.6e6
    return [
        f"{system.name}: {n:,} tracks",
        f"  embedding      {hours:8.1f} h on {cluster.machines} machines of {cluster.cores} cores "
        f"({core_hours:,.0f} core hours, {again:.2%} of it twice), "
        f"{core_hours * asked.core_price:,.0f} $",
        f"  audio read     {n * asked.audio_mb / 1e3:8,.0f} GB, "
        f"{n * asked.audio_mb / hours / 3600 / asked.machines * 8:,.0f} Mbit/s a machine",
        f"  vectors        {vectors:8.1f} GB on disk, codes {codes:.1f} GB, neighbours and norms "
        f"{facts:.1f} GB: {storage:,.0f} $ a month for vectors and facts",
        f"  pass over all  {pass_ms + again_ms:8.1f} ms a query on two cores, {codes:.1f} GB in memory; "
        f"all neighbours {pairs_hours:,.0f} hours",
        f"  graph          {asked.graph_ms + again_ms:8.1f} ms a query on one core, {graph:.1f} GB in "
        f"memory; all neighbours {found_hours:,.0f} core hours; {asked.copies} copies "
        f"{serving:,.0f} $ a month",
    ]


def arguments() -> argparse.ArgumentParser:
    """Rates, sizes and prices."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--tracks", type=int, default=10_000_000)
    add("--soundalike-ms", type=float, default=338.0, help="core ms to embed (169 on 2 cores)")
    add("--vgg-ms", type=float, default=982.0, help="core ms to embed (evaluation.md: 491 on 2 cores)")
    add("--decode-ms", type=float, default=26.0, help="core ms to decode MP3 (benchmarks/decoders.py)")
    add("--pass-ms", type=float, default=4.0, help="over 106,574 codes of 128 (benchmarks/scale.py)")
    add("--compare-ms", type=float, default=6.0, help="288 exact comparisons (benchmarks/scale.py)")
    add("--graph-ms", type=float, default=3.0, help="256 of a million (benchmarks/approximate.py)")
    add("--graph-bytes", type=float, default=272.0, help="links of a track (benchmarks/approximate.py)")
    add("--audio-mb", type=float, default=0.94, help="a 30 s clip of FMA-large: 93 GiB / 106,574")
    add("--machines", type=int, default=50)
    add("--cores", type=int, default=16)
    add("--lost-per-hour", type=float, default=0.05, help="how often a machine is taken away: assumed")
    add("--away-s", type=float, default=300.0, help="until another takes its place: assumed")
    add("--chunk", type=int, default=64, help="tracks lost with a machine, at the most")
    add("--copies", type=int, default=2, help="of what is in memory, so that one may fail")
    add("--core-price", type=float, default=0.02, help="$ a core hour that may be taken away: assumed")
    add("--memory-price", type=float, default=4.0, help="$ a GB of memory a month: assumed")
    add("--disk-price", type=float, default=0.1, help="$ a GB of SSD a month: assumed")
    return parser


def main() -> None:
    """Print the table."""
    asked = arguments().parse_args()
    systems = (
        System("soundalike", asked.soundalike_ms, 1_480, 456 + 128),
        System("vgg_genre", asked.vgg_ms, 25_632, 160),
    )
    for system in systems:
        print("\n".join(report(asked, system)))


if __name__ == "__main__":
    main()
