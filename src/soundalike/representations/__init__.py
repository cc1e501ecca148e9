"""Representations: named embeddings of a clip, compared by cosine similarity.

Each is a module of this package with an entry in `REGISTRY`; CONTRIBUTING.md shows how to add one. A
joined representation is the weighted concatenation of others, and an index stores only its parts. An
index scales some representations before comparing them (`scaling`): standardised, or centred and
normalised to length 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from soundalike import threads
from soundalike.audio.clip import Clip
from soundalike.errors import UnknownRepresentationError
from soundalike.models import ModelStore, stretches
from soundalike.representations.scaling import CENTRED, STANDARDISED, Scaling

if TYPE_CHECKING:
    import pandas as pd

Embed = Callable[[Clip, ModelStore], NDArray[np.float32]]
FromTable = Callable[["pd.DataFrame"], NDArray[np.float32]]


@dataclass(frozen=True)
class Representation:
    """A named embedding.

    Attributes
    ----------
    name : name in the registry, index, command line and URL
    title : name for visitors
    dim : length of the embedding; 0 if it depends on the library's table
    description : a paragraph on what it captures and misses
    models : the model files it depends on
    own_embed : computes the embedding of a clip; None for joined representations
    from_table : computes the embeddings of a library's tracks from its table
    parts : parts of a joined representation with their default weights
    scaling : how an index scales the vectors; None for no scaling
    moments : computes a clip's embeddings by stretches of 3 s [shape=(10, dim)]
    moment_weights : weight of each stretch in the clip's embedding [shape=(10,), sum 1]
    hubness_corrected : whether an index stores a bias that makes every track a neighbour of
        others (`hubness_correction`)
    heavy : whether a small index stores only the neighbours, without the vectors
    """

    name: str
    title: str
    dim: int
    description: str
    models: tuple[str, ...] = ()
    own_embed: Embed | None = None
    from_table: FromTable | None = None
    parts: dict[str, float] = field(default_factory=dict)
    scaling: Scaling | None = None
    moments: Embed | None = None
    moment_weights: Callable[[], NDArray[np.float64]] | None = None
    hubness_corrected: bool = False
    heavy: bool = False

    @threads.single_threaded_blas()
    def embed(self, clip: Clip, models: ModelStore) -> NDArray[np.float32]:
        """Embed a 30 s clip (`audio.analysis_window`): float32 [shape=(dim,)], unscaled.

        Raises
        ------
        SoundalikeError
            If the representation needs the library's table, or a model is missing.
        """
        if self.own_embed is not None:
            return self.own_embed(clip, models)
        vectors = [get(part).embed(clip, models) * weight for part, weight in self.parts.items()]
        return np.concatenate(vectors).astype(np.float32)


class _Module(Protocol):
    """A module of this package: one embedding, and what is said of it.

    It may also have `moments`, `moment_weights` (without them all stretches weigh the same) and
    `from_table`, for the attributes of `Representation` with these names.
    """

    DIM: int
    DESCRIPTION: str

    def embed(self, clip: Clip, models: ModelStore, /) -> NDArray[np.float32]:
        """Embed a 30 s clip."""


def _module(name: str) -> _Module:
    return cast(_Module, import_module(f"{__name__}.{name}"))


def _of(
    name: str,
    title: str,
    models: tuple[str, ...] = (),
    *,
    scaling: Scaling | None = None,
    heavy: bool = False,
) -> Representation:
    """The representation of the module of that name."""
    module = _module(name)
    moments = getattr(module, "moments", None)
    weights = stretches.equal_weights if moments is not None else None
    return Representation(
        name,
        title,
        module.DIM,
        module.DESCRIPTION,
        models,
        own_embed=module.embed,
        from_table=getattr(module, "from_table", None),
        scaling=scaling,
        moments=moments,
        moment_weights=getattr(module, "moment_weights", weights),
        heavy=heavy,
    )


def _joined(
    name: str,
    title: str,
    description: str,
    models: tuple[str, ...],
    parts: dict[str, float],
    *,
    hubness_corrected: bool = False,
) -> Representation:
    """The weighted concatenation of other representations."""
    dim = sum(_module(part).DIM for part in parts)
    return Representation(
        name, title, dim, description, models, parts=parts, hubness_corrected=hubness_corrected
    )


MID_WEIGHT = 0.7
"""Weight of the tagger's middle layers in the default representation."""
GENRE_WEIGHT = 80.0
"""The article's weight of the genre part; docs/method.md lists the norms it balances."""

_ALL = (
    _joined(
        "soundalike",
        "Best match",
        "Combines two networks. One was trained to tag songs (instruments, voices, style), the "
        "other to name sounds of every kind (the source and the acoustic space). Each makes up for "
        "gaps in the other's training data. Both average over the clip, so shifted or quieter "
        "copies match the original. Melody, key and form are lost, and most of the tempo.",
        ("musicnn", "yamnet"),
        {"musicnn": 1.0, "musicnn_mid": MID_WEIGHT, "yamnet": 1.0},
        hubness_corrected=True,
    ),
    _joined(
        "vgg_genre",
        "Article's method",
        "The article's final system combines the spectrogram picture with the predicted genre. It "
        "captures texture and register as they change over the clip, and leans towards the genre. "
        "It treats the same music started later as different.",
        ("vgg16", "genre_head"),
        {"vgg_mel": 1.0, "genre_head": GENRE_WEIGHT},
    ),
    _of("vgg_mel", "Picture only", ("vgg16",)),
    _of("genre_head", "Genre only", ("vgg16", "genre_head")),
    _of("mfcc_flat", "MFCC", heavy=True),
    _of("vgg_mfcc", "MFCC picture", ("vgg16",), heavy=True),
    _of("vgg_mfcc_grey", "MFCC strip", ("vgg16",), heavy=True),
    _of("vgg_chroma", "Chroma picture", ("vgg16",), heavy=True),
    _joined(
        "vgg_mfcc_chroma",
        "MFCC and chroma",
        "Combines the pictures of MFCC and chroma: how the timbre changes and which notes sound, "
        "each at its place in time. It captures more of a clip than either alone. Like both, it "
        "treats a shifted copy as a different sound.",
        ("vgg16",),
        {"vgg_mfcc": 1.0, "vgg_chroma": 1.0},
    ),
    _of("mfcc_autoencoder", "Autoencoder", ("mfcc_autoencoder",)),
    _of("musicnn", "Music tagger", ("musicnn",), scaling=CENTRED),
    _of("musicnn_mid", "Tagger, middle layers", ("musicnn",), scaling=CENTRED),
    _of("musicnn_tags", "Tags", ("musicnn",)),
    _of("yamnet", "Sound classifier", ("yamnet",), scaling=CENTRED),
    _of("yamnet_classes", "Sound classes", ("yamnet",), scaling=CENTRED),
    _of("metadata", "Metadata"),
    _of("cf_regression", "Listeners' taste", ("factors",)),
    _of("fma518", "Spectral statistics", scaling=STANDARDISED),
)
REGISTRY: dict[str, Representation] = {item.name: item for item in _ALL}
DEFAULT = "soundalike"
MAIN = ("soundalike", "vgg_genre", "vgg_mel", "genre_head")
"""The representations to offer where space is limited."""
WORDS = ("musicnn_tags", "yamnet_classes")
"""The representations that words for sound are made of."""
INDEXED = (*MAIN, *WORDS)
"""What is indexed by default."""


def get(name: str) -> Representation:
    """Look up a representation by name.

    Raises
    ------
    UnknownRepresentationError
        If the name is unknown; the message lists the known names.
    """
    if name not in REGISTRY:
        raise UnknownRepresentationError(
            f"There is no representation {name!r}; choose from {', '.join(REGISTRY)}."
        )
    return REGISTRY[name]


def available(models: ModelStore) -> list[str]:
    """The representations whose models are available; some need a model trained by the user."""
    return [name for name, item in REGISTRY.items() if set(item.models) <= models.names]


def main(names: Iterable[str], chosen: str | None = None) -> list[str]:
    """The main ones among the given representations, plus the chosen one."""
    present = list(names)
    offered = [name for name in MAIN if name in present] or present
    return offered if chosen is None or chosen in offered else [*offered, chosen]


def default(names: Iterable[str]) -> str:
    """The default representation among the given ones."""
    present = list(names)
    return DEFAULT if DEFAULT in present else present[0]


def stored(names: Iterable[str]) -> list[str]:
    """The representations to store for the given ones: themselves or their parts."""
    needed = [part for name in names for part in (get(name).parts or [name])]
    return list(dict.fromkeys(needed))
