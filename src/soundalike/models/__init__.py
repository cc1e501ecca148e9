"""Trained networks, loaded from a folder of model files.

The inference runtime (`runtime`) is imported only when the first network is loaded.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from soundalike import paths
from soundalike.audio.clip import Clip
from soundalike.errors import ModelError

if TYPE_CHECKING:
    from soundalike.models.autoencoder import Autoencoder
    from soundalike.models.factor_cnn import FactorCNN
    from soundalike.models.genre_head import GenreHead
    from soundalike.models.recording_correction import RecordingCorrection
    from soundalike.models.tagger import Tagger, TaggerOutput
    from soundalike.models.vgg16 import VGG16
    from soundalike.models.yamnet import Output, YAMNet

T = TypeVar("T")

FILES = {
    "vgg16": "vgg16_notop_fp16.npz",
    "genre_head": "genre_head.npz",
    "musicnn": "musicnn_msd.npz",
    "yamnet": "yamnet_fp16.npz",
    "mfcc_autoencoder": "mfcc_autoencoder.npz",
    "recording_correction": "recording_correction.npz",
}
SUMS = "SHA256SUMS"
"""File with the checksums of a folder's model files, in the format of `sha256sum`."""


class ModelStore:
    """Store of networks by name, each loaded once, at its first use.

    Parameters
    ----------
    folder : folder of the model files
    genre_head : a genre head to use instead of the folder's
    feature_cache : folder for feature maps kept between runs; None (as in the app) for no cache
    factors : a network trained on listening data, if there is one
    light : whether to run without VGG16, for a machine with little memory

    Attributes
    ----------
    feature_maps : VGG16's feature maps of the clips in use
    tagger_outputs : the tagger's outputs of the clips in use
    yamnet_outputs : YAMNet's outputs of the clips in use
    """

    def __init__(
        self,
        folder: Path = paths.MODELS,
        genre_head: Path | None = None,
        feature_cache: Path | None = None,
        factors: Path | None = None,
        light: bool = False,
    ) -> None:
        self.light = light
        self.feature_cache = feature_cache
        self.feature_maps: WeakKeyDictionary[Clip, NDArray[np.float32]] = WeakKeyDictionary()
        self.tagger_outputs: WeakKeyDictionary[Clip, TaggerOutput] = WeakKeyDictionary()
        self.yamnet_outputs: WeakKeyDictionary[Clip, Output] = WeakKeyDictionary()
        self._files = {name: folder / file for name, file in FILES.items()}
        if genre_head is not None:
            self._files["genre_head"] = genre_head
        if factors is not None:
            self._files["factors"] = factors
        self._base: ModelStore | None = None
        self._lock = threading.RLock()
        self._loaded: dict[str, Any] = {}
        self._checksums: dict[str, str] = {}

    def with_files(self, **files: Path) -> ModelStore:
        """Create a store that reads some models from other files and shares the rest with this one.

        Shared models are loaded once for both stores, and feature maps are computed once.

        Parameters
        ----------
        files : files by model name, such as `genre_head=Path("model_genre_head.npz")`
        """
        other = copy.copy(self)
        other._files = dict(files)
        other._base = self
        other._lock = threading.RLock()
        other._loaded, other._checksums = {}, {}
        return other

    def has_run(self, clip: Clip, networks: Iterable[str]) -> bool:
        """Whether the large networks' outputs for a clip are at hand.

        Parameters
        ----------
        networks : names; VGG16's output is that for the mel spectrogram, and small networks count as run
        """
        outputs: dict[str, Mapping[Clip, object]] = {
            "vgg16": self.feature_maps,
            "musicnn": self.tagger_outputs,
            "yamnet": self.yamnet_outputs,
        }
        return all(clip in outputs.get(name, {clip: None}) for name in networks)

    @property
    def names(self) -> set[str]:
        """Names of the models with a known file, which may be missing on disk."""
        own = set(self._files)
        return own if self._base is None else own | self._base.names

    def file(self, name: str) -> Path:
        """Path of a model's file, which need not exist; its model card, if any, is beside it.

        Raises
        ------
        ModelError
            If there is no model of that name.
        """
        if name in self._files:
            return self._files[name]
        if self._base is None:
            raise ModelError(f"There is no model {name!r} at hand; name its file when you start.")
        return self._base.file(name)

    @property
    def vgg16(self) -> VGG16:
        """VGG16's convolutions.

        Raises
        ------
        ModelError
            If the store runs without VGG16.
        """
        if self.light:
            raise ModelError(
                "This server has too little memory for this method. Please compare by Best match."
            )
        from soundalike.models.vgg16 import VGG16

        return self._network("vgg16", VGG16)

    @property
    def genre_head(self) -> GenreHead:
        """The genre head."""
        from soundalike.models.genre_head import GenreHead

        return self._network("genre_head", GenreHead.load)

    @property
    def tagger(self) -> Tagger:
        """The tagger, MSD_musicnn."""
        from soundalike.models.tagger import Tagger

        return self._network("musicnn", Tagger)

    @property
    def yamnet(self) -> YAMNet:
        """YAMNet, the sound classifier."""
        from soundalike.models.yamnet import YAMNet

        return self._network("yamnet", YAMNet)

    @property
    def recording_correction(self) -> RecordingCorrection:
        """The network that estimates the embeddings of a recording's clean source."""
        from soundalike.models.recording_correction import RecordingCorrection

        return self._network("recording_correction", RecordingCorrection.load)

    @property
    def autoencoder(self) -> Autoencoder:
        """The MFCC autoencoder."""
        from soundalike.models.autoencoder import Autoencoder

        return self._network("mfcc_autoencoder", Autoencoder.load)

    @property
    def factors(self) -> FactorCNN:
        """The network that predicts collaborative-filtering factors.

        Raises
        ------
        ModelError
            If none was given.
        """
        if "factors" not in self.names:
            raise ModelError(
                "Listeners' taste needs a network trained on listening data. Train one with "
                "`soundalike train cf-regression LIBRARY --plays plays.csv --out FILE`."
            )
        from soundalike.models.factor_cnn import FactorCNN

        return self._network("factors", FactorCNN.load)

    def checksum(self, name: str) -> str:
        """SHA-256 of a model's file.

        Raises
        ------
        ModelError
            If the file is missing.
        """
        if self._base is not None and name not in self._files:
            return self._base.checksum(name)
        with self._lock:
            if name not in self._checksums:
                try:
                    self._checksums[name] = paths.sha256_of(self._files[name])
                except OSError as error:
                    raise ModelError(
                        f"The model file {self._files[name]} is missing; please restore it."
                    ) from error
            return self._checksums[name]

    def _check(self, name: str) -> None:
        """Raise ModelError if a file's checksum differs from the one listed beside it."""
        path = self._files[name]
        listed = _listed(path)
        if listed is not None and self.checksum(name) != listed:
            raise ModelError(
                f"The model file {path} is not the one that {SUMS} beside it lists; please restore it, "
                f"or list it with sha256sum if you made it."
            )

    def _network(self, name: str, load: Callable[[Path], T]) -> T:
        """Return a network, loading it if needed, from the store that has its file."""
        if self._base is not None and name not in self._files:
            return self._base._network(name, load)
        with self._lock:
            if name not in self._loaded:
                self._check(name)
                self._loaded[name] = load(self._files[name])
            network: T = self._loaded[name]
            return network


def _listed(path: Path) -> str | None:
    """The checksum listed beside a model's file, or None if it is not listed."""
    try:
        lines = path.with_name(SUMS).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    sums = {name.strip(): checksum for checksum, _, name in (line.partition(" ") for line in lines)}
    return sums.get(path.name)
