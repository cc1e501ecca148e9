"""Compare speed and quality with Musly, Essentia, bliss, librosa's features and the article's pipeline.

    pip install pymusly==2.0.0 essentia==2.1b6.dev1389 bliss-audio==0.2.0
    python benchmarks/peers.py [--clips N] [--labelled DIR] [--json]

The three packages are only needed here; rows of missing packages are left out. Seconds per track are
from the file to the features, one track after the other, median over N clips, after one warm-up. Each
system gets the half minute that ours analyses, from its own decoder if it has one. Milliseconds per
query are for the similarities of one track to as many as in the bundled library, by the system's own
distance:

- Musly's method `timbre`, with its own similarity;
- Essentia's MusicExtractor, standardised Euclidean distance over its features;
- bliss: its 23 features, Euclidean distance;
- librosa: mean and deviation of 20 MFCC, chroma, spectral contrast and the tempo, standardised Euclidean
  distance;
- the article: the mel spectrogram as a matplotlib figure, VGG16 by Keras' `predict`, max-pooled, and
  scikit-learn's cosine similarity over all tracks;
- ours: everything that a default playlist needs, and an exact search.

Quality is the precision of the genre among the 10 nearest, with the artist filter, on a folder of
labelled clips. It is left out where there is no such folder.
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
from numpy.typing import ArrayLike, NDArray

from soundalike import paths, representations
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.datasets import artists as artist_rule
from soundalike.datasets import library
from soundalike.datasets.library import Library
from soundalike.evaluation import metrics, rankings, robustness_files
from soundalike.features import spectral, spectrogram_image
from soundalike.index import index
from soundalike.indexing import builder
from soundalike.indexing.builder import BuildPlan
from soundalike.models import ModelStore, vgg16
from soundalike.playlist import playlist, query
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import Recipe

LABELLED = paths.ROOT.parent / "shared" / "eval_clips"
QUERIES, K = 5, 10


@dataclass(frozen=True)
class Peer:
    """A system: its feature extraction, and its comparison of one track with a library.

    Attributes
    ----------
    analyse : function from a file to its features
    library : function from the features of all its tracks to a function from a track's number to its
        similarities to all, higher for more similar (of ours, to its playlist)
    """

    name: str
    analyse: Callable[[Path], Any]
    library: Callable[[list[Any]], Callable[[int], Any]]


def main() -> None:
    """Print the figures."""
    options = parser(__doc__)
    options.add_argument("--clips", type=int, default=12)
    options.add_argument("--labelled", type=Path, default=LABELLED)
    chosen = options.parse_args()
    labelled = library.load(chosen.labelled) if chosen.labelled.is_dir() else None
    found = []
    with tempfile.TemporaryDirectory() as folder:
        new = new_files(Path(folder), chosen.clips + 1)
        same = [] if labelled is None else half_minutes(labelled, Path(folder))
        for peer in peers():
            found += speed(peer, new)
            if labelled is not None:
                found.append(quality(peer.name, all_similarities(peer, same), labelled))
        found += speed(ours(), new)
        if labelled is not None:
            found.append(quality("Soundalike", our_similarities(labelled, Path(folder)), labelled))
    show(found, chosen.json)


def new_files(folder: Path, count: int) -> list[Path]:
    """New clips as MP3 files."""
    files = []
    for number in range(count):
        name, content = uploads.upload(number)
        files.append(folder / name)
        files[-1].write_bytes(content)
    return files


def half_minutes(labelled: Library, folder: Path) -> list[Path]:
    """The half minutes that we analyse, as WAV files, which every system reads."""
    files = []
    for number, name in enumerate(labelled.tracks["file"]):
        samples = analysis_window(decoding.decode(labelled.folder / name)).samples
        files.append(folder / f"{number:04}.wav")
        files[-1].write_bytes(robustness_files.encode(samples, "wav", "pcm_s16le"))
    return files


def speed(peer: Peer, files: list[Path]) -> list[Figure]:
    """Seconds a track and milliseconds a query."""
    size = len(index.load(paths.BUNDLED_INDEX))
    analysed, taken = [], []
    for file in files:
        start = time.perf_counter()
        analysed.append(peer.analyse(file))
        taken.append(time.perf_counter() - start)
    clips = analysed[1:]
    ask = peer.library([clips[number % len(clips)] for number in range(size)])
    ask(0)
    asked = []
    for _ in range(QUERIES):
        start = time.perf_counter()
        ask(0)
        asked.append((time.perf_counter() - start) * 1_000)
    return [
        Figure(f"{peer.name}: a track", round(median(taken[1:]), 3), "s"),
        Figure(f"{peer.name}: a query among {size}", round(median(asked), 2), "ms"),
    ]


def all_similarities(peer: Peer, files: list[Path]) -> NDArray[np.float64]:
    """Similarities of all clips to all [shape=(n, n)]."""
    ask = peer.library([peer.analyse(file) for file in files])
    return np.stack([np.asarray(ask(row), np.float64) for row in range(len(files))])


def quality(name: str, similarities: ArrayLike, labelled: Library) -> Figure:
    """Precision at 10 of the genre, with the artist filter."""
    genres, artists = list(labelled.tracks["genre"]), artist_rule.keys(labelled.tracks)
    scored = metrics.precision_at_k(similarities, genres, artists, k=K)
    note = f"95 % of the bootstrap over artists: {scored.low:.3f} to {scored.high:.3f}"
    return Figure(f"{name}: P@{K} on {len(genres)} labelled clips", round(scored.mean, 3), "", note=note)


def peers() -> list[Peer]:
    """The other systems that are installed."""
    made = {
        "pymusly": musly,
        "essentia": essentia,
        "bliss_audio": bliss,
        "librosa": own_features,
        "matplotlib": article,
    }
    return [make() for package, make in made.items() if importlib.util.find_spec(package)]


def musly() -> Peer:
    """Musly (Schnitzer, 2012)."""
    import pymusly

    jukebox = pymusly.MuslyJukebox("timbre")

    def analyse(file: Path) -> Any:
        return jukebox.track_from_audiodata(analysis_window(decoding.decode(file)).samples)

    def compared(analysed: list[Any]) -> Callable[[int], ArrayLike]:
        numbered = list(enumerate(analysed))
        jukebox.set_style(analysed)
        jukebox.add_tracks(numbered)
        return lambda row: -np.asarray(jukebox.compute_similarity(numbered[row], numbered))

    return Peer("Musly", analyse, compared)


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


def bliss() -> Peer:
    """bliss (Polochon-street, 2021; the package `bliss-audio`)."""
    from bliss_audio import Song

    def analyse(file: Path) -> NDArray[np.float64]:
        return np.asarray(Song(str(file)).analysis, np.float64)

    return Peer("bliss", analyse, lambda analysed: by_distance(np.stack(analysed)))


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

    def compared(analysed: list[NDArray[np.float32]]) -> Callable[[int], ArrayLike]:
        tracks = np.stack(analysed)
        return lambda row: cosine_similarity(tracks[row : row + 1], tracks)[0]

    return Peer("the article's pipeline", analyse, compared)


def ours() -> Peer:
    """Our pipeline for a default playlist of the bundled library."""
    opened, models = index.load(paths.BUNDLED_INDEX), ModelStore()
    recipe = Recipe(representations.default(opened.names), per_artist=None)

    def compared(analysed: list[query.Query]) -> Callable[[int], object]:
        return lambda row: playlist.make_playlist(opened, [Seed(analysed[row])], recipe)

    return Peer("Soundalike", lambda file: query.from_audio(file, opened, models), compared)


def our_similarities(labelled: Library, folder: Path) -> NDArray[np.float32]:
    """Similarities of all labelled clips to all by the default, in an index of their own."""
    name = representations.DEFAULT
    built = builder.build(labelled, folder / "index", ModelStore(), BuildPlan((name,)))
    return rankings.ranking_matrix(built.index, name)


def standardised(analysed: list[NDArray[np.float64]]) -> Callable[[int], ArrayLike]:
    """By Euclidean distances of features standardised to mean 0 and deviation 1 over the library."""
    clips = np.stack(analysed)
    deviation = clips.std(axis=0)
    return by_distance((clips - clips.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0))


def by_distance(tracks: NDArray[np.float64]) -> Callable[[int], ArrayLike]:
    """By Euclidean distances."""
    return lambda row: -np.linalg.norm(tracks - tracks[row], axis=1)


if __name__ == "__main__":
    main()
