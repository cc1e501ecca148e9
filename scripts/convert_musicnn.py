"""Make assets/models/musicnn_msd.npz from the checkpoint in the PyPI wheel `musicnn` 0.1.0.

    pip download --no-deps musicnn==0.1.0
    python scripts/convert_musicnn.py musicnn-0.1.0-py3-none-any.whl

Only the weights are used: the wheel is read as a zip archive and never installed. The same wheel gives
the same bytes. `benchmarks/musicnn_equality.py` compares the result with the original graph.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike import paths
from soundalike.models import tagger

WHEEL_SHA256 = "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa"
FOLDER = "musicnn/MSD_musicnn/"
CHECKPOINT = (".index", ".data-00000-of-00001")

CONVOLUTIONS = (*tagger.TIMBRAL, *tagger.TEMPORAL, "middle_1", "middle_2", "middle_3")
NORMS = ("input", *CONVOLUTIONS, "pooled", "penultimate")
"""Layer names in the order in which the original numbers its convolutions and batch normalisations."""
STATISTICS = {
    "gamma": "gamma",
    "beta": "beta",
    "mean": "moving_mean",
    "variance": "moving_variance",
}


def main() -> int:
    """Convert the wheel's checkpoint; return 1 if it is a different wheel."""
    options = _options()
    found = hashlib.sha256(options.wheel.read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        print(f"{options.wheel} is not the wheel of musicnn 0.1.0 ({found})", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        prefix = unpack(options.wheel, Path(folder))
        arrays = weights(prefix)
    np.savez(options.out, allow_pickle=False, **arrays)
    print(f"{options.out}: {len(arrays)} arrays, SHA-256 {paths.sha256_of(options.out)}")
    return 0


def unpack(wheel: Path, folder: Path, also: tuple[str, ...] = ()) -> str:
    """Unpack the checkpoint and return its prefix, which ends in a slash: the files have no stem."""
    with zipfile.ZipFile(wheel) as archive:
        for name in (*CHECKPOINT, *also):
            archive.extract(FOLDER + name, folder)
    return f"{folder / FOLDER}/"


def weights(prefix: str) -> dict[str, NDArray[np.float32]]:
    """The network's weights under this project's names, float32."""
    import tensorflow as tf

    reader = tf.compat.v1.train.NewCheckpointReader(prefix)
    arrays = {}
    for number, name in enumerate(CONVOLUTIONS):
        kernel = reader.get_tensor(f"{_numbered('conv2d', number)}/kernel")
        arrays[f"{name}_kernel"] = rearranged(name, kernel)
        arrays[f"{name}_bias"] = reader.get_tensor(f"{_numbered('conv2d', number)}/bias")
    for number, name in enumerate(("penultimate", "tags")):
        for variable in ("kernel", "bias"):
            tensor = reader.get_tensor(f"{_numbered('dense', number)}/{variable}")
            arrays[f"{name}_{variable}"] = tensor
    for number, name in enumerate(NORMS):
        for own, original in STATISTICS.items():
            tensor = reader.get_tensor(f"{_numbered('batch_normalization', number)}/{original}")
            arrays[f"{name}_norm_{own}"] = tensor
    return arrays


def rearranged(name: str, kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rearrange filters for this project's layers, which are faster than the original's.

    A filter over all columns of one channel becomes one over time with the columns as channels. A filter
    over many frames of one band takes `tagger.TAPS` frames at once as channels.
    """
    if name in tagger.TEMPORAL:
        return kernel.reshape(-1, tagger.TAPS, 1, kernel.shape[3]).swapaxes(1, 2)
    return kernel[:, :, 0] if name.startswith("middle") else kernel


def _numbered(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--out", type=Path, default=paths.MODELS / "musicnn_msd.npz")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
