"""From files to the domain: reading, merging, and the checks of geometries and figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from torrey.config.domain import Config, Figure, Geometry
from torrey.config.findings import Findings
from torrey.config.models import NAME_PATTERN, AnyGeometry, DiscsModel, FigureModel, FileModel
from torrey.config.nodes import Node, merge_entries, read_yaml
from torrey.config.problems import ConfigError, Problem
from torrey.config.studies import read_study
from torrey.geometry.shapes import Disc, Discs, Layers, MeshOptions, Shape

SECTIONS = tuple(FileModel.model_fields)


def load(files: Sequence[Path]) -> Config:
    """Read and check configuration files.

    Parameters
    ----------
    files : sequence of Path
        YAML files. They merge entry by entry of `geometries`, `studies` and `figures`; a later
        entry of the same name replaces an earlier one.

    Raises
    ------
    ConfigError
        If anything is wrong: all problems are listed, each with its file, line and key, what was
        found and what is accepted.
    """
    findings = Findings(_read(files))
    geometries: dict[str, Geometry] = {}
    studies = {}
    figures = {}
    for name in _names(findings, "geometries"):
        if geometry := _geometry(findings, name):
            geometries[name] = geometry
    for name in _names(findings, "studies"):
        if study := read_study(findings, name, geometries):
            studies[name] = study
    for name in _names(findings, "figures"):
        if figure := _figure(findings, name):
            figures[name] = figure
    if findings.problems:
        raise ConfigError(findings.problems)
    return Config(geometries, studies, figures)


def _read(files: Sequence[Path]) -> Node:
    """Read and merge the files, whose sections must be mappings."""
    if not files:
        raise ConfigError([Problem("configuration", 0, (), "no file", "at least one YAML file")])
    problems: list[Problem] = []
    roots: list[Node] = []
    for file in files:
        try:
            roots.append(_check_sections(read_yaml(Path(file)), problems))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return merge_entries(roots)


def _check_sections(root: Node, problems: list[Problem]) -> Node:
    """Keep the sections that are mappings; a section without entries may be left empty."""
    findings = Findings(root, problems)
    if not isinstance(root.content, dict):
        findings.add((), root.describe(), f"a mapping with the keys {', '.join(SECTIONS)}")
        return Node({}, root.file, root.line)
    sections = {}
    for name, node in root.content.items():
        if name not in SECTIONS:
            findings.add_unknown_key((name,), SECTIONS)
        elif isinstance(node.content, dict):
            sections[name] = node
        elif node.content is not None:
            findings.add((name,), node.describe(), f"a mapping from names to {name}")
    return Node(sections, root.file, root.line)


def _names(findings: Findings, section: str) -> Sequence[str]:
    names = findings.keys((section,))
    for name in names:
        if not re.fullmatch(NAME_PATTERN, name):
            findings.add(
                (section, name), f'the name "{name}"', "letters, digits, _ and - in a name"
            )
    return names


def _geometry(findings: Findings, name: str) -> Geometry | None:
    path = ("geometries", name)
    before = len(findings.problems)
    model = findings.validate(path, AnyGeometry)
    if model is None:
        return None
    mesh = MeshOptions()
    shape: Shape | None = None
    with findings.under(*path, "mesh"):
        mesh = MeshOptions(model.mesh.size, model.mesh.refinements)
    with findings.under(*path):
        if isinstance(model, DiscsModel):
            shape = _discs(findings, name, model)
        else:
            shape = Layers(tuple(model.thicknesses), model.dimension)
    return Geometry(name, shape, mesh) if shape and len(findings.problems) == before else None


def _discs(findings: Findings, name: str, model: DiscsModel) -> Discs | None:
    cells = []
    for i, cell in enumerate(model.cells):
        with findings.under("geometries", name, "cells", i):
            x, y = cell.center
            cells.append(Disc((x, y), cell.radius))
    return Discs(tuple(cells), model.interior) if len(cells) == len(model.cells) else None


def _figure(findings: Findings, name: str) -> Figure | None:
    path = ("figures", name)
    model = findings.validate(path, FigureModel)
    if model is None:
        return None
    entries: Mapping[str, list[str]] = {"geometries": model.geometries, "studies": model.studies}
    if all(entries.values()) or not any(entries.values()):
        found = "both geometries and studies" if all(entries.values()) else "nothing to show"
        findings.add(path, found, "a list of either geometries or studies")
    for section, shown in entries.items():
        for i, entry in enumerate(shown):
            findings.require_entry((*path, section, i), entry, section)
    return Figure(name, tuple(model.geometries), tuple(model.studies))
