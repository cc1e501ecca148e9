"""Time of an upload from its bytes to its playlist, compared with the networks' bare passes.

    python benchmarks/upload.py [--rounds N] [--json]

Everything is warm: libraries imported, networks loaded, index open, sandbox started. Each round uses a
new 30 s MP3 file, and times in turn: VGG16's pass alone on a prepared picture; the path from the bytes
to that picture (decode in the sandbox, resample, spectrogram, image); the whole path to ten tracks with
their sentences, with the app's defaults; the same for a recording, a WAV file whose embedding is
corrected; from the MP3 file until the clip's words are known too, as on the page; and until its genres
are, which the page predicts once a visitor opens the genre head. Then another process does the same on
TensorFlow, if that is installed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

import figures
import numpy as np
import uploads
from figures import Figure
from numpy.typing import NDArray

from soundalike import paths, representations
from soundalike.analysis import shared_traits
from soundalike.audio import sandbox
from soundalike.audio.analysis_window import analysis_window
from soundalike.index import index
from soundalike.index.index import Index
from soundalike.models import ModelStore, runtime, tagger, vgg_features
from soundalike.playlist import playlist, query
from soundalike.playlist.blend import Seed
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.words import library, naming

PLAYLIST_BAR_MS, COMPLETE_BAR_MS = 200, 450
TENSORFLOW_BAR = 3.0
TENSORFLOW_ROUNDS = 5
WHOLE, WORDS = "from an MP3's bytes to a playlist", "until its words too"
COMPLETE = "until its words and genres too"
WARM = 2
"""Number of warm-up files."""


def main() -> None:
    """Measure and print."""
    parser = figures.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    found = measure(index.load(paths.BUNDLED_INDEX), ModelStore(), options.rounds)
    if runtime.name() != runtime.TENSORFLOW and importlib.util.find_spec("tensorflow"):
        found += on_tensorflow(found)
    figures.show(found, options.json)


def measure(opened: Index, models: ModelStore, rounds: int) -> list[Figure]:
    """Medians over the rounds."""
    seconds: dict[str, list[float]] = {}
    for number in range(rounds + WARM):
        content, recorded = uploads.upload(number)[1], uploads.recording(number)
        clip = analysis_window(sandbox.decode(content))
        picture = vgg_features.mel_image(clip)
        patches = tagger.patches(tagger.spectrogram(clip))
        calls: dict[str, Callable[[], object]] = {
            "pass": partial(models.vgg16, picture),
            "both": partial(networks, models, picture, patches),
            "picture": partial(to_picture, content),
            "whole": partial(to_playlist, content, opened, models),
            "recorded": partial(to_playlist, recorded, opened, models, recorded=True),
            "words": partial(to_words, content, opened, models),
            "complete": partial(to_genres, content, opened, models),
        }
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if number >= WARM:
                seconds.setdefault(name, []).append(time.perf_counter() - began)
    medians = {name: 1000 * statistics.median(values) for name, values in seconds.items()}
    kind = runtime.precision()
    return [
        Figure(f"VGG16's pass ({kind})", round(medians["pass"], 1), "ms"),
        Figure("VGG16's and the tagger's pass", round(medians["both"], 1), "ms"),
        Figure("from an MP3's bytes to the picture", round(medians["picture"], 1), "ms"),
        Figure(WHOLE, round(medians["whole"], 1), "ms", PLAYLIST_BAR_MS),
        Figure("the same / VGG16's pass", round(medians["whole"] / medians["pass"], 2), ""),
        Figure("from a recording to a playlist", round(medians["recorded"], 1), "ms", PLAYLIST_BAR_MS),
        Figure(WORDS, round(medians["words"], 1), "ms", COMPLETE_BAR_MS),
        Figure(COMPLETE, round(medians["complete"], 1), "ms", COMPLETE_BAR_MS),
        Figure("words and genres / VGG16's pass", round(medians["complete"] / medians["pass"], 2), ""),
    ]


def on_tensorflow(here: list[Figure]) -> list[Figure]:
    """The same on TensorFlow, as ratios of the times here."""
    command = [sys.executable, __file__, "--json", "--rounds", str(TENSORFLOW_ROUNDS)]
    environment = os.environ | {runtime.VARIABLE: runtime.TENSORFLOW}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    there = json.loads(done.stdout.strip().splitlines()[-1])["figures"]
    milliseconds = {figure["name"]: figure["value"] for figure in there}
    ours = {figure.name: figure.value for figure in here}
    return [
        Figure(
            f"{name}, on TensorFlow / the app's choice",
            round(milliseconds[name] / ours[name], 2),
            "",
            TENSORFLOW_BAR,
        )
        for name in (WHOLE, COMPLETE)
    ]


def networks(models: ModelStore, picture: NDArray[np.uint8], patches: NDArray[np.float32]) -> None:
    """All network passes of an upload, on prepared inputs."""
    models.vgg16(picture)
    models.tagger(patches)


def to_picture(content: bytes) -> NDArray[np.uint8]:
    """Decode, resample, spectrogram and image."""
    return vgg_features.mel_image(analysis_window(sandbox.decode(content)))


def to_playlist(content: bytes, opened: Index, models: ModelStore, recorded: bool = False) -> list[str]:
    """The page's processing of an upload, up to the sentences next to its tracks."""
    asked = query.embed_query(content, opened, models, decode=sandbox.decode, recorded=recorded)
    return _playlist(asked, opened)


def to_words(content: bytes, opened: Index, models: ModelStore) -> query.Query:
    """The same, then what the page adds: the clip's words, and a closer look for copies."""
    asked = query.embed_query(content, opened, models, decode=sandbox.decode)
    _playlist(asked, opened)
    known = library.of(opened, models)
    assert known is not None
    assert isinstance(asked.embeddings, ClipEmbeddings)
    naming.sounds_like(known, library.of_clip(asked.embeddings.clip, models))
    return query.look_closer(asked, opened, models)


def to_genres(content: bytes, opened: Index, models: ModelStore) -> query.Query:
    """The same, then the predicted genres."""
    return query.predict_genres(to_words(content, opened, models), opened, models)


def _playlist(asked: query.Query, opened: Index) -> list[str]:
    recipe = playlist.Recipe(representations.default(opened.names))
    found = playlist.make_playlist(opened, [Seed(asked)], recipe)
    return shared_traits.sentences(opened, asked, [entry.row for entry in found.entries])


if __name__ == "__main__":
    main()
