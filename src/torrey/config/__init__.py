"""The configuration: YAML files in, checked geometries, studies and figures out."""

from torrey.config.domain import Config, Figure, Geometry, Study
from torrey.config.load import load
from torrey.config.problems import ConfigError, Problem

__all__ = [
    "Config",
    "ConfigError",
    "Figure",
    "Geometry",
    "Problem",
    "Study",
    "load",
]
