"""A network that remembers what it answered, for tests that ask it about one picture again and again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

Network = Callable[[np.ndarray], np.ndarray]

_answers: WeakKeyDictionary[Any, dict[tuple[Any, ...], np.ndarray]] = WeakKeyDictionary()


def remembering(network: Network) -> Network:
    """The same network, which computes each picture once."""
    answers = _answers.setdefault(network, {})

    def ask(picture: np.ndarray) -> np.ndarray:
        content = hashlib.sha256(np.ascontiguousarray(picture).data).hexdigest()
        key = picture.shape, picture.dtype.str, content
        if key not in answers:
            answers[key] = network(picture)
        return answers[key].copy()

    return ask
