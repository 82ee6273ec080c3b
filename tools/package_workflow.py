"""Puts the workflow into the wheel, beside the library: rules and library must be of one commit.

hatchling calls it (pyproject.toml). A clone, where the library is installed editable, has both as
they are.
"""

from __future__ import annotations

from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PARTS: Final = ("Snakefile", "environment.yml", "workflow", "profiles", "config")
FOLDER: Final = "torrey/snakemake_files"
"""As `torrey.workflow.places` names it."""


class PackageWorkflow(BuildHookInterface[Any]):
    """Adds the files of the workflow to a wheel that is installed for good."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add them, unless the wheel only points to a clone."""
        if version == "standard":
            build_data["force_include"].update({part: f"{FOLDER}/{part}" for part in PARTS})
