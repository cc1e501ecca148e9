"""Time of an upload from its bytes to its playlist, compared with the networks' bare passes.

    python benchmarks/upload.py [--rounds N] [--json]

Everything is warm: libraries imported, networks loaded, index open, sandbox started. Each round uses a
new 30 s MP3 file, and times in turn: VGG16's pass alone on a prepared picture; the path from the bytes
to that picture (decode in the sandbox, resample, spectrogram, image); and the whole path to ten tracks
with their sentences, with the app's defaults; and from the same start until the clip's words and genres
are known too, as on the page.
"""

from __future__ import annotations

import statistics
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
WARM = 2
"""Number of warm-up files."""


def main() -> None:
    """Measure and print."""
    parser = figures.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    found = measure(index.load(paths.BUNDLED_INDEX), ModelStore(), options.rounds)
    figures.show(found, options.json)


def measure(opened: Index, models: ModelStore, rounds: int) -> list[Figure]:
    """Medians over the rounds."""
    seconds: dict[str, list[float]] = {
        "pass": [],
        "both": [],
        "picture": [],
        "whole": [],
        "complete": [],
    }
    for number in range(rounds + WARM):
        content = uploads.upload(number)[1]
        clip = analysis_window(sandbox.decode(content))
        picture = vgg_features.mel_image(clip)
        patches = tagger.patches(tagger.spectrogram(clip))
        calls: dict[str, Callable[[], object]] = {
            "pass": partial(models.vgg16, picture),
            "both": partial(networks, models, picture, patches),
            "picture": partial(to_picture, content),
            "whole": partial(to_playlist, content, opened, models),
            "complete": partial(to_words_and_genres, content, opened, models),
        }
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if number >= WARM:
                seconds[name].append(time.perf_counter() - began)
    medians = {name: 1000 * statistics.median(values) for name, values in seconds.items()}
    kind = runtime.precision()
    return [
        Figure(f"VGG16's pass ({kind})", round(medians["pass"], 1), "ms"),
        Figure("VGG16's and the tagger's pass", round(medians["both"], 1), "ms"),
        Figure("from an MP3's bytes to the picture", round(medians["picture"], 1), "ms"),
        Figure("from an MP3's bytes to a playlist", round(medians["whole"], 1), "ms", PLAYLIST_BAR_MS),
        Figure("the same / VGG16's pass", round(medians["whole"] / medians["pass"], 2), ""),
        Figure("until its words and genres too", round(medians["complete"], 1), "ms", COMPLETE_BAR_MS),
    ]


def networks(models: ModelStore, picture: NDArray[np.uint8], patches: NDArray[np.float32]) -> None:
    """All network passes of an upload, on prepared inputs."""
    models.vgg16(picture)
    models.tagger(patches)


def to_picture(content: bytes) -> NDArray[np.uint8]:
    """Decode, resample, spectrogram and image."""
    return vgg_features.mel_image(analysis_window(sandbox.decode(content)))


def to_playlist(content: bytes, opened: Index, models: ModelStore) -> list[str]:
    """The page's processing of an upload, up to the sentences next to its tracks."""
    return _playlist(query.embed_query(content, opened, models, decode=sandbox.decode), opened)


def to_words_and_genres(content: bytes, opened: Index, models: ModelStore) -> object:
    """The same, then what the page adds: the predicted genres, and the clip's words."""
    asked = query.embed_query(content, opened, models, decode=sandbox.decode)
    _playlist(asked, opened)
    known = library.of(opened, models)
    query.predict_genres(asked, opened, models)
    assert known is not None
    assert isinstance(asked.embeddings, ClipEmbeddings)
    return naming.sounds_like(known, library.of_clip(asked.embeddings.clip, models))


def _playlist(asked: query.Query, opened: Index) -> list[str]:
    recipe = playlist.Recipe(representations.default(opened.names))
    found = playlist.make_playlist(opened, [Seed(asked)], recipe)
    return shared_traits.sentences(opened, asked, [entry.row for entry in found.entries])


if __name__ == "__main__":
    main()
