"""A commented configuration of one study, from the few values that tell studies apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.command.examples import TIMES, waveform
from torrey.gradients.waveforms import KINDS

#: Geometries that a few numbers describe: dimension, and the lines after the kind.
CELLS: Final[Mapping[str, int]] = {"discs": 2, "spheres": 3, "layers": 1, "packing": 2}


#: Column of the comments.
_COMMENTS: Final = 52


@dataclass(frozen=True)
class Choice:
    """What a study is to be, in the words of whoever asks for it.

    Lists are swept. What is empty has a value that depends on the cell.
    """

    name: str = "mine"
    cell: str = "discs"
    radius: str = "0.3"
    outside: str = "3e-3 mm^2/s"
    inside: str = "1.7e-3 mm^2/s"
    period: Sequence[str] = ("10 um",)
    permeability: Sequence[str] = ("5e-5 m/s",)
    waveform: str = "pgse"
    times: Mapping[str, str] = field(default_factory=dict)
    b: Sequence[str] = ("0 s/mm^2", "500 s/mm^2", "1000 s/mm^2", "2000 s/mm^2", "3000 s/mm^2")
    directions: Sequence[str] = ()
    models: Sequence[str] = ("R0", "R2")
    tolerance: str = "1e-3"


def configuration(choice: Choice) -> str:
    """Return the text of a configuration.

    Parameters
    ----------
    choice : Choice
        Values are written as they are; the configuration is checked when it is read.

    Raises
    ------
    InputError
        If there is no such cell, waveform or parameter of the waveform.
    """
    if choice.cell not in CELLS:
        accepted = (
            f"{', '.join(CELLS)}; more kinds, as `torrey kinds geometries` lists them, in the file"
        )
        raise InputError(quoted(choice.cell), accepted, at=("--cell",))
    lines = [
        "# Read by the workflow. All keys: docs/configuration.md. What will run, and about how",
        "# long it takes: torrey check FILE.",
        "",
        "geometries:",
        "  # One period of the tissue; lengths in it are in units of that period.",
        f"  {choice.name}_cell:",
        *(f"    {_aligned(line)}" for line in _cell(choice)),
        "",
        "studies:",
        "  # All combinations of the lists below, by each of the models. Every value has its unit.",
        f"  {choice.name}:",
        *(f"    {_aligned(line)}" for line in _study(choice)),
        "",
        *_figures(choice),
    ]
    return "\n".join(lines)


def _figures(choice: Choice) -> list[str]:
    """A figure of the signals, where they are over anything."""
    times = [value for text in choice.times.values() for value in text.split(",")]
    swept = (choice.b, choice.period, choice.permeability)
    if len(times) == len(choice.times) and all(len(values) == 1 for values in swept):
        return []
    return [
        "figures:",
        "  # Any name. Other kinds of figures: torrey figures.",
        f"  {choice.name}_signals: {{kind: signals, studies: [{choice.name}]}}",
        "",
    ]


def _aligned(line: str) -> str:
    """A line with its comment below those of its neighbours."""
    text, sign, comment = line.partition("   # ")
    return f"{text:<{_COMMENTS}}  # {comment}" if sign else line


def _cell(choice: Choice) -> list[str]:
    kind = [f"kind: {choice.cell}"]
    inside = "interior: water   # or obstacle: nothing diffuses inside"
    if choice.cell == "layers":
        return [*kind, f"thicknesses: [{choice.radius}, {_rest(choice.radius)}]   # their sum is 1"]
    if choice.cell == "packing":
        box = choice.period[0]
        return [
            *kind,
            f"box: {box}   # the period of its study",
            "radius: {uniform: [0.5 um, 1.5 um]}   # or gamma, lognormal, list",
            "fraction: 0.4   # of the area that is inside",
            "seed: 1   # another one gives other places",
        ]
    center = ", ".join(["0.5"] * CELLS[choice.cell])
    return [
        *kind,
        "cells:",
        f"  - {{center: [{center}], radius: {choice.radius}}}   # add lines for more",
        inside,
        *_mesh(choice),
    ]


def _mesh(choice: Choice) -> list[str]:
    """In space the usual meshes are kept: what is finer takes minutes."""
    if CELLS[choice.cell] == 3:
        return [
            "mesh: {size: 0.2, refinements: 1}   # of the coarsest elements; refined where needed"
        ]
    return ["mesh: {size: 0.1}   # of the coarsest elements; refined where needed"]


def _rest(thickness: str) -> str:
    try:
        return f"{1 - float(thickness):.12g}"
    except ValueError:
        return thickness


def _study(choice: Choice) -> list[str]:
    if choice.waveform not in KINDS:
        accepted = f"{', '.join(KINDS)}; or a file of samples, in the file that is written"
        raise InputError(quoted(choice.waveform), accepted, at=("--waveform",))
    names = KINDS[choice.waveform].parameter_names()
    for name in choice.times:
        if name not in names:
            found = f"{quoted(name)} for the waveform {choice.waveform}"
            raise InputError(found, f"its parameters {', '.join(names)}", at=("--times",))
    # A number and its unit may be swept: `Delta="20 ms, 40 ms"` is a list.
    times = {name: _listed(text.split(",")) for name, text in choice.times.items()}
    dimension = CELLS[choice.cell]
    usual = [",".join(["1", *["0"] * (dimension - 1)])]
    directions = ", ".join(
        f"[{', '.join(part.strip() for part in direction.split(','))}]"
        for direction in choice.directions or usual
    )
    models = ["reference", *(model for model in choice.models if model != "reference")]
    method = "projected" if dimension == 3 else "full"
    return [
        f"geometry: {choice.name}_cell",
        f"diffusivity: {{outside: {choice.outside}, inside: {choice.inside}}}",
        f"period: {_listed(choice.period)}   # the physical size of the cell",
        f"permeability: {_listed(choice.permeability)}   # 0 m/s lets nothing through",
        f"waveform: {waveform(choice.waveform, names, {**TIMES, **times})}",
        f"b: {_listed(choice.b)}   # or q: [0.2 rad/um], or gradient: [300 mT/m]",
        f"directions: [{directions}]   # in the axes of the cell",
        f"models: [{', '.join(models)}]   # all of them: torrey models",
        f"reference: {{method: {method}}}   # projected: faster for sweeps of many points",
        f"tolerance: {choice.tolerance}   # of the reference, relative to the signal",
    ]


def _listed(values: Sequence[str]) -> str:
    stripped = [value.strip() for value in values]
    return stripped[0] if len(stripped) == 1 else f"[{', '.join(stripped)}]"
