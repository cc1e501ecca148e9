"""Two trees of made-up music in the form of public test collections, and the fate of each file.

`build_tagged` has every container that is read, with tags in every standard that its files have.
`build_collection` has the folders of a person's disk: albums by nobody and by several, what players and
systems leave beside music, copies, deleted files, and files that aren't what they are called.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import mutagen
import mutagen.apev2
import mutagen.id3
import mutagen.wave
from audio_files import FORMATS, encoded, sine, stereo

Facts = Mapping[str, str]
_FRAMES = {"title": "TIT2", "artist": "TPE1", "album": "TALB", "genre": "TCON", "date": "TDRC"}
VARIANTS: dict[str, Facts] = {
    "none": {},
    "plain": {"title": "Title", "artist": "Artist", "album": "Album", "genre": "Folk", "date": "1999"},
    "scripts": {"title": "東京の夜", "artist": "Японец", "album": "Ζωή — Élan", "genre": "Chanson"},
    "partial": {"title": "Only a title"},
    "featured": {
        "title": "A - B",
        "artist": "Ann feat. Ben & Cy",
        "album": "Duets",
        "genre": "Hip-Hop/Rap",
    },
    "long": {
        "title": "long " * 20,
        "artist": "  spaced   out ",
        "album": "<b>bold</b>",
        "date": "2001-05-06",
    },
}
ENDINGS = {
    "wav": "wav-s16",
    "flac": "flac",
    "ogg": "ogg-vorbis",
    "oga": "ogg-flac",
    "opus": "ogg-opus",
    "mp3": "mp3",
    "mp2": "mp2",
    "m4a": "m4a-aac",
    "m4b": "m4a-alac",
    "mp4": "mp4-ac3",
    "3gp": "3gp-aac",
    "aac": "aac",
    "webm": "webm-opus",
    "weba": "webm-opus",
    "mka": "mka-eac3",
    "aif": "aiff-s16",
    "aiff": "aiff-f32",
    "caf": "caf-s24",
    "wma": "wma-2",
}
"""A format of `mutations` for each ending that is read."""
_RATES = {"mp4": 32_000, "mka": 32_000}
_STEREO = ("ogg",)
_ENCODER_WRITES = (
    "wav",
    "flac",
    "ogg",
    "oga",
    "opus",
    "m4a",
    "m4b",
    "mp4",
    "webm",
    "weba",
    "mka",
    "wma",
)
_WITHOUT_TAGS = ("3gp", "caf")


def sound(ending: str, number: int, said: Facts | None = None) -> bytes:
    """A tone of its own, three seconds long, with tags as the encoder writes them."""
    rate = _RATES.get(ending, 16_000)
    tone = sine(3.2, rate, 200.0 + 3 * number)
    samples = stereo(tone) if ending in _STEREO else tone
    return encoded(samples, rate, *FORMATS[ENDINGS[ending]], tags=dict(said or {}))


def build_tagged(folder: Path) -> dict[str, dict[str, str]]:
    """Fill a folder; returns the tags of each file."""
    expected: dict[str, dict[str, str]] = {}
    for ending in ENDINGS:
        for standard, write in _standards(ending).items():
            for variant, said in VARIANTS.items():
                file = f"{ending}/{standard}/{variant}.{ending}"
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                write(folder / file, sound(ending, len(expected)), said, len(expected))
                expected[file] = {} if ending in _WITHOUT_TAGS else read_as(said)
    return expected


def read_as(said: Facts) -> dict[str, str]:
    """What is read of tags: one line of each, and the year of a date."""
    lines = {name: " ".join(text.split()) for name, text in said.items() if name != "date"}
    return lines | ({"year": said["date"][:4]} if "date" in said else {})


Write = Callable[[Path, bytes, Facts, int], None]


def _standards(ending: str) -> dict[str, Write]:
    """Ways to write the tags of files with an ending."""
    if ending in _WITHOUT_TAGS:
        return {"bare": lambda path, content, said, number: _put(path, content)}
    found: dict[str, Write] = {}
    if ending in _ENCODER_WRITES:
        found["encoder"] = lambda path, content, said, number: _put(path, sound(ending, number, said))
    if ending in ("mp3", "mp2", "aac", "flac"):
        found["id3v23"] = lambda path, content, said, number: _put(path, id3(said, 3) + content)
        found["id3v24"] = lambda path, content, said, number: _put(path, id3(said, 4) + content)
    if ending in ("mp3", "mp2", "aac"):
        found["ape"] = _write_ape
    if ending in ("wav", "aif", "aiff"):
        found["id3 chunk"] = _write_id3_chunk
    if ending in ("m4a", "ogg", "opus"):
        found["mutagen"] = _write_easily
    return found


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def id3(said: Facts, version: int = 4) -> bytes:
    """An ID3v2 tag; nothing without tags."""
    if not said:
        return b""
    tag, file = mutagen.id3.ID3(), io.BytesIO()
    for name, text in said.items():
        tag.add(getattr(mutagen.id3, _FRAMES[name])(1, [text]))
    if version == 3:
        tag.update_to_v23()
    tag.save(file, v2_version=version)
    return file.getvalue()


def _write_ape(path: Path, content: bytes, said: Facts, number: int) -> None:
    path.write_bytes(content)
    tag = mutagen.apev2.APEv2()
    for name, text in said.items():
        tag["Year" if name == "date" else name.title()] = text
    if said:
        tag.save(path)


def _write_id3_chunk(path: Path, content: bytes, said: Facts, number: int) -> None:
    path.write_bytes(content)
    if not said:
        return
    file = mutagen.File(path)
    file.add_tags()
    for name, text in said.items():
        file.tags.add(getattr(mutagen.id3, _FRAMES[name])(1, [text]))
    file.save()


def _write_easily(path: Path, content: bytes, said: Facts, number: int) -> None:
    path.write_bytes(content)
    file = mutagen.File(path, easy=True)
    for name, text in said.items():
        file[name] = text
    file.save()


TRACKS_OF_ALBUMS = 120
IGNORED = (
    *(
        "$RECYCLE.BIN/S-1-5-21/$R1.mp3",
        "#recycle/old.flac",
        "@Recycle/old.ogg",
        ".Trash-1000/files/a.mp3",
    ),
    *("Ann/Blue/.AppleDouble/01 One.mp3", "__MACOSX/._01.mp3", "Ann/Blue/._01 One.mp3"),
    *(".stversions/Ann/01~2024.mp3", "System Volume Information/x.wav", "Ann/@eaDir/x.mp3/y.mp3"),
)
"""Files that are no part of a library."""
BESIDE = (
    *("Ann/Blue/cover.jpg", "Ann/Blue/Thumbs.db", "Ann/Blue/.DS_Store", "Ann/Blue/blue.cue"),
    *("Ann/Blue/blue.log", "lists/all.m3u8", "lists/all.xspf", "notes.txt", "scores/a.mid", "old/a.ape"),
    *("old/b.wv", "old/c.mpc", "films/d.mkv", "README"),
)
"""Files of kinds that are not read; they are counted."""


def build_collection(folder: Path) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Fill a folder; returns the tags of each track, and a part of the reason for each file left out."""
    tracks: dict[str, dict[str, str]] = {}
    skipped: dict[str, str] = {}
    endings = [ending for ending in _ENCODER_WRITES if ending not in ("wav", "webm", "weba", "mp4")]

    def put(file: str, content: bytes) -> None:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(content)

    for number in range(TRACKS_OF_ALBUMS):
        ending = endings[number % len(endings)]
        artist = ("Ann", "Various Artists", "The Band feat. Guest", "...And Justice for All")[number % 4]
        said = {"title": f"Song {number}", "artist": artist, "album": f"Album {number // 10}"}
        file = f"{artist}/CD{number % 2 + 1}/{number:02} Song.{ending.upper() if number % 3 else ending}"
        put(file, sound(ending, number, said))
        tracks[file] = said
    odd = {
        ".hidden/1.flac": "flac",
        "...dots/2.flac": "flac",
        "50%25 off/#1 [x] & 'y'.flac": "flac",
        " leading/3.flac": "flac",
        "линия/東京\u30004.flac": "flac",
        "wrong ending.mp3": "flac",
        "no extension fits.wma": "mp3",
        "talk.m4b": "m4b",
        "phone.3gp": "3gp",
        "film.mp4": "mp4",
    }
    for number, (file, ending) in enumerate(odd.items(), start=TRACKS_OF_ALBUMS):
        put(file, sound(ending, number))
        tracks[file] = {}
    copied = next(iter(tracks))
    put("copies/copy 1.flac", (folder / copied).read_bytes())
    skipped["copies/copy 1.flac"] = f"Same file as {copied}"
    for name, reason in (("empty.mp3", "empty"), ("short.wav", "0.5 s long"), ("flat.wav", "silent")):
        skipped[f"broken/{name}"] = reason
    put("broken/empty.mp3", b"")
    put("broken/short.wav", encoded(sine(0.5, 16_000), 16_000))
    put("broken/flat.wav", encoded(0 * sine(4, 16_000) + 0.5, 16_000))
    put("broken/text.mp3", b"Dear diary, this is no music.\n" * 50)
    skipped["broken/text.mp3"] = "read this as audio"
    put("broken/cut.flac", sound("flac", 0)[:200])
    skipped["broken/cut.flac"] = "damaged or incomplete"
    put("broken/renamed.wav", b"wvpk" + bytes(1_000))
    skipped["broken/renamed.wav"] = "WavPack"
    put("phone calls/voice.3gp", encoded(sine(4, 8_000), 8_000, "3gp", "libopencore_amrnb"))
    skipped["phone calls/voice.3gp"] = "AMR-NB"
    for file in (*IGNORED, *BESIDE):
        put(file, b"x")
    return tracks, skipped
