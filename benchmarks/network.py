"""Speed of the networks on each runtime, and the effect of lower precision.

    python benchmarks/network.py [--rounds N] [--library DIR] [--speed] [--json]

Times one forward pass of VGG16 (a 480 x 640 picture), of the tagger (ten patches) and of YAMNet (62
patches) on TensorFlow (as a traced direct call), on OpenVINO in float32, and on the app's choice for
this processor, alternately, for equal conditions; ratios are medians of the rounds' ratios. Then embeds
the clips of a library (the evaluation clips next to the project if available, otherwise the bundled
ones) by TensorFlow and by the app's choice. Prints the agreement of the embeddings, and genre precision
at 10 for both with an artist filter, with the paired difference's 95 % bootstrap interval over artists.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import figures
import numpy as np
from figures import Figure
from numpy.typing import NDArray

from soundalike import paths, representations
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.datasets import artists as artist_rule
from soundalike.datasets import library
from soundalike.evaluation import metrics
from soundalike.models import ModelStore, runtime, tagger, vgg_features, yamnet
from soundalike.representations import scaling

NAMES = ("vgg_mel", "genre_head", *representations.get("soundalike").parts)
EVALUATED = {
    "vgg_mel": {"vgg_mel": 1.0},
    "vgg_genre": representations.get("vgg_genre").parts,
    "soundalike": representations.get("soundalike").parts,
}
CHOSEN, SINGLE = "auto", runtime.OPENVINO_F32
RUNTIMES = (runtime.TENSORFLOW, SINGLE, CHOSEN)


def main() -> None:
    """Measure and print."""
    parser = figures.parser(__doc__)
    evaluation_clips = paths.ROOT.parent / "shared" / "eval_clips"
    folder = evaluation_clips if evaluation_clips.is_dir() else paths.LIBRARY
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--library", type=Path, default=folder)
    parser.add_argument("--speed", action="store_true", help="leave out the agreement of embeddings")
    options = parser.parse_args()
    stores = {name: store(name) for name in RUNTIMES}
    source = library.load(options.library)
    found = speed(stores, source, options.rounds)
    if not options.speed:
        found += accuracy(stores, source)
    figures.show(found, options.json)


def store(name: str) -> ModelStore:
    """Networks on a given runtime."""
    os.environ[runtime.VARIABLE] = name
    models = ModelStore()
    for network in (models.vgg16, models.tagger, models.yamnet):
        assert network is not None
    # Prepared at the first call.
    models.genre_head(np.zeros((1, 7, 10, 512), np.float32))
    return models


def speed(stores: dict[str, ModelStore], source: library.Library, rounds: int) -> list[Figure]:
    """Time per pass, and ratios."""
    clip = analysis_window(decoding.decode(source.path(0)))
    picture = vgg_features.mel_image(clip)
    patches = tagger.patches(tagger.spectrogram(clip))
    sounds = yamnet.patches(yamnet.spectrogram(clip))
    kind = runtime.precision()
    found = []
    passes: dict[str, Callable[[ModelStore], object]] = {
        "VGG16": lambda models: models.vgg16(picture),
        "tagger": lambda models: models.tagger(patches),
        "YAMNet": lambda models: models.yamnet(sounds),
    }
    for network, call in passes.items():
        seconds = in_turns({name: partial(call, models) for name, models in stores.items()}, rounds)
        for name in RUNTIMES:
            title = f"the app's choice here ({kind})" if name == CHOSEN else name
            value = round(1000 * statistics.median(seconds[name]), 1)
            found.append(Figure(f"{network}, one pass, {title}", value, "ms"))
        for name, bar in ((CHOSEN, 0.45 if network == "VGG16" else None), (SINGLE, None)):
            pairs = zip(seconds[name], seconds[runtime.TENSORFLOW], strict=True)
            ratio = statistics.median(one / other for one, other in pairs)
            title = "the app's choice" if name == CHOSEN else name
            found.append(Figure(f"{network}, {title} / TensorFlow float32", round(ratio, 3), "", bar))
    return found


def in_turns(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each call by round, after one warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if number:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def accuracy(stores: dict[str, ModelStore], source: library.Library) -> list[Figure]:
    """Agreement of embeddings, and precision at 10 for both."""
    single, chosen = (embedded(stores[name], source) for name in (runtime.TENSORFLOW, CHOSEN))
    found = []
    for name in NAMES:
        cosines = cosine(single[name], chosen[name])
        least = round(float(cosines.min()), 5)
        note = f"median {np.median(cosines):.5f} over {len(cosines)} clips"
        bar = 0.999 if name != "genre_head" else None
        found.append(Figure(f"`{name}`, least cosine to float32", least, "", bar, note, least=True))
    labels, artists = list(source.tracks["genre"]), artist_rule.keys(source.tracks)
    for name, parts in EVALUATED.items():
        before, after = (
            metrics.precision_at_k(similarities(vectors, parts), labels, artists)
            for vectors in (single, chosen)
        )
        difference = after.per_query - before.per_query
        low, high = metrics.bootstrap_interval(difference, np.array(artists))
        note = (
            f"float32: {before.mean:.4f} ({before.low:.4f} to {before.high:.4f}); "
            f"difference {difference.mean():+.4f} ({low:+.4f} to {high:+.4f}); {len(labels)} clips, "
            "artist filter on"
        )
        value, bar = round(after.mean, 4), round(before.low, 4)
        found.append(Figure(f"`{name}`, P@10 by the app's choice", value, "", bar, note, least=True))
    return found


def embedded(models: ModelStore, source: library.Library) -> dict[str, NDArray[np.float32]]:
    """Vectors of every clip, by representation."""
    rows = []
    for row in range(len(source.tracks)):
        clip = analysis_window(decoding.decode(source.path(row)))
        rows.append([representations.get(name).embed(clip, models) for name in NAMES])
    return {name: np.stack([row[at] for row in rows]) for at, name in enumerate(NAMES)}


def similarities(
    vectors: dict[str, NDArray[np.float32]], parts: dict[str, float]
) -> NDArray[np.float32]:
    """Pairwise cosine similarity of clips, from weighted joined parts scaled by all clips."""
    joined = np.concatenate([scaled(part, vectors[part]) * w for part, w in parts.items()], axis=1)
    return metrics.cosine_matrix(joined)


def scaled(name: str, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors scaled like an index of all of them."""
    kind = representations.get(name).scaling
    return vectors if kind is None else scaling.scaled_by_themselves(kind, vectors)


def cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """Row-wise cosine similarity."""
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.asarray((one.astype(np.float64) * other).sum(axis=1) / np.maximum(norms, 1e-12))


if __name__ == "__main__":
    main()
