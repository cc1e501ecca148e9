"""Cost and recall of the search at FMA-large's size: 106,574 tracks of up to 25,600 + 32 dimensions.

    python benchmarks/scale.py [--folder DIR] [--tracks N] [--queries N] [--only NAME ...]
                               [--json | --details]

Makes a library of synthetic vectors (see `synthetic_library` for the method and its limits), about 6 GB
at full size and 0.5 GB for the default representation alone. Derives everything that an index needs from
them except the neighbours, with the project's own code, and reports

- recall at 50: the share of the 50 nearest by exact search that are among the 50 nearest found,
- milliseconds per query: similarity to all tracks and selection of the nearest, with files cached by the
  system, one query after the other on at most two threads, linear algebra limited to one as in the app,
- memory: of a fresh process that opens the index and answers the queries, including pages of mapped
  files,
- memory: of this process while it derives the data for the search,
- bytes on disk, and the exact search's time for comparison,

and with `--only vgg_mel` also the recall on the bundled library's real vectors, with directions from one
half of its tracks and queries from the other. `--details` prints all of it as JSON. A given folder is
kept and reused; otherwise it is removed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import synthetic_library
from figures import Figure, parser, show
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from soundalike import paths, representations
from soundalike.index import index as indices
from soundalike.index import pca_prefilter, storage
from soundalike.index.index import Index
from soundalike.index.similarity import nearest
from soundalike.indexing import derived

TRACKS = 106_574
QUERIES = 200
K = 50
NAMES = ("soundalike", "vgg_genre")
BARS_MS = {"soundalike": 10.0, "vgg_genre": 15.0}
RECALL_BAR = 0.99
_WARM_UP = 10


def build(
    folder: Path, tracks: int, names: Sequence[str] = NAMES, source: Path = paths.BUNDLED_INDEX
) -> dict[str, float]:
    """Make the library and the data for its search, unless it exists; return seconds by step."""
    if indices.is_index(folder):
        return {}
    seconds = {}
    began = time.perf_counter()
    synthetic_library.write(folder, tracks, names=names, source=source)
    seconds["vectors made"] = time.perf_counter() - began
    for name in representations.stored(names):
        began = time.perf_counter()
        if (kind := representations.get(name).scaling) is not None:
            derived.scale(folder, name, kind)
        derived.write_vector_facts(folder, name)
        seconds[f"scale, facts and first pass of {name}"] = time.perf_counter() - began
    began = time.perf_counter()
    manifest = synthetic_library.manifest(folder, tracks, names)
    storage.write_manifest(folder, manifest)
    seconds["checksums"] = time.perf_counter() - began
    began = time.perf_counter()
    derived.write_biases(indices.load(folder), names)
    storage.write_manifest(folder, manifest)
    seconds["biases"] = time.perf_counter() - began
    return seconds


def queries_of(index: Index, count: int) -> NDArray[np.intp]:
    """Draw query tracks at random."""
    rng = np.random.default_rng(1)
    return rng.choice(len(index), min(count, len(index)), replace=False)


def serve(folder: Path, count: int, names: Sequence[str] = NAMES) -> dict[str, Any]:
    """Memory and time of a process that only answers queries; run in a process of its own."""
    threadpool_limits(1)
    index = indices.load(folder)
    found: dict[str, Any] = {"opened_mb": memory()["VmRSS"]}
    for name in names:
        seconds, lists = [], []
        for row in queries_of(index, count):
            query = {part: index.vectors(part, [row])[0] for part in index.parts(name)}
            began = time.perf_counter()
            similarities = index.similarities(name, query)
            lists.append(nearest(similarities, K + 1).tolist())
            seconds.append(time.perf_counter() - began)
        timed = 1e3 * np.array(seconds[_WARM_UP:])
        found[name] = {
            "median_ms": round(float(np.median(timed)), 1),
            "p95_ms": round(float(np.quantile(timed, 0.95)), 1),
            "rss_mb": memory()["VmRSS"],
            "lists": lists,
        }
    return found | {"peak_mb": memory()["VmHWM"]}


def memory() -> dict[str, int]:
    """This process's memory according to the system, now and at its peak, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return {key: int(fields[key].split()[0]) // 1024 for key in ("VmRSS", "VmHWM")}


def exact(index: Index, name: str, rows: NDArray[np.intp]) -> tuple[NDArray[np.float64], float]:
    """Exact similarities of some tracks to all, and the seconds for a single query."""
    queries = {part: index.vectors(part, rows) for part in index.parts(name)}
    one = {part: vectors[0] for part, vectors in queries.items()}
    began = time.perf_counter()
    _exact(index, name, one)
    seconds = time.perf_counter() - began
    return _exact(index, name, queries), seconds


def _exact(index: Index, name: str, queries: dict[str, NDArray[np.float32]]) -> NDArray[np.float64]:
    dot: Any = 0.0
    asked: Any = 0.0
    squares: Any = 0.0
    for part, weight in index.parts(name).items():
        store = index.store(part)
        dot = dot + weight**2 * store.products(queries[part])
        asked = asked + weight**2 * np.square(queries[part], dtype=np.float64).sum(axis=-1)
        squares = squares + weight**2 * store.norms.astype(np.float64) ** 2
    return np.asarray(dot / np.sqrt(np.multiply.outer(asked, squares)) + index.bias(name))


def recall(exact_values: NDArray[np.float64], lists: list[list[int]], rows: NDArray[np.intp]) -> float:
    """Share of the 50 nearest others that were found."""
    hits = 0
    for row, values, found in zip(rows, exact_values, lists, strict=True):
        best = [other for other in np.argsort(-values)[: K + 1].tolist() if other != row][:K]
        hits += len(set(best) & set([other for other in found if other != row][:K]))
    return hits / (len(lists) * K)


def real_recall() -> dict[str, float]:
    """Recall on the bundled library, at the same share of candidates: 5 nearest among the best 20.

    The directions are from one half; queries and searched tracks are the other half.
    """
    index = indices.load(paths.BUNDLED_INDEX)
    vectors = np.asarray(index.array("vgg_mel"), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    order = np.random.default_rng(0).permutation(len(vectors))
    fitted, held_out = np.array_split(vectors[order], 2)
    directions = np.linalg.svd(fitted, full_matrices=False)[2][: pca_prefilter.DIMENSIONS]
    codes = held_out @ directions.T
    estimates, cosines = codes @ codes.T, held_out @ held_out.T
    off = ~np.eye(len(cosines), dtype=bool)
    errors = (estimates - cosines)[off]
    for matrix in (estimates, cosines):
        np.fill_diagonal(matrix, -np.inf)
    found = {"tracks": float(len(held_out))}
    for k, best in ((5, 10), (5, 20), (5, 40), (10, 50)):
        hits = [
            len(np.intersect1d(nearest(row, k), nearest(estimate, best)))
            for row, estimate in zip(cosines, estimates, strict=True)
        ]
        found[f"of {k} nearest among best {best}"] = round(float(np.mean(hits)) / k, 4)
    found["error, in standard deviations of the cosines"] = round(
        float(errors.std() / cosines[off].std()), 3
    )
    return found


def sizes(folder: Path) -> dict[str, float]:
    """Bytes on disk by kind of file, in MB."""
    found: dict[str, float] = {}
    for path in folder.glob("*"):
        kind = "vectors" if path.stem in representations.REGISTRY else path.stem.split("_")[-1]
        found[kind] = found.get(kind, 0.0) + path.stat().st_size / 1e6
    return {kind: round(size, 1) for kind, size in sorted(found.items(), key=lambda item: -item[1])}


def measure(folder: Path, tracks: int, count: int, names: Sequence[str], source: Path) -> dict[str, Any]:
    """Measure everything that is reported."""
    before = memory()["VmRSS"]
    built = build(folder, tracks, names, source)
    after = memory()["VmHWM"]
    command = [sys.executable, __file__, "--serve", "--folder", str(folder), "--queries", str(count)]
    command += ["--only", *names]
    served = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    index = indices.load(folder)
    rows = queries_of(index, count)
    for name in names:
        values, seconds = exact(index, name, rows)
        served[name]["recall_at_50"] = recall(values, served[name].pop("lists"), rows)
        served[name]["exact_ms"] = round(1e3 * seconds)
    return {
        "tracks": len(index),
        "queries": len(rows),
        "build_mb": {"before": before, "peak": after},
        "build_seconds": {step: round(value, 1) for step, value in built.items()},
        "served": served,
        "disk_mb": sizes(folder),
        "real": real_recall() if "vgg_mel" in names else {},
    }


def figures_of(found: dict[str, Any], names: Sequence[str]) -> list[Figure]:
    """What is reported of each representation."""
    tracks, served = f"{found['tracks']:,} tracks", found["served"]
    figures = []
    for name in names:
        one = served[name]
        spread = f"95 % of the queries within {one['p95_ms']} ms, {one['exact_ms']:,} ms by exact search"
        figures += [
            Figure(f"query by {name}, {tracks}", one["median_ms"], "ms", BARS_MS.get(name), spread),
            Figure(
                f"recall at {K} by {name}", round(one["recall_at_50"], 4), "", RECALL_BAR, least=True
            ),
        ]
    note = f"{served['opened_mb']} MB before the first query"
    return [*figures, Figure(f"memory for queries, {tracks}", served["peak_mb"], "MB", note=note)]


def main() -> None:
    """Measure, and print figures or details."""
    options = parser(__doc__)
    options.add_argument("--folder", type=Path, help="where the library is made, and kept")
    options.add_argument("--tracks", type=int, default=TRACKS)
    options.add_argument("--queries", type=int, default=QUERIES)
    options.add_argument("--only", nargs="+", default=NAMES, help="representations")
    options.add_argument(
        "--source", type=Path, default=paths.BUNDLED_INDEX, help="an index whose spectra are taken"
    )
    options.add_argument("--details", action="store_true", help="print everything measured as JSON")
    options.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.serve:
        print(json.dumps(serve(asked.folder, asked.queries, asked.only)))
        return
    with tempfile.TemporaryDirectory() as aside:
        folder = asked.folder or Path(aside) / "index"
        found = measure(folder, asked.tracks, asked.queries, asked.only, asked.source)
    if asked.details:
        print(json.dumps(found, indent=1))
        return
    show(figures_of(found, asked.only), asked.json)
    if asked.json:
        return
    print(f"\nmemory while built: {found['build_mb']['peak']} MB at the most")
    print("on disk, MB:", found["disk_mb"])
    print("built, s:", found["build_seconds"])
    if found["real"]:
        print("bundled library:", found["real"])


if __name__ == "__main__":
    main()
