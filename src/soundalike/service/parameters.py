"""The parameters of requests: one description from which they are validated and documented."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soundalike.service import problems
from soundalike.service.problems import (
    INVALID,
    UNKNOWN_REPRESENTATION,
    UNKNOWN_TRACK,
    Kind,
    ProblemError,
)

QUERY, PATH = "query", "path"
_MOST_FAULTS, _LONGEST_NAME = 20, 100
"""Faults of one request that are named, and characters of a name."""
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]{1,9}(\.[0-9]{0,20})?|\.[0-9]{1,20})([eE][+-]?[0-9]{1,3})?", re.ASCII)


class InvalidError(Exception):
    """A value that a parameter does not take; the message says what it takes.

    Attributes
    ----------
    kind : the problem that this is
    """

    def __init__(self, message: str, kind: Kind = INVALID) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Parameter(ABC):
    """A parameter in a request's address.

    Attributes
    ----------
    name, description : as documented
    where : `QUERY` or `PATH`
    required : whether a request has to have it
    default : its value in requests without it
    most : how often it may be given; if more than once, its value is a tuple
    example : a value, as documented
    """

    name: str
    description: str
    where: str = QUERY
    required: bool = False
    default: Any = None
    most: int = 1
    example: Any = None

    @abstractmethod
    def one(self) -> dict[str, Any]:
        """JSON schema of one value."""

    @abstractmethod
    def parse(self, text: str) -> Any:
        """The value that a text stands for; raises `InvalidError`."""

    def schema(self) -> dict[str, Any]:
        """JSON schema of the value."""
        if self.most > 1:
            return {"type": "array", "items": self.one(), "maxItems": self.most}
        return self.one() | ({} if self.default is None else {"default": self.default})

    def read(self, texts: Sequence[str]) -> Any:
        """The value, from all that a request says under this name.

        Raises
        ------
        InvalidError
            If the request lacks it, or says something that it does not take.
        """
        if not texts and self.required:
            raise InvalidError(f"`{self.name}` is missing: give {self._described}")
        if len(texts) > self.most:
            times = "once" if self.most == 1 else f"{self.most} times at most"
            raise InvalidError(f"Give `{self.name}` {times}.")
        values = tuple(self.parse(text) for text in texts)
        if self.most > 1:
            return values
        return values[0] if values else self.default

    @property
    def _described(self) -> str:
        return self.description[:1].lower() + self.description[1:]

    def document(self) -> dict[str, Any]:
        """The parameter in an OpenAPI document."""
        return {
            "name": self.name,
            "in": self.where,
            "description": self.description,
            "required": self.required,
            "schema": self.schema(),
            **({} if self.example is None else {"example": self.example}),
        }


@dataclass(frozen=True)
class Integer(Parameter):
    """A whole number from `low` to `high`."""

    low: int = 0
    high: int = 0

    def one(self) -> dict[str, Any]:
        """JSON schema of one value."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}

    def parse(self, text: str) -> int:
        """The number that a text stands for."""
        if _INTEGER.fullmatch(text) and self.low <= (value := int(text)) <= self.high:
            return value
        raise InvalidError(
            f"Give `{self.name}` as a whole number from {self.low} to {self.high}, "
            f"not {problems.quoted(text)}."
        )


@dataclass(frozen=True)
class Number(Parameter):
    """A number from `low` to `high`."""

    low: float = 0.0
    high: float = 0.0

    def one(self) -> dict[str, Any]:
        """JSON schema of one value."""
        return {"type": "number", "minimum": self.low, "maximum": self.high}

    def parse(self, text: str) -> float:
        """The number that a text stands for."""
        value = float(text) if _NUMBER.fullmatch(text) else math.nan
        if self.low <= value <= self.high:
            return value
        raise InvalidError(
            f"Give `{self.name}` as a number from {self.low:g} to {self.high:g}, "
            f"not {problems.quoted(text)}."
        )


@dataclass(frozen=True)
class Text(Parameter):
    """A text of up to `longest` characters, with something in it."""

    longest: int = 300

    def one(self) -> dict[str, Any]:
        """JSON schema of one value."""
        return {"type": "string", "minLength": 1, "maxLength": self.longest, "pattern": r"\S"}

    def parse(self, text: str) -> str:
        """The text itself."""
        if not text.strip():
            raise InvalidError(f"`{self.name}` is empty: give {self._described}")
        if len(text) > self.longest:
            raise InvalidError(f"Shorten `{self.name}` to {self.longest} characters.")
        return text


@dataclass(frozen=True)
class Choice(Parameter):
    """The name of one of several representations."""

    options: tuple[str, ...] = ()

    def one(self) -> dict[str, Any]:
        """JSON schema of one value."""
        return {"type": "string", "enum": list(self.options)}

    def parse(self, text: str) -> str:
        """The name itself."""
        if text in self.options:
            return text
        raise InvalidError(
            f"Choose `{self.name}` from {', '.join(self.options)}. "
            f"{problems.quoted(text)} is none of them.",
            UNKNOWN_REPRESENTATION,
        )


@dataclass(frozen=True)
class Track(Parameter):
    """The ID of a track that the library has."""

    is_known: Callable[[object], bool] = bool

    def one(self) -> dict[str, Any]:
        """JSON schema of one value."""
        return {"type": "string", "minLength": 1}

    def parse(self, text: str) -> str:
        """The ID itself."""
        if self.is_known(text):
            return text
        raise InvalidError(
            f"There is no track {problems.quoted(text)} in this library. "
            f"Give `{self.name}` as a track_id from an answer of this API.",
            UNKNOWN_TRACK,
        )


def read(
    parameters: Sequence[Parameter], query: Iterable[tuple[str, str]], path: Mapping[str, str]
) -> dict[str, Any]:
    """The values of all parameters of a request.

    Parameters
    ----------
    parameters : those that it may have
    query : names and values in the address, in their order
    path : values in the path

    Raises
    ------
    ProblemError
        If any is wrong, missing or unknown; it names each of them.
    """
    given: dict[str, list[str]] = {}
    for name, text in query:
        given.setdefault(name, []).append(text)
    faults: list[dict[str, str]] = []
    kinds: set[Kind] = set()
    values: dict[str, Any] = {}
    for parameter in parameters:
        texts = [path[parameter.name]] if parameter.where == PATH else given.pop(parameter.name, [])
        try:
            values[parameter.name] = parameter.read(texts)
        except InvalidError as error:
            faults.append({"name": parameter.name, "detail": str(error)})
            kinds.add(error.kind)
    taken = ", ".join(parameter.name for parameter in parameters if parameter.where == QUERY)
    for name in given:
        advice = f"Choose from {taken}" if taken else "This address takes none"
        detail = f"There is no parameter {problems.quoted(name)} here. {advice}."
        faults.append({"name": name[:_LONGEST_NAME], "detail": detail})
        kinds.add(INVALID)
    if faults:
        faults = faults[:_MOST_FAULTS]
        kind = kinds.pop() if len(kinds) == 1 else INVALID
        detail = " ".join(dict.fromkeys(fault["detail"] for fault in faults))
        raise ProblemError(kind, detail, parameters=faults)
    return values


def wrong(name: str, detail: str) -> ProblemError:
    """The problem of one parameter that is wrong for another reason than its form."""
    return ProblemError(INVALID, detail, parameters=[{"name": name, "detail": detail}])
