"""Fit the projection of the `soundalike` representation, assets/models/soundalike.npz.

    python scripts/fit_soundalike.py [LIBRARY] [--out FILE.npz]

Listens to every clip of a library (the bundled one unless told otherwise) with the tagger, pools its
last two convolutions, and fits means, standard deviations and 64 principal components to the tracks. Of
the table only the files' names are read: no genre, artist or other label. Nothing is random.
About a second a clip on one core.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from soundalike import audio, library, paths
from soundalike.models import ModelStore, projection
from soundalike.representations import soundalike


def main() -> int:
    """Fit and write the projection."""
    options = _options()
    source, models = library.load(options.library), ModelStore()
    pooled = np.zeros((len(source.tracks), soundalike.N_POOLED), np.float32)
    for row in range(len(pooled)):
        clip = audio.analysis_window(audio.decode(source.path(row)))
        pooled[row] = soundalike.pooled(clip, models)
    fitted = projection.fit(pooled, soundalike.DIM)
    fitted.save(options.out)
    kept = fitted(pooled).var(axis=0).sum() / np.count_nonzero(pooled.std(axis=0))
    print(f"{len(pooled)} tracks, {soundalike.DIM} components with {kept:.1%} of the variance")
    print(f"{options.out}: SHA-256 {paths.sha256_of(options.out)}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("library", type=Path, nargs="?", default=paths.LIBRARY)
    parser.add_argument("--out", type=Path, default=paths.MODELS / "soundalike.npz")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
