"""Test whether training the genre head on halves of clips too improves it.

    python benchmarks/genre_head.py

Cross-validates the head on the bundled library (no fold is trained on its test tracks' albums or
artists) with whole clips, and with their two 15 s halves as additional examples; several seeds, the same
folds for both within a seed. Prints a Markdown table of means over seeds, with minimum and maximum.
"""

from __future__ import annotations

import dataclasses
import sys

import numpy as np

from soundalike import paths
from soundalike.datasets import library
from soundalike.models import ModelStore
from soundalike.training import genre_head

SEEDS = range(3)


def main() -> None:
    """Cross-validate both ways and print the table."""
    models = ModelStore(feature_cache=paths.cache_folder())
    source = library.load(paths.LIBRARY)
    features, _ = genre_head.extract(source, models, halves=True)
    genres, _ = genre_head.trainable_genres(features.tracks)
    keep = np.flatnonzero(features.tracks["genre"].isin(genres))
    assert features.halves is not None
    both = genre_head.Features(
        features.tracks.iloc[keep].reset_index(drop=True),
        features.whole[keep],
        features.halves[keep],
        features.vgg_mel[keep],
    )
    print("| trained on | labels | n | accuracy | macro-F1 | log loss |")
    print("|---|---|---:|---:|---:|---:|")
    for name, data in (
        ("whole clips", dataclasses.replace(both, halves=None)),
        ("whole clips and halves", both),
    ):
        scores = [
            genre_head.compare(data, genres, genre_head.cross_validate(data, genres, seed))
            for seed in SEEDS
        ]
        _print_rows(name, [systems[0] for systems in scores])
    for position in (1, 2):
        _print_rows(scores[0][position].name, [systems[position] for systems in scores])


def _print_rows(name: str, runs: list[genre_head.HeadScores]) -> None:
    for labels in ("all", "untagged"):
        found = [getattr(run, labels) for run in runs]
        if found[0] is None:
            continue
        cells = [_spread([score.accuracy for score in found], "{:.1%}")]
        cells.append(_spread([score.macro_f1 for score in found], "{:.3f}"))
        losses = [score.log_loss for score in found]
        cells.append("" if None in losses else _spread(losses, "{:.2f}"))
        label = "all" if labels == "all" else "not from a tagger"
        print(f"| {name} | {label} | {found[0].n} | {' | '.join(cells)} |")
    sys.stdout.flush()


def _spread(values: list[float], form: str) -> str:
    mean, low, high = (form.format(f(values)) for f in (np.mean, min, max))
    return f"{mean} ({low} to {high})"


if __name__ == "__main__":
    main()
