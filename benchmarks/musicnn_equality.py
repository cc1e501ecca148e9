"""Verify that the rebuilt tagger gives the same outputs as the original graph.

    pip download --no-deps musicnn==0.1.0
    python benchmarks/musicnn_equality.py musicnn-0.1.0-py3-none-any.whl [CLIPS] [--fixture FILE]

Runs the graph of the wheel's MSD_musicnn checkpoint, through TensorFlow's version 1 interface, and the
rebuilt network on the patches of real clips (by default 24 of the bundled library, evenly spaced).
Prints the largest difference in the tags' likelihoods, the penultimate layer and the pooled filters, and
exits with 1 if any exceeds 1e-4. `--fixture` writes the original's outputs for three patches, for the
tests to compare with.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.datasets import library
from soundalike.models import ModelStore, tagger
from soundalike.models.patches import SAMPLE_RATE

sys.path.insert(0, str(paths.ROOT / "scripts"))
import convert_musicnn

TOLERANCE = 1e-4
FIXTURE_CLIPS = ("0001", "0240", "0478")
LISTENS = {
    "tags": "model/Sigmoid",
    "penultimate": "model/batch_normalization_10/batchnorm/add_1",
    "pooled": "model/concat_2",
}
PATCHES, TRAINING = "model/Placeholder", "model/Placeholder_2"


class Original:
    """The original graph, restored from its checkpoint with its own operations."""

    def __init__(self, wheel: Path) -> None:
        import tensorflow as tf

        v1 = tf.compat.v1
        with tempfile.TemporaryDirectory() as folder:
            prefix = convert_musicnn.unpack(wheel, Path(folder), also=(".meta",))
            saved = v1.MetaGraphDef()
            saved.ParseFromString(Path(f"{prefix}.meta").read_bytes())
            # TensorFlow 2 rejects the stored shapes of gradients; keep only the outputs' inputs.
            wanted = [*LISTENS.values(), saved.saver_def.restore_op_name]
            definition = v1.graph_util.extract_sub_graph(saved.graph_def, wanted)
            with tf.Graph().as_default() as graph:
                tf.import_graph_def(definition, name="")
            self._session = v1.Session(graph=graph)
            self._session.run(
                saved.saver_def.restore_op_name, {saved.saver_def.filename_tensor_name: prefix}
            )

    def __call__(self, patches: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Compute the same outputs as `tagger.TaggerOutput`."""
        fetched: dict[str, Any] = {name: f"{node}:0" for name, node in LISTENS.items()}
        found: dict[str, NDArray[np.float32]] = self._session.run(
            fetched, {f"{PATCHES}:0": patches, f"{TRAINING}:0": False}
        )
        found["pooled"] = found["pooled"].reshape(len(patches), tagger.N_POOLED, 2)
        return found


def main() -> int:
    """Compare; return 1 if any output differs by more than the tolerance."""
    options = _options()
    rebuilt = ModelStore().tagger
    original = Original(options.wheel)
    source = library.load(paths.LIBRARY)
    rows = np.linspace(0, len(source.tracks) - 1, options.clips).round().astype(int)
    largest = dict.fromkeys(LISTENS, 0.0)
    greatest = dict.fromkeys(LISTENS, 0.0)
    n = 0
    for row in rows:
        clip = analysis_window(decoding.decode(source.path(row)))
        patches = tagger.patches(tagger.spectrogram(clip))
        expected, found = original(patches), rebuilt(patches)
        n += len(patches)
        for name in LISTENS:
            size = np.abs(expected[name])
            difference = np.abs(expected[name] - getattr(found, name)) / np.maximum(size, 1)
            largest[name] = max(largest[name], float(difference.max()))
            greatest[name] = max(greatest[name], float(size.max()))
    print(f"{n} patches of {len(rows)} clips\n")
    print("| output | largest value | largest difference |")
    print("|---|---:|---:|")
    for name in LISTENS:
        print(f"| {name} | {greatest[name]:.3g} | {largest[name]:.1e} |")
    if options.fixture:
        write_fixture(original, source, options.fixture)
    return int(max(largest.values()) > TOLERANCE)


def write_fixture(original: Original, source: library.Library, path: Path) -> None:
    """Write the original's outputs for the fourth patch of three clips, float32; a few kB."""
    ids = list(source.tracks["track_id"])
    patches = []
    for track in FIXTURE_CLIPS:
        clip = analysis_window(decoding.decode(source.path(ids.index(track))))
        samples = soxr.resample(clip.samples, clip.sample_rate, SAMPLE_RATE, quality="HQ")
        patches.append(tagger.patches(tagger.log_mel(samples))[3])
    found = original(np.stack(patches))
    outputs = {name: found[name] for name in ("tags", "penultimate")}
    np.savez_compressed(path, tracks=np.array(FIXTURE_CLIPS), **outputs)  # type: ignore[arg-type]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("clips", type=int, nargs="?", default=24)
    parser.add_argument("--fixture", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
