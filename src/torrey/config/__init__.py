"""The configuration: YAML files in, checked geometries, studies, figures and tables out."""

from torrey.config.domain import (
    BlochRun,
    Config,
    Design,
    Dictionary,
    FigureRequest,
    Geometry,
    Inversion,
    Study,
    TableRequest,
    Voxel,
)
from torrey.config.load import load
from torrey.config.problems import ConfigError, Problem

__all__ = [
    "BlochRun",
    "Config",
    "ConfigError",
    "Design",
    "Dictionary",
    "FigureRequest",
    "Geometry",
    "Inversion",
    "Problem",
    "Study",
    "TableRequest",
    "Voxel",
    "load",
]
