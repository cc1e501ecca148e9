"""Compare approximate nearest-neighbour libraries on the codes of a million tracks.

    python benchmarks/approximate.py [--tracks N] [--queries N] [--only NAME ...]

The codes are synthetic, with the bundled library's spectrum as drawn by `synthetic_library`, reduced to
the first 128 directions and normalised to the length including the other directions. The result of an
exact search is simulated: the inner product of the codes, plus an independent normal error per pair. Its
standard deviation is a twentieth of the cosines', as for the first pass of `vgg_mel` at 106,574
synthetic tracks, or a tenth, as for the bundled library's held-out half (`scale.py` measures both).

Each library uses one thread per query and two for building. We report the time and memory for building,
the file size, milliseconds per query, and the share of the 50 nearest that are among the 256 candidates,
which are then compared exactly. "all codes" is an exact pass over the codes, without a library. Each
runs in its own process. Needs
`pip install faiss-cpu==1.15.1 usearch==2.26.6 voyager==2.2.3`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import synthetic_library
from numpy.typing import NDArray
from scale import memory
from threadpoolctl import threadpool_limits

from soundalike.index import pca_prefilter
from soundalike.index.similarity import BEST, nearest

TRACKS = 1_000_000
QUERIES = 100
K = 50
ERRORS = (0.05, 0.1)
_BLOCK = 20_000

Codes = NDArray[np.float32]
Search = Callable[[Codes], NDArray[np.integer[Any]]]
"""Candidates of one query [shape=(dimensions,)], in any order."""


def codes(n: int) -> Codes:
    """Codes of synthetic tracks [shape=(n, 128)]."""
    library = synthetic_library.bundled_library()
    spectrum = synthetic_library.spectrum(np.asarray(library.array("vgg_mel"), np.float32))
    d = pca_prefilter.DIMENSIONS - 1
    rng = np.random.default_rng(0)
    made = np.empty((n, pca_prefilter.DIMENSIONS), np.float32)
    tail = spectrum.variances[d:].sum()
    means = spectrum.means[:d].astype(np.float32)
    beside = np.sqrt(np.square(spectrum.means[d:]).sum())
    deviations = np.sqrt(spectrum.variances[:d]).astype(np.float32)
    for start in range(0, n, _BLOCK):
        block = made[start : start + _BLOCK]
        block[:, 0] = beside
        block[:, 1:] = rng.standard_normal((len(block), d), np.float32) * deviations + means
        block /= np.sqrt(np.square(block).sum(axis=1, keepdims=True) + tail)
    return made


def all_codes(made: Codes, path: Path) -> Search:
    """Exact pass over all codes."""
    return lambda query: nearest(made @ query, BEST)


def faiss_ivf(made: Codes, path: Path, share: int = 8) -> Search:
    """Inverted lists of 8-bit codes (Jégou et al. 2011, with scalar quantisation)."""
    import faiss

    faiss.omp_set_num_threads(2)
    lists = int(2 * np.sqrt(len(made)))
    index: Any = faiss.index_factory(made.shape[1], f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    index.cp.niter = 10
    index.train(made[:: max(1, len(made) // (40 * lists))])
    for start in range(0, len(made), _BLOCK):
        index.add(made[start : start + _BLOCK])
    faiss.write_index(index, str(path))
    index.nprobe = lists // share
    faiss.omp_set_num_threads(1)
    return lambda query: index.search(query[np.newaxis], BEST)[1][0]


def faiss_ivf_fewer(made: Codes, path: Path) -> Search:
    """The same with fewer lists probed."""
    return faiss_ivf(made, path, 32)


def faiss_ivf_more(made: Codes, path: Path) -> Search:
    """The same with more lists probed."""
    return faiss_ivf(made, path, 4)


def faiss_hnsw(made: Codes, path: Path) -> Search:
    """A navigable graph (Malkov and Yashunin 2018) over 8-bit codes."""
    import faiss

    faiss.omp_set_num_threads(2)
    index: Any = faiss.index_factory(made.shape[1], "HNSW32_SQ8", faiss.METRIC_INNER_PRODUCT)
    index.train(made[: 10 * _BLOCK])
    for start in range(0, len(made), _BLOCK):
        index.add(made[start : start + _BLOCK])
    faiss.write_index(index, str(path))
    index.hnsw.efSearch = 2 * BEST
    faiss.omp_set_num_threads(1)
    return lambda query: index.search(query[np.newaxis], BEST)[1][0]


def usearch(made: Codes, path: Path) -> Search:
    """A navigable graph over half-precision numbers."""
    from usearch.index import Index

    index = Index(
        ndim=made.shape[1], metric="ip", dtype="f16", connectivity=16, expansion_search=2 * BEST
    )
    for start in range(0, len(made), _BLOCK):
        block = made[start : start + _BLOCK]
        index.add(np.arange(start, start + len(block)), block, threads=2)
    index.save(str(path))
    return lambda query: np.asarray(index.search(query, BEST, threads=1).keys, np.int64)


def voyager(made: Codes, path: Path) -> Search:
    """A navigable graph over 8-bit numbers."""
    from voyager import Index, Space, StorageDataType

    index = Index(Space.InnerProduct, made.shape[1], storage_data_type=StorageDataType.Float8)
    for start in range(0, len(made), _BLOCK):
        index.add_items(made[start : start + _BLOCK], num_threads=2)
    index.save(str(path))
    return lambda query: index.query(query, BEST, num_threads=1, query_ef=2 * BEST)[0]


LIBRARIES: dict[str, Callable[[Codes, Path], Search]] = {
    "all codes": all_codes,
    "faiss IVF SQ8, 1 list in 32": faiss_ivf_fewer,
    "faiss IVF SQ8, 1 list in 8": faiss_ivf,
    "faiss IVF SQ8, 1 list in 4": faiss_ivf_more,
    "faiss HNSW SQ8": faiss_hnsw,
    "usearch HNSW f16": usearch,
    "voyager HNSW E4M3": voyager,
}


def measure(name: str, n: int, count: int) -> dict[str, float]:
    """Measure one library; run in a process of its own."""
    threadpool_limits(1)
    made = codes(n)
    before = memory()["VmRSS"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index"
        began = time.perf_counter()
        search = LIBRARIES[name](made, path)
        found = {"build_s": round(time.perf_counter() - began, 1)}
        found["file_mb"] = round(path.stat().st_size / 1e6) if path.exists() else 0
    found["memory_mb"] = memory()["VmRSS"] - before
    rng = np.random.default_rng(1)
    rows = rng.choice(n, count, replace=False)
    seconds, hits = [], dict.fromkeys(ERRORS, 0)
    for row in rows:
        began = time.perf_counter()
        candidates = search(made[row])
        seconds.append(time.perf_counter() - began)
        cosines = made @ made[row]
        noise = rng.standard_normal(n, np.float32)
        for error in ERRORS:
            best = nearest(cosines + np.float32(error) * cosines.std() * noise, K)
            hits[error] += len(np.intersect1d(best, candidates))
    found["median_ms"] = round(1e3 * float(np.median(seconds)), 2)
    found["p95_ms"] = round(1e3 * float(np.quantile(seconds, 0.95)), 2)
    return found | {f"recall, error {error}": round(hits[error] / (K * count), 4) for error in ERRORS}


def main() -> None:
    """Measure each in turn, and print a line per library."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=TRACKS)
    parser.add_argument("--queries", type=int, default=QUERIES)
    parser.add_argument("--only", nargs="*", choices=list(LIBRARIES), default=list(LIBRARIES))
    parser.add_argument("--measure", choices=list(LIBRARIES), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(measure(asked.measure, asked.tracks, asked.queries)))
        return
    sizes = ["--tracks", str(asked.tracks), "--queries", str(asked.queries)]
    for name in asked.only:
        command = [sys.executable, __file__, "--measure", name, *sizes]
        ran = subprocess.run(command, capture_output=True, text=True, env=os.environ)
        print(f"{name:28}", ran.stdout.strip() or ran.stderr.strip().splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
