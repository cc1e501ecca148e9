"""Recompute the article's genre figures on FMA-small from the features that its author published.

    python benchmarks/article.py ../shared/seed_reference

The folder holds `genre_predict4.npy` and `filename_split_order.npy` as published, and
`fma_small_genre.csv`, the genres of FMA-small.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from soundalike.evaluation import published

N_TRAIN = 6_397


def main(folder: Path) -> None:
    """Print the figures."""
    table = pd.read_csv(folder / "fma_small_genre.csv")
    genres = dict(zip(table["filename"].str.slice(4), table["genre"], strict=True))
    order = np.load(folder / "filename_split_order.npy", allow_pickle=False)
    features = np.load(folder / "genre_predict4.npy", allow_pickle=False)
    found = published.figures(features, [genres[name] for name in order.tolist()], N_TRAIN)
    for name, value in vars(found).items():
        print(f"{name}: {value:.1%}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
