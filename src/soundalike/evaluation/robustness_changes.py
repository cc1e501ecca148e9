"""Changes to recordings for the robustness test, in groups.

`usual` (Urbano et al., 2014, test MFCC, chroma and lossy encodings in the same way):

- `shift_1_s`, `shift_3_s`, `shift_7_s` : another excerpt that begins that much later. If the source is
  longer than the analysed 30 s, the window moves, later if possible and otherwise earlier. A source of
  30 s loses its first seconds, and the rest is repeated to fill 30 s, as for any clip;
- `gain_6_db` : 6 dB louder. Samples are floats and may exceed full scale, so nothing is clipped;
- `mp3_64_kbit` : encoded as mono MP3 at 44.1 kHz and 64 kbit/s by LAME, and decoded;
- `other_30_s` : 30 s of the same source without overlap with the analysed ones: the loudest half minute
  of the longer part before or after; only if that part is long enough.

`level`: `gain_-6_db`, `gain_-12_db`, `gain_-20_db`, `gain_-30_db`.

`air`, by `degradations`:

- `room_0.3_s`, `room_0.5_s`, `room_0.9_s` : a room with that reverberation time, and a
  direct-to-reverberant ratio of 6, 3 and 0 dB; every track has its own room;
- `babble_20_db`, `babble_10_db`, `babble_5_db` : babble of a crowd, that far below the music;
- `pink_20_db`, `pink_10_db`, `pink_5_db` : pink noise. Every track has its own crowd and its own noise,
  the same at all levels;
- `telephone` : 300 to 3,400 Hz;
- `small_speaker` : no bass below 200 Hz, and soft clipping;
- `phone` : the small speaker in a room (0.4 s, 3 dB), with pink noise at 10 dB.

`speed`: `speed_+1`, `speed_-1`, `speed_+2`, `speed_-2`, `speed_+5`, `speed_-5`, in per cent, including
pitch; a faster clip is repeated to fill 30 s. `semitone_up` and `semitone_down` keep the tempo.

`file`, encoded and decoded: `aac_48_kbit`, mono; `stereo_in_5.1` and `stereo_in_7.1`, the source's two
channels in front and the others silent; `mono_in_5.1`, the mix in the centre.

Random choices are seeded by the track's name and the change, and are therefore reproducible.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, MIN_SECONDS, SAMPLE_RATE, Clip
from soundalike.errors import AudioError
from soundalike.evaluation import degradations, robustness_files
from soundalike.evaluation.degradations import Room
from soundalike.evaluation.robustness_files import CENTRE, LEFT, RIGHT, Lossy

SHIFTS = (1, 3, 7)
GAIN_DB = 6
QUIETER_DB = (-6, -12, -20, -30)
ROOMS = (Room(0.3, 6.0), Room(0.5, 3.0), Room(0.9, 0.0))
PHONE_ROOM, PHONE_SNR_DB = Room(0.4, 3.0), 10.0
SNR_DB = (20, 10, 5)
SPEEDS = (1, -1, 2, -2, 5, -5)
UNCHANGED = ""
"""Name of the unchanged window."""

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Recording:
    """A track's audio, as input to changes.

    Attributes
    ----------
    source : the whole track
    window : its analysed 30 s
    sides : both channels of the audio in `window` [shape=(n, 2)]; None unless the track has two
    name : name of the track; tracks with the same name get the same random changes
    """

    source: Clip
    window: Clip
    sides: Samples | None = None
    name: str = ""

    def generator(self, purpose: str) -> np.random.Generator:
        """A random generator, the same for each track and purpose."""
        digest = hashlib.sha256(f"{self.name}\n{purpose}".encode()).digest()
        return np.random.default_rng(int.from_bytes(digest))


def read(path: Path, name: str) -> Recording:
    """Read a track's audio.

    Raises
    ------
    AudioError
        If it cannot be decoded.
    """
    source, sides = decoding.decode_stereo(path)
    window = analysis_window(source)
    if sides is not None:
        start = round(window.start * SAMPLE_RATE)
        sides = sides[start : start + ANALYSIS_SAMPLES].copy()
    return Recording(source, window, sides, name)


Make = Callable[[Recording], Clip | None]
"""Function from a recording to its changed window; None if the change is impossible."""


@dataclass(frozen=True)
class Change:
    """A way to change a recording.

    Attributes
    ----------
    title : title for readers
    make : the change itself
    why_not : why it may have been impossible for every track
    """

    title: str
    make: Make
    why_not: str = "the clips are too short"


def shifted(seconds: float) -> Make:
    """Change to an excerpt that begins `seconds` later."""
    moved_by = round(seconds * SAMPLE_RATE)

    def make(recording: Recording) -> Clip | None:
        samples = recording.source.samples
        start = round(recording.window.start * SAMPLE_RATE)
        for moved in (start + moved_by, start - moved_by):
            if 0 <= moved <= len(samples) - ANALYSIS_SAMPLES:
                return Clip(samples[moved : moved + ANALYSIS_SAMPLES])
        rest = samples[start : start + ANALYSIS_SAMPLES][moved_by:]
        if len(rest) < MIN_SECONDS * SAMPLE_RATE:
            return None
        return analysis_window(Clip(rest))

    return make


def amplified(decibels: float) -> Make:
    """Change the level."""
    return _of_samples(lambda samples, recording: samples * np.float32(10 ** (decibels / 20)))


def other_half_minute(recording: Recording) -> Clip | None:
    """Another 30 s of the source without overlap with the window; None for a short source."""
    samples = recording.source.samples
    start = round(recording.window.start * SAMPLE_RATE)
    longer = max(samples[:start], samples[start + ANALYSIS_SAMPLES :], key=len)
    return analysis_window(Clip(longer)) if len(longer) >= ANALYSIS_SAMPLES else None


def in_room(room: Room) -> Make:
    """Put the window in a room specific to the track."""
    return _of_samples(
        lambda samples, recording: degradations.in_room(
            samples, room, recording.generator(f"room {room.rt60}")
        )
    )


def among_babble(snr_db: float) -> Make:
    """Add babble of a crowd."""

    def change(samples: Samples, recording: Recording) -> Samples:
        crowd = degradations.babble(len(samples), recording.generator("babble"))
        return degradations.with_noise(samples, crowd, snr_db)

    return _of_samples(change)


def with_pink_noise(snr_db: float) -> Make:
    """Add pink noise."""

    def change(samples: Samples, recording: Recording) -> Samples:
        noise = degradations.pink_noise(len(samples), recording.generator("pink"))
        return degradations.with_noise(samples, noise, snr_db)

    return _of_samples(change)


def by_phone(recording: Recording) -> Clip | None:
    """Play the window from a small speaker, in a room with pink noise."""
    clip: Clip | None = recording.window
    played = _of_samples(lambda samples, _: degradations.small_speaker(samples))
    for make in (played, in_room(PHONE_ROOM), with_pink_noise(PHONE_SNR_DB)):
        if clip is not None:
            clip = make(replace(recording, window=clip))
    return clip


def at_speed(per_cent: float) -> Make:
    """Play the window faster, or slower below 0."""
    return _of_samples(lambda samples, _: degradations.resampled(samples, 1 + per_cent / 100))


def transposed(semitones: float) -> Make:
    """Transpose the window at the same tempo."""
    return _of_samples(lambda samples, _: degradations.transposed(samples, semitones))


def through_file(format: Lossy) -> Make:
    """Encode and decode the window; None without an encoder or if nothing audible is left."""

    def make(recording: Recording) -> Clip | None:
        return _decoded(format.encode(recording.window.samples)) if format.available else None

    return make


def stereo_in(layout: str) -> Make:
    """Put the window's two channels in a multichannel file; None for a track without two channels."""

    def make(recording: Recording) -> Clip | None:
        if recording.sides is None:
            return None
        left, right = recording.sides.T
        return _decoded(robustness_files.surround(layout, {LEFT: left, RIGHT: right}))

    return make


def mono_in(layout: str) -> Make:
    """Put the window in the centre channel of a multichannel file."""
    return lambda recording: _decoded(
        robustness_files.surround(layout, {CENTRE: recording.window.samples})
    )


def _of_samples(change: Callable[[Samples, Recording], Samples]) -> Make:
    return lambda recording: Clip(np.asarray(change(recording.window.samples, recording), np.float32))


def _decoded(content: bytes) -> Clip | None:
    try:
        return analysis_window(decoding.decode(content))
    except AudioError:
        return None


_NOT_STEREO = "no track has two channels"
GROUPS: dict[str, dict[str, Change]] = {
    "usual": {
        **{f"shift_{s}_s": Change(f"Another excerpt, {s} s later", shifted(s)) for s in SHIFTS},
        f"gain_{GAIN_DB}_db": Change(f"{GAIN_DB} dB louder", amplified(GAIN_DB)),
        "mp3_64_kbit": Change(
            "MP3 at 64 kbit/s",
            through_file(robustness_files.MP3_64),
            "this installation of FFmpeg cannot encode MP3",
        ),
        "other_30_s": Change(
            "Another 30 s of the track",
            other_half_minute,
            "no source is long enough to hold another 30 s",
        ),
    },
    "level": {f"gain_{db}_db": Change(f"{-db} dB quieter", amplified(db)) for db in QUIETER_DB},
    "air": {
        **{
            f"room_{room.rt60}_s": Change(
                f"Room, RT60 {room.rt60} s, direct/echo {room.direct_db:.0f} dB", in_room(room)
            )
            for room in ROOMS
        },
        **{f"babble_{db}_db": Change(f"Babble at {db} dB SNR", among_babble(db)) for db in SNR_DB},
        **{f"pink_{db}_db": Change(f"Pink noise at {db} dB SNR", with_pink_noise(db)) for db in SNR_DB},
        "telephone": Change(
            "Telephone, 300 to 3,400 Hz", _of_samples(lambda samples, _: degradations.telephone(samples))
        ),
        "small_speaker": Change(
            "Small speaker, from 200 Hz, clipped",
            _of_samples(lambda samples, _: degradations.small_speaker(samples)),
        ),
        "phone": Change("Speaker, room and noise together", by_phone),
    },
    "speed": {
        **{
            f"speed_{change:+d}": Change(
                f"{abs(change)} % {'faster' if change > 0 else 'slower'}", at_speed(change)
            )
            for change in SPEEDS
        },
        "semitone_up": Change("A semitone higher", transposed(1.0)),
        "semitone_down": Change("A semitone lower", transposed(-1.0)),
    },
    "file": {
        "aac_48_kbit": Change(
            "AAC at 48 kbit/s",
            through_file(robustness_files.AAC_48),
            "this installation of FFmpeg cannot encode AAC",
        ),
        "stereo_in_5.1": Change("Stereo in a 5.1 file", stereo_in("5.1"), _NOT_STEREO),
        "stereo_in_7.1": Change("Stereo in a 7.1 file", stereo_in("7.1"), _NOT_STEREO),
        "mono_in_5.1": Change("Mono in a 5.1 file", mono_in("5.1")),
    },
}
"""Changes by group and name."""
CHANGES = {name: change for group in GROUPS.values() for name, change in group.items()}
USUAL = tuple(GROUPS["usual"])
ALL = "all"


def chosen(asked: Iterable[str]) -> list[str]:
    """Names of the usual changes and of requested ones, without repeats, in the order of `CHANGES`.

    Parameters
    ----------
    asked : names of changes or of groups, or "all"

    Raises
    ------
    KeyError
        If a name is neither a change nor a group.
    """
    wanted = set(USUAL)
    for name in asked:
        wanted |= set(CHANGES if name == ALL else GROUPS.get(name, [name]))
    if unknown := wanted - CHANGES.keys():
        raise KeyError(*sorted(unknown))
    return [name for name in CHANGES if name in wanted]


def copies(recording: Recording, names: Iterable[str]) -> Iterator[tuple[str, Clip]]:
    """Yield the window as `UNCHANGED`, and then every possible change, one at a time."""
    yield UNCHANGED, recording.window
    for name in names:
        clip = CHANGES[name].make(recording)
        if clip is not None:
            yield name, clip
