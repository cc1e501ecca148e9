"""The representations: named ways to turn a clip into an embedding, compared by cosine similarity.

Each is one module with `embed(clip, models)` and one line in `REGISTRY`. A joined representation has
no vectors of its own: it is the concatenation of others, each times a weight, and what an index
stores of it are its parts. Some are scaled by the index that holds them before they are compared
(`scaling`): standardised, or centred and brought to length 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from soundalike import threads
from soundalike.audio.decoding import Clip
from soundalike.errors import UnknownRepresentationError
from soundalike.models import ModelStore
from soundalike.representations import (
    cf_regression,
    fma518,
    genre_head,
    metadata,
    mfcc_autoencoder,
    mfcc_flat,
    musicnn,
    musicnn_mid,
    musicnn_tags,
    vgg_chroma,
    vgg_mel,
    vgg_mfcc,
    vgg_mfcc_grey,
    yamnet,
    yamnet_classes,
)
from soundalike.representations.scaling import CENTRED, STANDARDISED, Scaling

Embed = Callable[[Clip, ModelStore], NDArray[np.float32]]
FromTable = Callable[[pd.DataFrame], NDArray[np.float32]]


@dataclass(frozen=True)
class Representation:
    """A named embedding.

    Attributes
    ----------
    name : its name everywhere: registry, index, command line, URL
    title : its name for a visitor
    dim : length of the embedding; 0 where it depends on the library's table
    hears : what it hears and what it misses, a paragraph
    models : the model files it depends on
    parts : of a joined one, the parts and their default weights
    scaling : how an index scales its vectors by those of its tracks; None for not at all
    moments : of a clip, its embedding by stretches of 3 s [shape=(10, dim)]
    moment_weights : how much each stretch counts in the clip's embedding [shape=(10,), sum 1]
    evened : whether an index keeps a bias that makes every track somebody's neighbour (`hubness`)
    heavy : whether an index that is to be small keeps its neighbours and not its vectors
    """

    name: str
    title: str
    dim: int
    hears: str
    models: tuple[str, ...] = ()
    own_embed: Embed | None = None
    from_table: FromTable | None = None
    parts: dict[str, float] = field(default_factory=dict)
    scaling: Scaling | None = None
    moments: Embed | None = None
    moment_weights: Callable[[], NDArray[np.float64]] | None = None
    evened: bool = False
    heavy: bool = False

    @threads.single_threaded_blas()
    def embed(self, clip: Clip, models: ModelStore) -> NDArray[np.float32]:
        """Embedding of a 30 s clip (`audio.analysis_window`): float32 [shape=(dim,)].

        As the networks give it, before an index scales it.

        Raises
        ------
        SoundalikeError
            If it reads the library's table, or a model that it needs is missing.
        """
        if self.own_embed is not None:
            return self.own_embed(clip, models)
        vectors = [get(part).embed(clip, models) * weight for part, weight in self.parts.items()]
        return np.concatenate(vectors).astype(np.float32)


MID_WEIGHT = 0.7
"""Weight of the tagger's middle in the default, beside its last layer and YAMNet's."""
GENRE_WEIGHT = 80.0
"""The article's weight of the genre part; the norms it brings together are in README."""

REGISTRY: dict[str, Representation] = {
    representation.name: representation
    for representation in (
        Representation(
            "soundalike",
            "Best match",
            musicnn.DIM + musicnn_mid.DIM + yamnet.DIM,
            "Combines two networks. One was trained to tag songs (instruments, voices, style), the "
            "other to name sounds of every kind (the source and the acoustic space). Each makes up for "
            "gaps in the other's training data. Both average over the clip, so shifted or quieter "
            "copies match the original. Melody, key and form are lost, and most of the tempo.",
            ("musicnn", "yamnet"),
            parts={"musicnn": 1.0, "musicnn_mid": MID_WEIGHT, "yamnet": 1.0},
            evened=True,
        ),
        Representation(
            "vgg_genre",
            "Article's method",
            vgg_mel.DIM + genre_head.DIM,
            "The article's final system combines the spectrogram picture with the predicted genre. It "
            "captures texture and register as they change over the clip, and leans towards the genre. "
            "It treats the same music started later as different.",
            ("vgg16", "genre_head"),
            parts={"vgg_mel": 1.0, "genre_head": GENRE_WEIGHT},
        ),
        Representation("vgg_mel", "Picture only", vgg_mel.DIM, vgg_mel.HEARS, ("vgg16",), vgg_mel.embed),
        Representation(
            "genre_head",
            "Genre only",
            genre_head.DIM,
            genre_head.HEARS,
            ("vgg16", "genre_head"),
            genre_head.embed,
        ),
        Representation(
            "mfcc_flat", "MFCC", mfcc_flat.DIM, mfcc_flat.HEARS, (), mfcc_flat.embed, heavy=True
        ),
        Representation(
            "vgg_mfcc",
            "MFCC picture",
            vgg_mfcc.DIM,
            vgg_mfcc.HEARS,
            ("vgg16",),
            vgg_mfcc.embed,
            heavy=True,
        ),
        Representation(
            "vgg_mfcc_grey",
            "MFCC strip",
            vgg_mfcc_grey.DIM,
            vgg_mfcc_grey.HEARS,
            ("vgg16",),
            vgg_mfcc_grey.embed,
            heavy=True,
        ),
        Representation(
            "vgg_chroma",
            "Chroma picture",
            vgg_chroma.DIM,
            vgg_chroma.HEARS,
            ("vgg16",),
            vgg_chroma.embed,
            heavy=True,
        ),
        Representation(
            "vgg_mfcc_chroma",
            "MFCC and chroma",
            vgg_mfcc.DIM + vgg_chroma.DIM,
            "Combines the pictures of MFCC and chroma: how the timbre changes and which notes sound, "
            "each at its place in time. It captures more of a clip than either alone. Like both, it "
            "treats a shifted copy as a different sound.",
            ("vgg16",),
            parts={"vgg_mfcc": 1.0, "vgg_chroma": 1.0},
        ),
        Representation(
            "mfcc_autoencoder",
            "Autoencoder",
            mfcc_autoencoder.DIM,
            mfcc_autoencoder.HEARS,
            ("mfcc_autoencoder",),
            mfcc_autoencoder.embed,
        ),
        Representation(
            "musicnn",
            "Music tagger",
            musicnn.DIM,
            musicnn.HEARS,
            ("musicnn",),
            musicnn.embed,
            scaling=CENTRED,
            moments=musicnn.moments,
            moment_weights=musicnn.moment_weights,
        ),
        Representation(
            "musicnn_mid",
            "Tagger, middle layers",
            musicnn_mid.DIM,
            musicnn_mid.HEARS,
            ("musicnn",),
            musicnn_mid.embed,
            scaling=CENTRED,
            moments=musicnn_mid.moments,
            moment_weights=musicnn_mid.moment_weights,
        ),
        Representation(
            "musicnn_tags",
            "Tags",
            musicnn_tags.DIM,
            musicnn_tags.HEARS,
            ("musicnn",),
            musicnn_tags.embed,
        ),
        Representation(
            "yamnet",
            "Sound classifier",
            yamnet.DIM,
            yamnet.HEARS,
            ("yamnet",),
            yamnet.embed,
            scaling=CENTRED,
            moments=yamnet.moments,
            moment_weights=yamnet.moment_weights,
        ),
        Representation(
            "yamnet_classes",
            "Sound classes",
            yamnet_classes.DIM,
            yamnet_classes.HEARS,
            ("yamnet",),
            yamnet_classes.embed,
            scaling=CENTRED,
        ),
        Representation(
            "metadata",
            "Metadata",
            0,
            metadata.HEARS,
            (),
            metadata.embed,
            from_table=lambda tracks: metadata.from_table(tracks).matrix,
        ),
        Representation(
            "cf_regression",
            "Listeners' taste",
            cf_regression.DIM,
            cf_regression.HEARS,
            ("factors",),
            cf_regression.embed,
        ),
        Representation(
            "fma518",
            "Spectral statistics",
            fma518.DIM,
            fma518.HEARS,
            (),
            fma518.embed,
            scaling=STANDARDISED,
        ),
    )
}
DEFAULT = "soundalike"
MAIN = ("soundalike", "vgg_genre", "vgg_mel", "genre_head")
"""What is offered to compare by where there is no room for all."""


def get(name: str) -> Representation:
    """The representation of that name.

    Raises
    ------
    UnknownRepresentationError
        If there is none; the message lists those there are.
    """
    if name not in REGISTRY:
        raise UnknownRepresentationError(
            f"There is no representation {name!r}; choose from {', '.join(REGISTRY)}."
        )
    return REGISTRY[name]


def available(models: ModelStore) -> list[str]:
    """The representations whose models are at hand; all but what needs a model of one's own."""
    return [name for name, item in REGISTRY.items() if set(item.models) <= models.names]


def main(names: Iterable[str], chosen: str | None = None) -> list[str]:
    """The few of some representations to offer at first, with the chosen one if it is another."""
    there = list(names)
    offered = [name for name in MAIN if name in there] or there
    return offered if chosen is None or chosen in offered else [*offered, chosen]


def default(names: Iterable[str]) -> str:
    """What to compare by among some representations, unless told otherwise: the best there is."""
    there = list(names)
    return DEFAULT if DEFAULT in there else there[0]


def stored(names: Iterable[str]) -> list[str]:
    """The representations whose vectors the named ones need: themselves, or their parts."""
    needed = [part for name in names for part in (get(name).parts or [name])]
    return list(dict.fromkeys(needed))
