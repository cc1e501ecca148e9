"""Build hook: what lies outside of `src` goes into a wheel too, but into no editable installation."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AppHook(BuildHookInterface[Any]):
    """Maps the files of `[tool.hatch.build.targets.wheel.hooks.custom.files]` into the package."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds."""
        if version == "standard":
            build_data["force_include"].update(self.config["files"])
