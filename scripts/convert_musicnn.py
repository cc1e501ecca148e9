"""Make assets/models/musicnn_msd.npz from the checkpoint in the PyPI wheel `musicnn` 0.1.0; check it.

    pip download --no-deps musicnn==0.1.0
    python scripts/convert_musicnn.py musicnn-0.1.0-py3-none-any.whl [--out FILE] [--fixture FILE]

Only the weights are used: the wheel is read as a zip archive and never installed. The same wheel gives
the same bytes. The wheel's own graph, through TensorFlow's version 1 interface, and the rebuilt network
then run on the patches of 24 clips of the bundled library. Prints the largest difference in the tags'
likelihoods, the penultimate layer and the pooled filters, and exits with 1 if any exceeds 1e-4.
`--fixture` writes the original's outputs for three patches, for the tests to compare with.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import Clip
from soundalike.datasets import library
from soundalike.models import runtime, tagger
from soundalike.models.patches import SAMPLE_RATE

WHEEL_SHA256 = "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa"
FOLDER = "musicnn/MSD_musicnn/"
CHECKPOINT = (".index", ".data-00000-of-00001", ".meta")

CONVOLUTIONS = (*tagger.TIMBRAL, *tagger.TEMPORAL, "middle_1", "middle_2", "middle_3")
NORMS = ("input", *CONVOLUTIONS, "pooled", "penultimate")
"""Layer names in the order in which the original numbers its convolutions and batch normalisations."""
STATISTICS = {
    "gamma": "gamma",
    "beta": "beta",
    "mean": "moving_mean",
    "variance": "moving_variance",
}


TOLERANCE = 1e-4
CLIPS = 24
FIXTURE_CLIPS = ("0001", "0240", "0478")
OUTPUTS = {
    "tags": "model/Sigmoid",
    "penultimate": "model/batch_normalization_10/batchnorm/add_1",
    "pooled": "model/concat_2",
}
PATCHES, TRAINING = "model/Placeholder", "model/Placeholder_2"


def main() -> int:
    """Convert and compare; return 1 if it is a different wheel, or an output differs."""
    options = _options()
    found = hashlib.sha256(options.wheel.read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        print(f"{options.wheel} is not the wheel of musicnn 0.1.0 ({found})", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(options.wheel) as archive:
            for name in CHECKPOINT:
                archive.extract(FOLDER + name, folder)
        # The prefix of the checkpoint ends in a slash: the files have no stem.
        prefix = f"{Path(folder) / FOLDER}/"
        arrays = weights(prefix)
        original = Original(prefix)
    np.savez(options.out, allow_pickle=False, **arrays)
    print(f"{options.out}: {len(arrays)} arrays, SHA-256 {paths.sha256_of(options.out)}")
    if options.fixture:
        write_fixture(original, options.fixture)
    # In single precision and with the original's own operations.
    os.environ[runtime.VARIABLE] = runtime.TENSORFLOW
    largest = compare(original, tagger.Tagger(options.out))
    for name, difference in largest.items():
        print(f"{name}: largest difference {difference:.1e}")
    return int(max(largest.values()) > TOLERANCE)


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


class Original:
    """The original graph, restored from its checkpoint with its own operations."""

    def __init__(self, prefix: str) -> None:
        import tensorflow as tf

        v1 = tf.compat.v1
        saved = v1.MetaGraphDef()
        saved.ParseFromString(Path(f"{prefix}.meta").read_bytes())
        # TensorFlow 2 rejects the stored shapes of gradients; keep only the outputs' inputs.
        wanted = [*OUTPUTS.values(), saved.saver_def.restore_op_name]
        definition = v1.graph_util.extract_sub_graph(saved.graph_def, wanted)
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(definition, name="")
        self._session = v1.Session(graph=graph)
        self._session.run(
            saved.saver_def.restore_op_name, {saved.saver_def.filename_tensor_name: prefix}
        )

    def __call__(self, patches: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Compute the same outputs as `tagger.TaggerOutput`."""
        fetched: dict[str, Any] = {name: f"{node}:0" for name, node in OUTPUTS.items()}
        found: dict[str, NDArray[np.float32]] = self._session.run(
            fetched, {f"{PATCHES}:0": patches, f"{TRAINING}:0": False}
        )
        found["pooled"] = found["pooled"].reshape(len(patches), tagger.N_POOLED, 2)
        return found


def compare(original: Original, rebuilt: tagger.Tagger) -> dict[str, float]:
    """Largest difference of each output, relative to values over 1."""
    source = library.load(paths.LIBRARY)
    largest = dict.fromkeys(OUTPUTS, 0.0)
    for row in np.linspace(0, len(source.tracks) - 1, CLIPS).round().astype(int):
        patches = tagger.patches(tagger.spectrogram(_clip(source.path(row))))
        expected, found = original(patches), rebuilt(patches)
        for name in OUTPUTS:
            difference = np.abs(expected[name] - getattr(found, name))
            relative = difference / np.maximum(np.abs(expected[name]), 1)
            largest[name] = max(largest[name], float(relative.max()))
    return largest


def write_fixture(original: Original, path: Path) -> None:
    """Write the original's outputs for the fourth patch of three clips, float32; a few kB."""
    patches = []
    for track in FIXTURE_CLIPS:
        clip = _clip(paths.LIBRARY / "clips" / f"{track}.opus")
        samples = soxr.resample(clip.samples, clip.sample_rate, SAMPLE_RATE, quality="HQ")
        patches.append(tagger.patches(tagger.log_mel(samples))[3])
    found = original(np.stack(patches))
    outputs = {name: found[name] for name in ("tags", "penultimate")}
    np.savez_compressed(path, tracks=np.array(FIXTURE_CLIPS), **outputs)  # type: ignore[arg-type]


def _clip(path: Path) -> Clip:
    return analysis_window(decoding.decode(path))


def _numbered(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--out", type=Path, default=paths.MODELS / "musicnn_msd.npz")
    parser.add_argument("--fixture", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
