"""Listings of made-up tracks whose titles and file names are as nasty as they come."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from soundalike.playlist import file_writer
from soundalike.playlist.file_writer import Item, Listing

LISTS = ("m3u8", "xspf", "jspf", "csv")
KINDS = (*LISTS, "zip")
NASTY = (
    "",
    "=1+2",
    "@SUM(A1)",
    "+1",
    "-",
    " - ",
    "A - B - C",
    "#EXTINF:1,x",
    "a, b; c\td",
    'say "no"',
    "it's",
    "Tom & Jerry <b>",
    "]]>",
    "&amp;",
    "%41%",
    "line\nbreak",
    "cr\r\nlf",
    "bell\x07 nul\x00 next\x85 line\u2028 end",
    "שלום \u202eabc",
    "مرحبا",
    "カノン\u3000二長調",
    "e\u0301 \U0001f3b5 \ufffe",
    " padded ",
    "CON",
    "../../etc/passwd",
    "a" * 300,
    "字" * 300,
    "\ufeffmark",
)
PATHS = ("clips/1.opus", "#1.opus", " 1.opus", "a b/c,d & e.mp3", "50%25 ü/[x]'\".flac", "k:l/m\\n.ogg")


def item(number: int = 1, **facts: object) -> Item:
    """A track, unlike those of other numbers."""
    known: dict[str, object] = {
        "track_id": f"{number:04}",
        "title": f"Title {number}",
        "artist": f"Artist {number}",
        "album": "An album",
        "genre": "Folk",
        "licence": "CC-BY-4.0",
        "source": f"https://example.org/{number}",
        "file": f"clips/{number:04}.opus",
        "seconds": 29.6,
        "similarity": 0.875,
    }
    return Item(**(known | facts))


def listing(*items: Item, **recipe: str) -> Listing:
    return Listing("A playlist", items, recipe)


def nasty() -> st.SearchStrategy[str]:
    return st.sampled_from(NASTY) | st.text(max_size=30)


def items() -> st.SearchStrategy[list[Item]]:
    number = st.none() | st.floats(0, 1e5)
    return st.lists(
        st.builds(
            Item,
            track_id=nasty().filter(lambda name: name and "\0" not in name),
            title=nasty(),
            artist=nasty(),
            album=nasty(),
            genre=nasty(),
            licence=nasty(),
            source=nasty() | st.just("https://example.org/a b?c=[1]#d"),
            file=st.sampled_from(PATHS),
            seconds=number,
            similarity=st.none() | st.floats(-1, 1),
        ),
        min_size=1,
        max_size=5,
    )


def listings() -> st.SearchStrategy[Listing]:
    recipe = st.dictionaries(nasty(), nasty(), max_size=3)
    return st.builds(Listing, nasty(), items().map(tuple), recipe)


def write_clips(folder: Path, made: Listing) -> Path:
    """A library folder with a file for every track, which is no audio but its own path."""
    for one in made.items:
        path = folder / one.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.file.encode())
    return folder


def written(made: Listing, kind: str, folder: Path) -> bytes:
    return file_writer.write(made, kind, write_clips(folder, made))
