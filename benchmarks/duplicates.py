"""How alike are two recordings of one clip, and two different tracks?

    python benchmarks/duplicates.py

Embeds copies of library clips as `vgg_mel` after what happens to files on their way (other formats and
bit rates, another level, a trimmed start) and compares each with its original; then looks for the most
similar pair of different tracks. `query.DUPLICATE_SIMILARITY` lies between the two.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from encoding import encode
from numpy.typing import NDArray

from soundalike import audio, index, paths
from soundalike.models import ModelStore
from soundalike.query import DUPLICATE_SIMILARITY
from soundalike.representations import vgg_mel

CLIPS = 20


def encoded(container: str, codec: str, bit_rate: int) -> Callable[[NDArray[np.float32]], audio.Clip]:
    """A copy that went through a lossy format."""
    return lambda samples: audio.decode(encode(samples, container, codec, "mono", bit_rate))


COPIES: dict[str, Callable[[NDArray[np.float32]], audio.Clip]] = {
    "MP3, 128 kbit/s": encoded("mp3", "libmp3lame", 128_000),
    "MP3, 64 kbit/s": encoded("mp3", "libmp3lame", 64_000),
    "M4A, 128 kbit/s": encoded("mp4", "aac", 128_000),
    "WebM Opus, 48 kbit/s": encoded("webm", "libopus", 48_000),
    "6 dB quieter": lambda samples: audio.Clip(samples * 0.5),
    "start trimmed by 0.1 s": lambda samples: audio.Clip(samples[2_205:]),
    "start trimmed by 1 s": lambda samples: audio.Clip(samples[22_050:]),
}


def main() -> None:
    """Print the similarity of copies and of different tracks."""
    opened = index.load(paths.index_folder())
    models = ModelStore()
    chosen = np.random.default_rng(0).choice(len(opened), CLIPS, replace=False)
    print("| copy | similarity to the original: median | least |")
    print("|---|---:|---:|")
    for name, copy in COPIES.items():
        values = []
        for row in chosen:
            clip = audio.analysis_window(copy(audio.decode(opened.path(int(row))).samples))
            vectors = {"vgg_mel": vgg_mel.embed(clip, models)}
            values.append(opened.similarities_of_parts({"vgg_mel": 1.0}, vectors)[row])
        print(f"| {name} | {np.median(values):.3f} | {min(values):.3f} |", flush=True)
    nearest = opened.array("vgg_mel_similarities")[:, 0]
    print(f"\nMost similar different tracks of {len(opened)}: {nearest.max():.3f}")
    print(f"Taken for one recording from: {DUPLICATE_SIMILARITY}")


if __name__ == "__main__":
    main()
