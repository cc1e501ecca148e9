"""A folder of files that nobody would want, and what has to become of each."""

from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path

import mutagen
import numpy as np
from small_library import write_tone

from soundalike import paths

GOOD = "clips/good.opus"


def build(folder: Path) -> dict[str, str | None]:
    """Fill a folder; returns each file's fate: None for one that is indexed, else a part of the reason.

    Files whose names are not of audio are not in it.
    """
    clip = paths.LIBRARY / "clips" / "0001.opus"
    whole = clip.read_bytes()
    fates: dict[str, str | None] = {GOOD: None}

    def put(name: str, content: bytes, fate: str | None) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        fates[name] = fate

    put(GOOD, whole, None)
    put("empty.mp3", b"", "empty")
    put("text.mp3", b"Dear diary, this is no music.\n" * 50, "read this as audio")
    put("noise.flac", np.random.default_rng(0).bytes(100_000), "channels")
    put("half.opus", whole[: len(whole) // 2], None)
    put("stub.opus", whole[:3_000], "")
    put("copy of good.opus", whole, f"Same file as {GOOD}")
    put("wrong ending.mp3", write_tone(folder / "tone.wav", "pcm_s16le").read_bytes() + b"\0", None)
    fates["tone.wav"] = None
    put("lying.wav", lying_wav(), None)
    put("image.mp3", b"\x89PNG\r\n\x1a\n" + bytes(5_000), "read this as audio")
    (folder / "cover.jpg").write_bytes(b"\xff\xd8\xff")
    put("playlist.m4a", b"#EXTM3U\nhttp://127.0.0.1:9/song.mp3\n", "read this as audio")
    tagged(folder / "tags.flac")
    fates["tags.flac"] = None
    silence(folder / "ten hours.wav", 36_000)
    fates["ten hours.wav"] = "silent"
    large(folder / "two gigabytes.mp3")
    fates["two gigabytes.mp3"] = "channels"
    loops(folder, fates)
    os.mkfifo(folder / "pipe.mp3")
    fates["pipe.mp3"] = "pipe"
    unreadable(folder, fates)
    name = folder.joinpath(os.fsdecode(b"caf\xe9.opus"))
    shutil.copyfile(clip, name)
    fates["caf\ufffd.opus"] = "not UTF-8"
    long = "long " * 45 + ".flac"
    put(long, (folder / "tags.flac").read_bytes() + b"\0", None)
    put("new\nline \x1b[31mred.flac", (folder / "tags.flac").read_bytes() + b"\0\0", None)
    return fates


def lying_wav() -> bytes:
    """Four seconds of a tone under a header that promises four gigabytes."""
    tone = (8_000 * np.sin(2 * np.pi * 330 * np.arange(4 * 22_050) / 22_050)).astype("<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 22_050, 44_100, 2, 16)
    data = form + struct.pack("<4sI", b"data", 0xFFFF_FFF0) + tone
    return struct.pack("<4sI4s", b"RIFF", 0xFFFF_FFFF, b"WAVE") + data


def tagged(path: Path) -> None:
    """A tone with tags that no screen is wide enough for."""
    write_tone(path, "flac")
    file = mutagen.File(path)
    file["title"] = "<script>alert(1)</script>" + "a" * 100_000
    file["artist"] = ["Zoë", "\u202etxet desrever", "line\nbreak\0null"]
    file["genre"] = [f"Genre {i}" for i in range(10_000)]
    file["date"] = "not a year"
    file.save()


def silence(path: Path, seconds: int) -> None:
    """Hours of silence, which take no room on the disk."""
    size = 2 * 8_000 * seconds
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8_000, 16_000, 2, 16)
    head = struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size)
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + size)


def large(path: Path) -> None:
    """Two gigabytes of nothing, which take no room on the disk."""
    with path.open("wb") as file:
        file.truncate(2 * 2**30)


def loops(folder: Path, fates: dict[str, str | None]) -> None:
    """Links that lead around in circles, and one to nowhere."""
    (folder / "loop").mkdir()
    (folder / "loop" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "self.mp3").symlink_to(folder / "self.mp3")
    (folder / "dangling.mp3").symlink_to(folder / "nowhere.mp3")
    fates["loop/up"] = "already read"
    fates["self.mp3"] = "cannot be read"
    fates["dangling.mp3"] = "cannot be read"


def unreadable(folder: Path, fates: dict[str, str | None]) -> None:
    """A file and a folder that may not be read; whoever is root may all the same."""
    locked = write_tone(folder / "locked.wav", "pcm_s16le", seconds=5.0)
    locked.chmod(0)
    closed = folder / "closed"
    write_tone(closed / "inside.wav", "pcm_s16le", seconds=6.0)
    closed.chmod(0)
    if os.geteuid() == 0:
        fates |= {"locked.wav": None, "closed/inside.wav": None}
    else:
        fates |= {"locked.wav": "Permission denied", "closed": "cannot be read"}
