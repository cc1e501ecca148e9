"""Fit the correction for embeddings of recordings, assets/models/recording_correction.npz.

    python scripts/fit_recording_correction.py [LIBRARY] [--out FILE.npz] [--pairs FILE.npz]

Each clip of a library (the bundled one by default) is played eight times through random loudspeakers,
rooms, noise, babble, telephones and microphones, some at another speed. 15 s of each copy go through
both networks, and the embeddings of its five 3 s segments are paired with those of the clean clip. A
network with one hidden layer learns to map the former to the latter.

No labels are used. A quarter of the artists, chosen by a hash of their names, is held out for tests. It
runs in two processes, about 25 minutes on two cores. With --pairs, the pairs are saved in FILE.npz and
read from there the next time.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike import paths, threads
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip
from soundalike.datasets import library
from soundalike.evaluation import degradations
from soundalike.models import ModelStore, stretches, tagger, yamnet, yamnet_features
from soundalike.models.recording_correction import DIM, SIZES, RecordingCorrection
from soundalike.models.tensorflow_import import import_tensorflow
from soundalike.representations import recorded

COPIES = 8
PROCESSES = 2
LENGTH = 5
"""Number of 3 s segments per copy."""
CROWDS = 12
SEED = 1_000
HIDDEN = 512
EPOCHS = 20
BATCH = 64
LEARNING_RATE = 4e-4
WEIGHT_DECAY = 1e-2
DROPOUT = 0.4

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Pairs:
    """Embeddings of copies, and those of their clean clips.

    Attributes
    ----------
    rows : row of the library for each copy [shape=(copies,)]
    recorded, clean : [shape=(copies, 5, 1480)]
    """

    rows: NDArray[np.intp]
    recorded: Array
    clean: Array


def main() -> int:
    """Fit and write the network."""
    options = _options()
    pairs = _pairs(options.library, options.pairs)
    artists = library.load(options.library).tracks["artist"]
    held_out = np.array([recorded.is_held_out(str(artists.iloc[row])) for row in pairs.rows])
    fitted = fit(pairs, ~held_out)
    fitted.save(options.out)
    for name, chosen in (("fitted on", ~held_out), ("held out", held_out)):
        before, after = _errors(fitted, pairs, chosen)
        print(f"{name}: {chosen.sum()} copies, squared error {before:.3f} before and {after:.3f} after")
    print(f"{options.out}: SHA-256 {paths.sha256_of(options.out)}")
    return 0


def fit(pairs: Pairs, chosen: NDArray[np.bool_]) -> RecordingCorrection:
    """Fit the network to some of the pairs: squared error, Adam; deterministic."""
    import_tensorflow()
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    clean = pairs.clean[chosen]
    mean = clean.reshape(-1, DIM).mean(axis=0)
    scale = _scale(clean.mean(axis=1) - mean)
    given, wanted = ((values[chosen] - mean) / scale for values in (pairs.recorded, pairs.clean))
    stretch = keras.Input((LENGTH, DIM))
    own = layers.Dense(HIDDEN, name="own")
    context = layers.Dense(HIDDEN, use_bias=False, name="context")
    output = layers.Dense(DIM, kernel_initializer="zeros", name="output")
    whole = keras.ops.mean(stretch, axis=1, keepdims=True)
    hidden = layers.ReLU()(layers.Add()([own(stretch), context(whole)]))
    added = output(layers.Dropout(DROPOUT)(hidden))
    network = keras.Model(stretch, layers.Add()([stretch, added]))
    steps = EPOCHS * -(-len(given) // BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)
    network.compile(keras.optimizers.AdamW(schedule, weight_decay=WEIGHT_DECAY), _loss)
    network.fit(given, wanted, BATCH, EPOCHS, verbose=0)
    weights = [*own.get_weights(), *context.get_weights(), *output.get_weights()]
    kernel, bias, context_kernel, output_kernel, output_bias = weights
    return RecordingCorrection(mean, scale, kernel, context_kernel, bias, output_kernel, output_bias)


def _loss(wanted: object, given: object) -> object:
    """Squared error of each segment plus four times that of the clip's mean, which is compared."""
    from keras import ops

    error = ops.subtract(wanted, given)
    whole = ops.mean(ops.square(ops.mean(error, axis=1)))
    return ops.mean(ops.square(error)) + 4.0 * whole


def _scale(vectors: Array) -> Array:
    """One scale per part: the root mean square of its centred values."""
    scales, start = [], 0
    for size in SIZES.values():
        part = vectors[:, start : start + size]
        scales.append(np.full(size, np.sqrt(np.square(part).mean()), np.float32))
        start += size
    return np.concatenate(scales)


def _errors(fitted: RecordingCorrection, pairs: Pairs, chosen: NDArray[np.bool_]) -> tuple[float, float]:
    """Squared error of each copy's mean, in units of the scale, before and after."""
    before: list[float] = []
    after: list[float] = []
    for copy, clean in zip(pairs.recorded[chosen], pairs.clean[chosen], strict=True):
        ends = np.cumsum(list(SIZES.values()))[:-1]
        parts = fitted(dict(zip(SIZES, np.split(copy, ends, axis=1), strict=True)))
        corrected = np.concatenate(list(parts.values()), axis=1)
        for values, errors in ((copy, before), (corrected, after)):
            errors.append(float(np.square((values - clean).mean(axis=0) / fitted.scale).mean()))
    return float(np.mean(before)), float(np.mean(after))


def _pairs(folder: Path, kept: Path | None) -> Pairs:
    if kept is not None and kept.exists():
        with np.load(kept, allow_pickle=False) as arrays:
            return Pairs(
                arrays["rows"], *(arrays[name].astype(np.float32) for name in ("recorded", "clean"))
            )
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        found = list(pool.map(_work, [folder] * PROCESSES, range(PROCESSES)))
    pairs = Pairs(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))
    if kept is not None:
        halves = {name: getattr(pairs, name).astype(np.float16) for name in ("recorded", "clean")}
        np.savez(kept, rows=pairs.rows, **halves)
    return pairs


@threads.single_threaded()
def _work(folder: Path, process: int) -> tuple[NDArray[np.intp], Array, Array]:
    """A process's share of the clips: every second one."""
    models, generator = ModelStore(), np.random.default_rng(SEED + process)
    crowds = [
        degradations.babble(ANALYSIS_SAMPLES, generator, int(generator.integers(3, 16)))
        for _ in range(CROWDS)
    ]
    source = library.load(folder)
    rows, copies, clean = [], [], []
    for row in range(process, len(source.tracks), PROCESSES):
        clip = analysis_window(decoding.decode(source.path(row)))
        whole = _embed(clip.samples, models, stretches.COUNT)
        for _ in range(COPIES):
            first = int(generator.integers(0, stretches.COUNT - LENGTH + 1))
            copy = _copy(clip.samples, first, generator, crowds)
            rows.append(row)
            copies.append(_embed(copy, models, LENGTH))
            clean.append(whole[first : first + LENGTH])
    return np.array(rows), np.stack(copies), np.stack(clean)


def _copy(samples: Array, first: int, generator: np.random.Generator, crowds: list[Array]) -> Array:
    """15 s of a clip with random degradations, from segment `first` on."""
    start, end = (round(place * stretches.SECONDS * SAMPLE_RATE) for place in (first, first + LENGTH))
    # Earlier samples still reverberate.
    before = min(start, SAMPLE_RATE)
    return played(samples[start - before : end + 600], generator, crowds)[before:]


def played(samples: Array, generator: np.random.Generator, crowds: list[Array]) -> Array:
    """Play samples through a random combination of loudspeaker, room, noise and telephone."""
    kind = generator.integers(0, 8)
    if generator.random() < 0.25:
        samples = degradations.resampled(samples, 1 + generator.uniform(-0.03, 0.03))
    if kind in (0, 5, 6):
        drive, lowest = generator.uniform(0.5, 4), generator.uniform(120, 450)
        samples = degradations.small_speaker(samples, drive, lowest)
    if kind in (3, 4):
        low, high = generator.uniform(200, 450), generator.uniform(2_500, 5_000)
        samples = degradations.band_limited(samples, low, high)
    if kind in (1, 5, 6, 7):
        room = degradations.Room(generator.uniform(0.2, 1.1), generator.uniform(-3, 8))
        samples = degradations.in_room(samples, room, generator)
    if kind in (2, 4, 5, 6, 7):
        noise = _noise(len(samples), generator, crowds)
        samples = degradations.with_noise(samples, noise, generator.uniform(3, 22))
    if generator.random() < 0.5:
        low, high = generator.uniform(40, 200), generator.uniform(5_000, 10_500)
        samples = degradations.band_limited(samples, low, high)
    return samples


def _noise(count: int, generator: np.random.Generator, crowds: list[Array]) -> Array:
    """Pink noise, babble, or noise of another colour."""
    kind = generator.integers(0, 3)
    if kind == 1:
        crowd = crowds[generator.integers(len(crowds))]
        return np.roll(crowd, generator.integers(count))[:count]
    pink = degradations.pink_noise(count, generator)
    if kind == 0:
        return pink
    dark = degradations.band_limited(pink, None, generator.uniform(500, 4_000))
    return np.asarray(dark / dark.std() + 0.3 * generator.standard_normal(count), np.float32)


def _embed(samples: Array, models: ModelStore, count: int) -> Array:
    """Joined embeddings of the first segments [shape=(count, 1480)]."""
    clip = Clip(np.asarray(samples, np.float32))
    output = models.tagger(tagger.patches(tagger.spectrogram(clip))[:count])
    patches = yamnet.patches(yamnet.spectrogram(clip), yamnet_features.STEP)
    stretch_of = yamnet_features.stretch_of_patches(len(patches))
    chosen = np.flatnonzero(stretch_of < count)
    embeddings = models.yamnet(patches[chosen]).embeddings
    middle = output.pooled[:, -2 * tagger.MIDDLE_FILTERS :].reshape(count, -1)
    sound = stretches.means(embeddings, stretch_of[chosen])[:count]
    return np.concatenate([output.penultimate, middle, sound], axis=1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("library", type=Path, nargs="?", default=paths.LIBRARY)
    parser.add_argument("--out", type=Path, default=paths.MODELS / "recording_correction.npz")
    parser.add_argument("--pairs", type=Path, help="where the pairs are kept between runs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
