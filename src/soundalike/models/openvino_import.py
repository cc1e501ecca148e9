"""OpenVINO's import, without the report that it sends of itself."""

from __future__ import annotations

import sys
from typing import Any

REPORTER = "openvino_telemetry"


def import_openvino() -> Any:
    """OpenVINO, kept from telling anybody that it is used.

    `import openvino` alone starts the package `openvino_telemetry`, which writes an ID into the user's
    home and sends it to www.google-analytics.com from a forked process. Where that package cannot be
    imported, OpenVINO uses a stub in its place.
    """
    sys.modules[REPORTER] = None  # type: ignore[assignment]
    import openvino

    return openvino
