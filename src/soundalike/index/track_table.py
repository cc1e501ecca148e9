"""The table of an index's tracks, read by column.

Pages that show a stored list need a few columns, which Arrow reads by itself. pandas, whose import takes
longer than reading the table, is loaded once somebody asks for the whole as a DataFrame.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
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


class TrackTable:
    """The tracks of an index, one per row.

    Parameters
    ----------
    source : the table as it is stored
    texts : columns in place of the stored ones
    """

    def __init__(self, source: pa.Table, texts: Mapping[str, list[str]]) -> None:
        self._source = source
        self._texts = dict(texts)
        self._stored: dict[str, list[Any]] = {}

    @classmethod
    def of(cls, frame: pd.DataFrame) -> TrackTable:
        """A table as it is in a DataFrame."""
        import pyarrow as pa

        return cls(pa.Table.from_pandas(frame, preserve_index=False), {})

    @classmethod
    def normalised(cls, source: pa.Table) -> TrackTable:
        """A stored table with its ids as text, all of `TEXTS`, and files' names as missing titles."""
        there = source.column_names
        texts = {
            name: [_one_line(value) for value in source[name].to_pylist()]
            if name in there
            else [""] * source.num_rows
            for name in TEXTS
        }
        files = source["file"].to_pylist()
        texts["title"] = [
            title or PurePosixPath(str(file)).stem
            for title, file in zip(texts["title"], files, strict=True)
        ]
        return cls(source, {ID: [str(value) for value in source[ID].to_pylist()], **texts})

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

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The whole table."""
        import pandas as pd

        frame: pd.DataFrame = self._source.to_pandas()
        for name, values in self._texts.items():
            frame[name] = pd.Series(values, frame.index, dtype="str")
        return frame


def is_missing(value: object) -> bool:
    """Whether a value of a column is missing: None, or NaN."""
    return value is None or value != value


def _one_line(value: object) -> str:
    return "" if is_missing(value) else " ".join(str(value).split())
