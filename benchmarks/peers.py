"""Compare speed with Musly, Essentia, librosa's own features and the article's pipeline.

    pip install pymusly==2.0.0 essentia==2.1b6.dev1389
    python benchmarks/peers.py [--clips N] [--json]

The two packages are only needed here; rows of missing packages are left out. Seconds per track are from
the file to the features, one track after the other, median over the clips, after one warm-up. Each
system gets the half minute that ours analyses, from its own decoder if it has one. Milliseconds per
query are for the similarities of one track to as many as in the bundled library, by the system's own
distance:

- Musly's method `timbre`, with its own similarity;
- Essentia's MusicExtractor, standardised Euclidean distance over its features;
- librosa: mean and deviation of 20 MFCC, chroma, spectral contrast and the tempo, by the same distance;
- the article: the mel spectrogram as a matplotlib figure, VGG16 by Keras' `predict`, max-pooled, and
  scikit-learn's cosine similarity over all tracks;
- ours: everything that a default playlist needs, and an exact search.
"""

from __future__ import annotations

import importlib.util
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import uploads
from figures import Figure, parser, show
from numpy.typing import NDArray

from soundalike import paths, representations
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.features import spectral, spectrogram_image
from soundalike.index import index
from soundalike.models import ModelStore, vgg16
from soundalike.playlist import playlist, query
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import Recipe

QUERIES = 5


@dataclass(frozen=True)
class Peer:
    """A system: its feature extraction, and its comparison of one track with a library.

    Attributes
    ----------
    analyse : function from a file to its features
    compare : function from the features of all clips and the library's size to a query function
    """

    name: str
    analyse: Callable[[Path], Any]
    compare: Callable[[list[Any], int], Callable[[], object]]


def main() -> None:
    """Print the figures."""
    options = parser(__doc__)
    options.add_argument("--clips", type=int, default=12)
    chosen = options.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number in range(chosen.clips + 1):
            name, content = uploads.upload(number)
            files.append(Path(folder) / name)
            files[-1].write_bytes(content)
        for peer in peers():
            found += measure(peer, files)
    show(found, chosen.json)


def measure(peer: Peer, files: list[Path]) -> list[Figure]:
    """Figures of one system."""
    size = len(index.load(paths.BUNDLED_INDEX))
    analysed, taken = [], []
    for file in files:
        start = time.perf_counter()
        analysed.append(peer.analyse(file))
        taken.append(time.perf_counter() - start)
    ask = peer.compare(analysed[1:], size)
    ask()
    asked = []
    for _ in range(QUERIES):
        start = time.perf_counter()
        ask()
        asked.append((time.perf_counter() - start) * 1_000)
    return [
        Figure(f"{peer.name}: a track", round(median(taken[1:]), 3), "s"),
        Figure(f"{peer.name}: a query among {size}", round(median(asked), 2), "ms"),
    ]


def peers() -> list[Peer]:
    """All installed systems."""
    made = {"pymusly": musly, "essentia": essentia, "librosa": own_features, "matplotlib": article}
    there = [make() for package, make in made.items() if importlib.util.find_spec(package)]
    return [*there, ours()]


def musly() -> Peer:
    """Musly (Schnitzer, 2012)."""
    import pymusly

    jukebox = pymusly.MuslyJukebox("timbre")

    def analyse(file: Path) -> Any:
        return jukebox.track_from_audiodata(analysis_window(decoding.decode(file)).samples)

    def compare(analysed: list[Any], size: int) -> Callable[[], object]:
        numbered = [(number, analysed[number % len(analysed)]) for number in range(size)]
        jukebox.set_style(analysed)
        jukebox.add_tracks(numbered)
        return lambda: jukebox.compute_similarity(numbered[0], numbered)

    return Peer("Musly", analyse, compare)


def essentia() -> Peer:
    """Essentia's MusicExtractor (Bogdanov et al., 2013)."""
    import essentia
    import essentia.standard

    essentia.log.infoActive = essentia.log.warningActive = False
    extract = essentia.standard.MusicExtractor(lowlevelStats=["mean", "stdev"])

    def analyse(file: Path) -> NDArray[np.float64]:
        pool, _ = extract(str(file))
        # The number of beats varies by track; text values are names of keys or versions.
        names = [name for name in sorted(pool.descriptorNames()) if name != "rhythm.beats_position"]
        values = [np.ravel(pool[name]) for name in names]
        return np.concatenate([value for value in values if value.dtype.kind == "f"])

    return Peer("Essentia MusicExtractor", analyse, standardised)


def own_features() -> Peer:
    """A common set of librosa's features (McFee et al., 2015)."""
    import librosa

    def analyse(file: Path) -> NDArray[np.float64]:
        samples, rate = librosa.load(file, duration=30.0)
        frames = np.vstack(
            [
                librosa.feature.mfcc(y=samples, sr=rate),
                librosa.feature.chroma_stft(y=samples, sr=rate),
                librosa.feature.spectral_contrast(y=samples, sr=rate),
            ]
        )
        tempo = np.atleast_1d(librosa.feature.tempo(y=samples, sr=rate))
        return np.concatenate([frames.mean(axis=1), frames.std(axis=1), tempo])

    return Peer("librosa features", analyse, standardised)


def article() -> Peer:
    """The article's pipeline, as published."""
    from sklearn.metrics.pairwise import cosine_similarity

    from soundalike.models.tensorflow_import import import_tensorflow

    import_tensorflow()
    network = vgg16.build(vgg16.read(paths.MODELS / "vgg16_notop_fp16.npz"))

    def analyse(file: Path) -> NDArray[np.float32]:
        clip = analysis_window(decoding.decode(file))
        picture = spectrogram_image.figure(spectral.mel_spectrogram(clip)).astype(np.float32)
        features = network.predict(picture[np.newaxis], verbose=0)[0]
        return vgg16.max_pool(features, (3, 2)).ravel()

    def compare(analysed: list[NDArray[np.float32]], size: int) -> Callable[[], object]:
        tracks = np.stack([analysed[number % len(analysed)] for number in range(size)])
        return lambda: np.argsort(cosine_similarity(tracks[:1], tracks)[0])[::-1]

    return Peer("the article's pipeline", analyse, compare)


def ours() -> Peer:
    """Our pipeline for a default playlist."""
    opened, models = index.load(paths.BUNDLED_INDEX), ModelStore()

    def compare(analysed: list[query.Query], size: int) -> Callable[[], object]:
        name = representations.default(opened.names)
        return lambda: playlist.make_playlist(opened, [Seed(analysed[0])], Recipe(name, per_artist=None))

    return Peer("Soundalike", lambda file: query.from_audio(file, opened, models), compare)


def standardised(analysed: list[NDArray[np.float64]], size: int) -> Callable[[], object]:
    """Euclidean distances of features standardised to mean 0 and deviation 1 over the library."""
    clips = np.stack(analysed)
    deviation = clips.std(axis=0)
    scaled = (clips - clips.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    tracks = scaled[np.arange(size) % len(scaled)]
    return lambda: np.argsort(np.linalg.norm(tracks - tracks[0], axis=1))


if __name__ == "__main__":
    main()
