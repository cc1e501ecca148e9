"""The table of an index's tracks, read by column.

Pages that show a stored list need a few columns, which Arrow reads by itself. pandas, whose import takes
longer than reading the table, is loaded when the whole table is asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

TEXTS = ("title", "artist", "album", "genre")
"""Columns that every table has: text without line breaks, "" where a value is missing."""
ID = "track_id"
REQUIRED = (ID, "file", "sha256")
"""Columns in which no value may be missing."""


class TrackTable:
    """The tracks of an index, one per row.

    Parameters
    ----------
    source : the table as it is stored
    texts : columns that replace stored ones
    """

    def __init__(self, source: pa.Table, texts: Mapping[str, list[str]]) -> None:
        self._source = source
        self._texts = dict(texts)
        self._stored: dict[str, list[Any]] = {}
        self._frame: pd.DataFrame | None = None
        self._lock = threading.Lock()

    @classmethod
    def of(cls, frame: pd.DataFrame) -> TrackTable:
        """A table made in memory, as it is in a DataFrame."""
        import pyarrow as pa

        return cls(pa.Table.from_pandas(frame, preserve_index=False), {})

    @classmethod
    def normalised(cls, source: pa.Table) -> TrackTable:
        """A stored table with its ids as text, all of `TEXTS`, and files' names as missing titles.

        Columns that are neither numbers nor text, such as dates, become text.

        Raises
        ------
        ValueError, OverflowError, pyarrow.ArrowException
            If values can't be read, a column is there twice, one of `REQUIRED` lacks a value, or an id
            is there twice.
        """
        source.validate(full=True)
        there = source.column_names
        if len(set(there)) < len(there):
            raise ValueError("a column is there twice")
        plain = _in_plain_types(source)
        for name in REQUIRED:
            if name not in there or plain[name].null_count:
                raise ValueError(f"{name} is missing")
        ids = [str(value) for value in plain[ID].to_pylist()]
        if len(set(ids)) < len(ids):
            raise ValueError("an id is there twice")
        texts = {name: [""] * len(ids) for name in TEXTS}
        texts |= {name: list(map(_one_line, plain[name].to_pylist())) for name in TEXTS if name in there}
        texts["title"] = [
            title or PurePosixPath(str(file)).stem
            for title, file in zip(texts["title"], plain["file"].to_pylist(), strict=True)
        ]
        return cls(plain, {ID: ids, **texts})

    def __len__(self) -> int:
        return int(self._source.num_rows)

    def __contains__(self, column: str) -> bool:
        return column in self._texts or column in self._source.column_names

    def __getitem__(self, name: str) -> list[Any]:
        """The values of a column, None or NaN where one is missing; kept, and not to be changed."""
        if name in self._texts:
            return self._texts[name]
        if name not in self._stored:
            self._stored[name] = self._source[name].to_pylist()
        return self._stored[name]

    def take(self, rows: NDArray[np.intp]) -> TrackTable:
        """Some of the tracks, in the given order."""
        texts = {name: [values[row] for row in rows] for name, values in self._texts.items()}
        return TrackTable(self._source.take(rows), texts)

    @property
    def frame(self) -> pd.DataFrame:
        """The whole table as a DataFrame; kept, and not to be changed."""
        import pandas as pd

        with self._lock:
            if self._frame is None:
                frame: pd.DataFrame = self._source.to_pandas()
                for name, values in self._texts.items():
                    frame[name] = pd.Series(values, frame.index, dtype="str")
                self._frame = frame
            return self._frame


def is_missing(value: object) -> bool:
    """Whether a value of a column is missing: None, or NaN."""
    return value is None or value != value


def _one_line(value: object) -> str:
    return "" if is_missing(value) else " ".join(str(value).split())


def _in_plain_types(source: pa.Table) -> pa.Table:
    """A table of numbers, truth values and text, without what pandas has noted about it."""
    import pyarrow as pa
    from pyarrow import types

    plain = source.replace_schema_metadata(None)
    kinds = (
        types.is_integer,
        types.is_floating,
        types.is_boolean,
        types.is_string,
        types.is_large_string,
    )
    for place, (name, kind) in enumerate(zip(plain.column_names, plain.schema.types, strict=True)):
        if not any(is_kind(kind) for is_kind in kinds):
            texts = [None if value is None else _as_text(value) for value in plain[name].to_pylist()]
            plain = plain.set_column(place, name, pa.array(texts, pa.string()))
    return plain


def _as_text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
