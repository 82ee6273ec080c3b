"""From files to the domain: reading, merging, and the checks of figures and tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from torrey.base.budgets import MOST_ENTRIES, MOST_REPEATS, quoted, repeated_end
from torrey.config.bloch import read_bloch
from torrey.config.data import read_data
from torrey.config.data_fits import is_data_fit, read_data_fit
from torrey.config.designs import read_design
from torrey.config.dictionaries import read_dictionary
from torrey.config.domain import Config, FigureRequest, Geometry, Study, TableRequest
from torrey.config.exchange_fits import is_exchange_fit, read_exchange_fit
from torrey.config.figure_models import FigureModel, TableModel
from torrey.config.findings import Findings
from torrey.config.geometries import read_geometry
from torrey.config.inversions import read_inversion
from torrey.config.models import NAME_PATTERN, FileModel
from torrey.config.nodes import Node, merge_entries, read_yaml
from torrey.config.own_figures import read_own_figure
from torrey.config.problems import ConfigError, Problem
from torrey.config.studies import read_study
from torrey.config.voxels import read_voxel

E = TypeVar("E")

SECTIONS = tuple(FileModel.model_fields)


def load(files: Sequence[Path]) -> Config:
    """Read and check configuration files.

    Parameters
    ----------
    files : sequence of Path
        YAML files. They merge entry by entry of `geometries`, `studies`, `inversions`, `figures`,
        `tables` and the other sections; a later entry of the same name replaces an earlier one.

    Raises
    ------
    ConfigError
        If anything is wrong: all problems are listed, each with its file, line and key, what was
        found and what is accepted.
    """
    findings = Findings(read_files(files))
    geometries = _entries(findings, "geometries", read_geometry)
    studies = _entries(findings, "studies", partial(read_study, geometries=geometries))
    dictionaries = _entries(
        findings, "dictionaries", partial(read_dictionary, geometries=geometries)
    )
    data = _entries(findings, "data", read_data)
    inversions, fits = {}, {}
    for name in _names(findings, "inversions"):
        if is_data_fit(findings, name):
            if fit := read_data_fit(findings, name, data, studies):
                fits[name] = fit
        elif is_exchange_fit(findings, name):
            if exchange := read_exchange_fit(findings, name, studies):
                inversions[name] = exchange
        elif inversion := read_inversion(findings, name, studies):
            inversions[name] = inversion
    bloch = _entries(findings, "bloch", partial(read_bloch, geometries=geometries))
    voxels = _entries(findings, "voxels", partial(read_voxel, geometries=geometries))
    designs = _entries(findings, "designs", partial(read_design, studies=studies))
    figures = _entries(
        findings, "figures", partial(_figure, geometries=geometries, studies=studies)
    )
    tables = _entries(findings, "tables", _table)
    if findings.problems:
        raise ConfigError(findings.problems)
    return Config(
        geometries,
        studies,
        figures,
        tables,
        inversions,
        bloch,
        voxels,
        data,
        fits,
        dictionaries,
        designs,
    )


def _entries(
    findings: Findings, section: str, read: Callable[[Findings, str], E | None]
) -> dict[str, E]:
    """Entries of a section by name, without those that have problems."""
    found = {name: read(findings, name) for name in _names(findings, section)}
    return {name: entry for name, entry in found.items() if entry is not None}


def read_files(files: Sequence[Path]) -> Node:
    """Read and merge the files, whose sections must be mappings.

    Raises
    ------
    ConfigError
        If one of them cannot be read, is no YAML or has other sections.
    """
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
    if len(names) > MOST_ENTRIES:
        findings.add((section,), f"{len(names)} entries", f"at most {MOST_ENTRIES}")
        return ()
    for name in names:
        found = f"the name {quoted(name)}"
        if not re.fullmatch(NAME_PATTERN, name):
            findings.add((section, name), found, "letters, digits, _ and - in a name")
        elif end := repeated_end(name):
            accepted = f'at most {MOST_REPEATS} of "{end}" at the end: Snakemake refuses more'
            findings.add((section, name), found, accepted)
    return names


def _figure(
    findings: Findings,
    name: str,
    geometries: Mapping[str, Geometry],
    studies: Mapping[str, Study],
) -> FigureRequest | None:
    path = ("figures", name)
    if "kind" in findings.keys(path):
        return read_own_figure(findings, name, geometries, studies)
    model = findings.validate(path, FigureModel)
    if model is None:
        return None
    entries = {
        "geometries": model.geometries,
        "studies": model.studies,
        "inversions": model.inversions,
        "bloch": model.bloch,
        "voxels": model.voxels,
    }
    _check_entries(findings, path, entries)
    for i, fit in enumerate(model.fits):
        findings.require_entry((*path, "fits", i), fit, "inversions")
    shown: dict[str, Any] = {section: tuple(names) for section, names in entries.items()}
    return FigureRequest(name, **shown, fits=tuple(model.fits), on_request=model.on_request)


def _table(findings: Findings, name: str) -> TableRequest | None:
    path = ("tables", name)
    model = findings.validate(path, TableModel)
    if model is None:
        return None
    entries = {
        "geometries": model.geometries,
        "studies": model.studies,
        "inversions": model.inversions,
    }
    _check_entries(findings, path, entries)
    return TableRequest(name, **{section: tuple(shown) for section, shown in entries.items()})


def _check_entries(
    findings: Findings, path: tuple[str, str], entries: Mapping[str, list[str]]
) -> None:
    """Note what is not one list of entries that exist."""
    given = [section for section, shown in entries.items() if shown]
    if len(given) != 1:
        found = " and ".join(given) or "nothing to show"
        *some, last = entries
        findings.add(
            path,
            f"both {found}" if len(given) == 2 else found,
            f"a list of either {', '.join(some)} or {last}",
        )
    for section, shown in entries.items():
        for i, entry in enumerate(shown):
            findings.require_entry((*path, section, i), entry, section)
