"""A good configuration to be edited, and how the tests read it."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from torrey.config import Config, load

GOOD = """\
geometries:
  tissue:
    kind: discs
    cells:
      - {center: [0.30, 0.35], radius: 0.21}
      - {center: [0.72, 0.66], radius: 0.17}
    interior: water
    mesh: {size: 0.05}
  stones: {kind: discs, cells: [{center: [0.5, 0.5], radius: 0.3}], interior: obstacle}
  layers: {kind: layers, thicknesses: [0.6, 0.4]}
studies:
  mine:
    geometry: tissue
    diffusivity: {outside: 2.5e-3 mm^2/s, inside: 1.2e-3 mm^2/s}
    period: [6 um, 12 um]
    permeability: [8e-5 m/s]
    waveform: {kind: pgse, delta: [4 ms], Delta: [12 ms, 20 ms]}
    b: [0.5 ms/um^2, 1000 s/mm^2]
    directions: [[1, 0]]
    models: [reference, R0, R2]
    tolerance: 1e-5
figures:
  picture: {geometries: [tissue]}
  plot: {studies: [mine]}
"""


# Of a diffusivity, in two units.
TENSOR = '[["1.5 um^2/ms", "-2e-4 mm^2/s"], ["-0.2 um^2/ms", "1 um^2/ms"]]'

B_VALUES = "b: [0.5 ms/um^2, 1000 s/mm^2]"


def line_of(text: str, start: str) -> int:
    (number,) = [i for i, line in enumerate(text.splitlines(), 1) if line.strip().startswith(start)]
    return number


def edited(old: str, new: str) -> str:
    assert GOOD.count(old) == 1, f"{old!r} must stand once in the good file"
    return GOOD.replace(old, new)


def load_texts(directory: Path, *texts: str) -> Config:
    """Load the texts as the files mine.yaml, more.yaml, ... of a directory."""
    files = [directory / name for name in ("mine.yaml", "more.yaml")[: len(texts)]]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, encoding="utf-8")
    return load(files)


class Yaml12Loader(yaml.SafeLoader):
    """Reads 1e-5 as a number, as editors do."""


Yaml12Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+$"), list("+-0123456789")
)
