"""Import OpenVINO without its telemetry."""

from __future__ import annotations

import sys
from typing import Any

REPORTER = "openvino_telemetry"


def import_openvino() -> Any:
    """Import OpenVINO with its telemetry disabled.

    `import openvino` runs the package `openvino_telemetry`, which writes an ID to the user's home folder
    and sends it to www.google-analytics.com from a forked process. If that package cannot be imported,
    OpenVINO uses a stub instead.
    """
    sys.modules[REPORTER] = None  # type: ignore[assignment]
    import openvino

    return openvino
