"""The configuration: YAML files in, checked geometries, studies, figures and tables out."""

from torrey.config.domain import BlochRun, Config, Figure, Geometry, Inversion, Study, Table
from torrey.config.load import load
from torrey.config.problems import ConfigError, Problem

__all__ = [
    "BlochRun",
    "Config",
    "ConfigError",
    "Figure",
    "Geometry",
    "Inversion",
    "Problem",
    "Study",
    "Table",
    "load",
]
