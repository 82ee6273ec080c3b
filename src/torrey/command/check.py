"""``torrey check``: all that is wrong in a configuration, or what a run will do and cost."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Final

from torrey.base.memory import in_gigabytes
from torrey.command.text import columns, counted, paragraph, seconds
from torrey.config import Config
from torrey.workflow.costs import ROUGHNESS, Cell, Plan, plan
from torrey.workflow.opening import read_configuration
from torrey.workflow.places import program, snakefile_option
from torrey.workflow.recipes import Recipes
from torrey.workflow.targets import everything

#: What one entry of a section is called.
_NOUNS: Final = {
    "geometries": "geometry",
    "studies": "study",
    "figures": "figure",
    "tables": "table",
    "inversions": "inversion",
    "bloch": "Bloch run",
    "voxels": "voxel",
    "data": "set of data",
    "fits": "fit of data",
    "dictionaries": "dictionary",
    "designs": "design",
}


def run(arguments: argparse.Namespace) -> int:
    """Check the configuration files that are named, and say what will run.

    Raises
    ------
    ConfigError
        With all that is wrong.
    """
    files = [Path(file) for file in arguments.files]
    config = read_configuration(files)
    print(said(config, files))
    return 0


def said(config: Config, files: Sequence[Path]) -> str:
    """Return what is found in a configuration without faults, and what will run."""
    recipes = Recipes(config, program() / "workflow" / "scripts")
    parts = [f"{' '.join(map(str, files))}: nothing is wrong. It has {_contents(config)}."]
    parts += [paragraph(f"Note: {note}") for note in _notes(config)]
    targets = everything(recipes.layout)
    if not targets:
        parts.append("It asks for nothing: add a study, such as `torrey new` writes.")
    elif not (found := plan(recipes, targets)).jobs:
        parts.append("All that it asks for is there and up to date: nothing will run.")
    else:
        parts += [_jobs(found), *_costs(found), _next(files, config)]
    return "\n\n".join(parts)


def _contents(config: Config) -> str:
    found = [
        counted(len(entries), _NOUNS.get(field.name, field.name))
        for field in fields(config)
        if (entries := getattr(config, field.name))
    ]
    return (
        f"{', '.join(found[:-1])} and {found[-1]}"
        if len(found) > 1
        else "".join(found) or "nothing"
    )


def _notes(config: Config) -> Iterator[str]:
    for section in (config.studies, config.dictionaries, config.data, config.bloch):
        for name, entry in section.items():
            for note in entry.notes:
                yield f"{name}: {note}"
    asked = [name for name, figure in config.figures.items() if figure.on_request]
    if asked:
        yield f"drawn only where they are named, and not counted here: {', '.join(asked)}"


def _jobs(found: Plan) -> str:
    rows = [
        (
            f"{rule.jobs:,}",
            rule.rule,
            "?" if rule.seconds is None else seconds(rule.seconds),
            rule.about,
        )
        for rule in found.rules
    ]
    head = f"What is not there yet takes {counted(found.jobs, 'job')}, with seconds of one core:"
    return f"{head}\n{columns(rows)}"


def _costs(found: Plan) -> Iterator[str]:
    if found.cells:
        rows = [
            (
                name,
                f"{_rounded(cell.unknowns)} unknowns",
                f"{in_gigabytes(cell.bytes)} in a job{_finer(cell)}",
            )
            for name, cell in found.cells.items()
        ]
        yield f"Cells, on the finest mesh that is always made (estimates):\n{columns(rows)}"
    time, least, most = found.seconds, found.seconds / ROUGHNESS, found.seconds * ROUGHNESS
    text = (
        f"In all about {seconds(time)} of one core. This is a guess from measurements on another "
        f"machine: {seconds(least)} to {seconds(most)} would be no surprise, as the meshes and "
        "time steps that a tolerance needs are found only on the way. Jobs run beside each other: "
        f"with -j8 it takes an eighth of that at best. The largest job needs about "
        f"{in_gigabytes(found.bytes)} of memory."
    )
    if found.unknown:
        text += f" Not counted, as nothing is known beforehand: {', '.join(found.unknown)}."
    yield paragraph(text)


def _finer(cell: Cell) -> str:
    if cell.most <= cell.unknowns:
        return ""
    return f"; a small tolerance may ask for up to {_rounded(cell.most)} unknowns"


def _rounded(number: float) -> str:
    return f"{float(f'{number:.2g}'):,.0f}"


def _next(files: Sequence[Path], config: Config) -> str:
    own = any((config.studies, config.inversions, config.bloch, config.voxels, config.fits))
    asked = {
        "studies": own,
        "figures": config.figures or config.tables,
        "dictionaries": config.dictionaries,
        "designs": config.designs,
    }
    targets = " ".join(name for name, entries in asked.items() if entries)
    names = " ".join(map(str, files))
    return f"To run it:\n\n  snakemake -j8 {targets} {snakefile_option()}--configfile {names}"
