"""The trained networks and the folder they are loaded from.

TensorFlow is imported when the first network is loaded and not before.
"""

from __future__ import annotations

import os
import sys
import threading
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from soundalike import paths
from soundalike.audio import Clip
from soundalike.errors import ModelError

if TYPE_CHECKING:
    from soundalike.models.autoencoder import Autoencoder
    from soundalike.models.factor_cnn import FactorCNN
    from soundalike.models.genre_head import GenreHead
    from soundalike.models.projection import Projection
    from soundalike.models.tagger import Heard, Tagger
    from soundalike.models.vgg16 import VGG16

FILES = {
    "vgg16": "vgg16_notop_fp16.npz",
    "genre_head": "genre_head.npz",
    "musicnn": "musicnn_msd.npz",
    "soundalike": "soundalike.npz",
    "mfcc_autoencoder": "mfcc_autoencoder.npz",
}


class ModelStore:
    """Networks by name, each loaded once, at its first use.

    Parameters
    ----------
    folder : where the model files lie
    genre_head : another genre head than the folder's
    feature_cache : where feature maps are kept between runs; None (as in the app) keeps none
    factors : a network trained on listening data; None where there is none

    Attributes
    ----------
    feature_maps : VGG16's feature maps of the clips that are still in use
    heard : what the tagger makes of them
    """

    def __init__(
        self,
        folder: Path = paths.MODELS,
        genre_head: Path | None = None,
        feature_cache: Path | None = None,
        factors: Path | None = None,
    ) -> None:
        self.feature_cache = feature_cache
        self.feature_maps: WeakKeyDictionary[Clip, NDArray[np.float32]] = WeakKeyDictionary()
        self.heard: WeakKeyDictionary[Clip, Heard] = WeakKeyDictionary()
        self._files = {name: folder / file for name, file in FILES.items()}
        if genre_head is not None:
            self._files["genre_head"] = genre_head
        if factors is not None:
            self._files["factors"] = factors
        self._lock = threading.RLock()

    @property
    def names(self) -> set[str]:
        """The models that have a file, if it is not missing."""
        return set(self._files)

    @property
    def vgg16(self) -> VGG16:
        """VGG16's convolutions."""
        with self._lock:
            return self._vgg16

    @property
    def genre_head(self) -> GenreHead:
        """The genre head."""
        with self._lock:
            return self._genre_head

    @property
    def tagger(self) -> Tagger:
        """The tagger, MSD_musicnn."""
        with self._lock:
            return self._tagger

    @property
    def projection(self) -> Projection:
        """What `soundalike` makes of the tagger's filters."""
        with self._lock:
            return self._projection

    @property
    def autoencoder(self) -> Autoencoder:
        """The autoencoder of cepstral coefficients."""
        with self._lock:
            return self._autoencoder

    @property
    def factors(self) -> FactorCNN:
        """The network that predicts what listeners have in common.

        Raises
        ------
        ModelError
            If none was given.
        """
        if "factors" not in self._files:
            raise ModelError(
                "Comparing by listeners' habits needs a network trained on listening data; train one "
                "with `soundalike train cf-regression LIBRARY --plays plays.csv --out FILE`."
            )
        with self._lock:
            return self._factors

    def checksum(self, name: str) -> str:
        """SHA-256 of a model's file.

        Raises
        ------
        ModelError
            If the file is missing.
        """
        with self._lock:
            if name not in self._checksums:
                try:
                    self._checksums[name] = paths.sha256_of(self._files[name])
                except OSError as error:
                    raise ModelError(
                        f"The model file {self._files[name]} is missing; please restore it."
                    ) from error
            return self._checksums[name]

    @cached_property
    def _checksums(self) -> dict[str, str]:
        return {}

    @cached_property
    def _vgg16(self) -> VGG16:
        from soundalike.models.vgg16 import VGG16

        import_tensorflow()
        return VGG16(self._files["vgg16"])

    @cached_property
    def _genre_head(self) -> GenreHead:
        from soundalike.models.genre_head import GenreHead

        import_tensorflow()
        return GenreHead.load(self._files["genre_head"])

    @cached_property
    def _tagger(self) -> Tagger:
        from soundalike.models.tagger import Tagger

        import_tensorflow()
        return Tagger(self._files["musicnn"])

    @cached_property
    def _projection(self) -> Projection:
        from soundalike.models.projection import Projection

        return Projection.load(self._files["soundalike"])

    @cached_property
    def _autoencoder(self) -> Autoencoder:
        from soundalike.models.autoencoder import Autoencoder

        import_tensorflow()
        return Autoencoder.load(self._files["mfcc_autoencoder"])

    @cached_property
    def _factors(self) -> FactorCNN:
        from soundalike.models.factor_cnn import FactorCNN

        import_tensorflow()
        return FactorCNN.load(self._files["factors"])


def import_tensorflow() -> None:
    """Import TensorFlow without the lines it prints.

    Those of the import are turned off by none of its log levels, those of training by the highest.
    """
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        import tensorflow  # noqa: F401
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
