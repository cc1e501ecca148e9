"""Compare decoders on common formats, on a machine without other software installed.

    python benchmarks/decoders.py

Encodes one library clip in every accepted format and decodes it to 22,050 Hz mono with each candidate:
this project's (PyAV), soundfile (libsndfile) and librosa's default. Prints the median time of five runs
in milliseconds, or the failure.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from encoding import encode

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.clip import SAMPLE_RATE

FORMATS = {
    "WAV": ("wav", "pcm_s16le"),
    "FLAC": ("flac", "flac"),
    "Ogg Vorbis": ("ogg", "vorbis"),
    "Ogg Opus": ("ogg", "libopus"),
    "MP3": ("mp3", "libmp3lame"),
    "M4A (AAC)": ("mp4", "aac"),
    "WebM (Opus)": ("webm", "libopus"),
}


def main() -> None:
    """Time each decoder on each format."""
    import librosa
    import soundfile  # type: ignore[import-untyped]
    import soxr

    def with_soundfile(path: Path) -> int:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        return len(soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE))

    decoders: dict[str, Callable[[Path], int]] = {
        "PyAV (this project)": lambda path: len(decoding.decode(path).samples),
        "soundfile": with_soundfile,
        "librosa.load": lambda path: len(librosa.load(path, sr=SAMPLE_RATE)[0]),
    }
    warnings.simplefilter("ignore")
    samples = decoding.decode(paths.LIBRARY / "clips" / "0102.opus").samples
    print("| format | " + " | ".join(decoders) + " |")
    print("|---|" + "---|" * len(decoders))
    with tempfile.TemporaryDirectory() as folder:
        for name, (container, codec) in FORMATS.items():
            path = Path(folder) / f"clip.{container}"
            if codec == "vorbis":
                # FFmpeg's own Vorbis encoder is experimental, and libsndfile stops early in its files.
                at_44100 = soxr.resample(samples, SAMPLE_RATE, 44_100)
                soundfile.write(path, np.stack([at_44100] * 2, axis=1), 44_100, "VORBIS")
            else:
                path.write_bytes(encode(samples, container, codec, "stereo"))
            cells = [attempt(decode, path) for decode in decoders.values()]
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def attempt(decode: Callable[[Path], int], path: Path) -> str:
    """Median milliseconds of five runs, or the failure."""
    times = []
    try:
        decoded = decode(path) / SAMPLE_RATE
        if decoded < 29.5:
            return f"stops after {decoded:.1f} s"
        for _ in range(5):
            start = time.perf_counter()
            decode(path)
            times.append(time.perf_counter() - start)
    except Exception as error:  # noqa: BLE001
        return f"cannot ({type(error).__name__})"
    return f"{np.round(statistics.median(times) * 1000):.0f} ms"


if __name__ == "__main__":
    main()
