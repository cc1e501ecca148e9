"""Inference runtimes: OpenVINO, or TensorFlow if OpenVINO is not installed or not wanted.

A network consists of its weights and two definitions of the same layers, an OpenVINO graph and a Keras
model. OpenVINO (Apache 2.0) is a sixth of TensorFlow's size, imports in a fraction of a second, and
computes in bfloat16 on processors with hardware support, which takes about a fifth of the time of
float32. Training always uses TensorFlow.

`$SOUNDALIKE_RUNTIME` chooses: `auto` (the default), `openvino`, `openvino-f32` or `tensorflow`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from soundalike import system, threads
from soundalike.errors import ModelError
from soundalike.models.openvino_import import import_openvino
from soundalike.models.tensorflow_import import import_tensorflow

if TYPE_CHECKING:
    import keras
    import openvino

T = TypeVar("T")

VARIABLE = "SOUNDALIKE_RUNTIME"
OPENVINO, OPENVINO_F32, TENSORFLOW = "openvino", "openvino-f32", "tensorflow"
CHOICES = ("auto", OPENVINO, OPENVINO_F32, TENSORFLOW)
KEPT_SHAPES = 4
"""Number of input shapes for which a compiled network is cached; the least recently used is evicted."""

_background: Executor | None = None


def name() -> str:
    """Name of the runtime for networks loaded from now on.

    Raises
    ------
    ModelError
        If `$SOUNDALIKE_RUNTIME` is not a runtime, or one that is not available here.
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
    """OpenVINO's precision for large networks: "bf16" with hardware support, or "f32"."""
    return "bf16" if name() == OPENVINO and "BF16" in _capabilities() else "f32"


def lower_priority() -> None:
    """Run networks at a lower priority from now on, to keep a server's pages responsive.

    All passes then run in a single background thread.
    """
    global _background
    if _background is None:
        _background = ThreadPoolExecutor(1, "networks", system.lower_priority)


class Network:
    """A network that is ready to call; safe to share between threads (one pass runs at a time).

    Parameters
    ----------
    shape : shape of the input, with None for variable dimensions
    read : reads the network's weights; called now, and again for each size of input that OpenVINO
        compiles, so that they needn't be kept
    graph : builds the network with its weights as an OpenVINO graph for a given input shape (-1 for any
        batch size)
    model : builds the network with its weights as a Keras model
    tolerant : whether bfloat16's precision of two to three digits is sufficient
    one_by_one : whether OpenVINO runs the inputs of a batch one after the other, which needs less memory
        for what lies between the layers: it is reused if the size is fixed
    seldom : whether that memory is returned to the system after each pass in the background, which makes
        the next one a twentieth slower
    """

    def __init__(
        self,
        shape: tuple[int | None, ...],
        read: Callable[[], T],
        graph: Callable[[T, tuple[int, ...]], openvino.Model],
        model: Callable[[T], keras.Model],
        tolerant: bool = False,
        one_by_one: bool = False,
        seldom: bool = False,
    ) -> None:
        self._lock = threading.Lock()
        if name() == TENSORFLOW:
            self._run = _tensorflow_runner(shape, partial(model, read()))
        else:
            kind = precision() if tolerant else "f32"
            # Weights that are missing or damaged are an error now.
            read()
            compiled = (1, *shape[1:]) if one_by_one else shape
            run = _openvino_runner(compiled, lambda inputs: graph(read(), inputs), kind, seldom)
            self._run = partial(_one_by_one, run) if one_by_one else run

    def __call__(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """Run a batch and return copies of all outputs, as float32."""
        inputs = np.ascontiguousarray(batch, np.float32)
        with self._lock:
            count = threads.of_networks()
            return (
                _background.submit(self._run, inputs, count).result()
                if _background
                else self._run(inputs, count)
            )


_Run = Callable[[NDArray[np.float32], int], tuple[NDArray[np.float32], ...]]
"""Runs a network on a batch with the given number of threads; 0 for all processors."""


def _tensorflow_runner(shape: tuple[int | None, ...], model: Callable[[], keras.Model]) -> _Run:
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
        all_outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        return tuple(np.asarray(output) for output in all_outputs)

    return run


def _limit_tensorflow(count: int) -> None:
    """Set TensorFlow's number of threads, which only the first network of a process can do."""
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(count)
    except RuntimeError:
        return


def _openvino_runner(
    shape: tuple[int | None, ...],
    graph: Callable[[tuple[int, ...]], openvino.Model],
    kind: str,
    seldom: bool,
) -> _Run:
    options = {
        "INFERENCE_PRECISION_HINT": kind,
        "PERFORMANCE_HINT": "LATENCY",
        # A pinned thread is on the first processor in each of several processes.
        "ENABLE_CPU_PINNING": False,
    }

    @lru_cache(maxsize=KEPT_SHAPES)
    def request(inputs: tuple[int, ...], count: int) -> Any:
        settings = options | {"INFERENCE_NUM_THREADS": count}
        return _core().compile_model(graph(inputs), "CPU", settings).create_infer_request()

    def run(batch: NDArray[np.float32], count: int) -> tuple[NDArray[np.float32], ...]:
        size = -1 if shape[0] is None else shape[0]
        network = request((size, *batch.shape[1:]), count)
        found = network.infer([batch], share_inputs=True)
        outputs = tuple(np.array(output, np.float32) for output in found.values())
        if seldom and _background:
            network.get_compiled_model().release_memory()
        return outputs

    return run


def _one_by_one(run: _Run, batch: NDArray[np.float32], count: int) -> tuple[NDArray[np.float32], ...]:
    """Run each input of a batch alone, and join the outputs."""
    parts = [run(batch[i : i + 1], count) for i in range(len(batch))]
    return tuple(np.concatenate(outputs) for outputs in zip(*parts, strict=True))


@lru_cache(maxsize=1)
def _has_openvino() -> bool:
    """Whether OpenVINO is installed and supports this system and processor."""
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
