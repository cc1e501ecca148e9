"""What runs the networks: OpenVINO, or TensorFlow where that is not installed or not wanted.

A network is its weights and two descriptions of the same layers, a graph of OpenVINO's and a model of
Keras's. OpenVINO (Apache 2.0) is a sixth of TensorFlow's size, is imported in a fraction of a second,
and computes in bfloat16 on processors that multiply it in hardware: about a fifth of the time that
float32 takes. Training is always TensorFlow's.

`$SOUNDALIKE_RUNTIME` chooses: `auto` (the default), `openvino`, `openvino-f32` or `tensorflow`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from soundalike import system, threads
from soundalike.errors import ModelError
from soundalike.models.openvino_import import import_openvino
from soundalike.models.tensorflow_import import import_tensorflow

if TYPE_CHECKING:
    import keras
    import openvino

VARIABLE = "SOUNDALIKE_RUNTIME"
OPENVINO, OPENVINO_F32, TENSORFLOW = "openvino", "openvino-f32", "tensorflow"
CHOICES = ("auto", OPENVINO, OPENVINO_F32, TENSORFLOW)
KEPT_SHAPES = 4
"""Input shapes that a network stays compiled for; the one not used for longest gives way."""

_aside: Executor | None = None


def name() -> str:
    """The runtime that networks loaded from now on run on.

    Raises
    ------
    ModelError
        If `$SOUNDALIKE_RUNTIME` names none, or one that does not run here.
    """
    wanted = os.environ.get(VARIABLE, "auto")
    if wanted not in CHOICES:
        raise ModelError(f"{VARIABLE} is {wanted!r}; please set it to one of: {', '.join(CHOICES)}.")
    if wanted == "auto":
        return OPENVINO if _has_openvino() else TENSORFLOW
    if wanted != TENSORFLOW and not _has_openvino():
        raise ModelError(
            f"{VARIABLE} asks for OpenVINO, which does not run here; please install it with `pip "
            f"install openvino`, or set {VARIABLE} to {TENSORFLOW}."
        )
    return wanted


def precision() -> str:
    """What OpenVINO computes large networks in: "bf16" where the processor multiplies it, or "f32"."""
    return "bf16" if name() == OPENVINO and "BF16" in _capabilities() else "f32"


def lower_priority() -> None:
    """Let networks have what others leave of the processors, from now on; for a server of pages.

    Then all passes run in one thread, whatever asks for them.
    """
    global _aside
    if _aside is None:
        _aside = ThreadPoolExecutor(1, "networks", system.lower_priority)


class Network:
    """A network that is ready to call; safe to share between threads (one pass runs at a time).

    Parameters
    ----------
    shape : of its input; None where that differs from call to call
    graph : makes the network as OpenVINO's graph, for an input of such a shape (-1 for any batch)
    model : makes it as Keras's model, weights and all
    tolerant : whether bfloat16's two to three digits will do, where the processor has it
    """

    def __init__(
        self,
        shape: tuple[int | None, ...],
        graph: Callable[[tuple[int, ...]], openvino.Model],
        model: Callable[[], keras.Model],
        tolerant: bool = False,
    ) -> None:
        self._lock = threading.Lock()
        if name() == TENSORFLOW:
            self._run = _traced(shape, model)
        else:
            self._run = _compiled(shape, graph, precision() if tolerant else "f32")

    def __call__(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """All outputs for a batch, as float32 arrays of their own."""
        given = np.ascontiguousarray(batch, np.float32)
        with self._lock:
            count = threads.of_networks()
            return _aside.submit(self._run, given, count).result() if _aside else self._run(given, count)


_Run = Callable[[NDArray[np.float32], int], tuple[NDArray[np.float32], ...]]
"""Runs a network with so many threads; 0 for all processors."""


def _traced(shape: tuple[int | None, ...], model: Callable[[], keras.Model]) -> _Run:
    import_tensorflow()
    import tensorflow as tf

    _limit_tensorflow(threads.of_networks())
    network = model()
    call = tf.function(
        lambda batch: network(batch, training=False),
        input_signature=[tf.TensorSpec(shape, tf.float32)],
    )

    def run(batch: NDArray[np.float32], count: int) -> tuple[NDArray[np.float32], ...]:
        outputs = call(batch)
        several = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        return tuple(np.asarray(output) for output in several)

    return run


def _limit_tensorflow(count: int) -> None:
    """Let TensorFlow use so many threads, which only the first network of a process can settle."""
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(count)
    except RuntimeError:
        return


def _compiled(
    shape: tuple[int | None, ...], graph: Callable[[tuple[int, ...]], openvino.Model], kind: str
) -> _Run:
    options = {
        "INFERENCE_PRECISION_HINT": kind,
        "PERFORMANCE_HINT": "LATENCY",
    }

    @lru_cache(maxsize=KEPT_SHAPES)
    def request(given: tuple[int, ...], count: int) -> Any:
        own = options | {"INFERENCE_NUM_THREADS": count}
        return _core().compile_model(graph(given), "CPU", own).create_infer_request()

    def run(batch: NDArray[np.float32], count: int) -> tuple[NDArray[np.float32], ...]:
        size = -1 if shape[0] is None else shape[0]
        outputs = request((size, *batch.shape[1:]), count).infer([batch], share_inputs=True)
        return tuple(np.array(output, np.float32) for output in outputs.values())

    return run


@lru_cache(maxsize=1)
def _has_openvino() -> bool:
    """Whether OpenVINO is installed, is for this system, and knows the processor."""
    try:
        return "CPU" in _core().available_devices
    except (ImportError, OSError, RuntimeError):
        return False


@lru_cache(maxsize=1)
def _core() -> Any:
    return import_openvino().Core()


@lru_cache(maxsize=1)
def _capabilities() -> tuple[str, ...]:
    return tuple(_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
