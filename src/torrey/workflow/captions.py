"""Captions of figures, tables and cells for the report: whole sentences with their parameters.

What a figure shows is written in `torrey.figures.captions` and `torrey.tables.captions`, what its
paper claims and what is found here in ``docs/papers.md``; parameters are those of the
configuration. All texts are reStructuredText.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from torrey.base.units import UNITS, Kind
from torrey.config import Config, FigureRequest, Study, TableRequest
from torrey.config.domain import BlochRun, DataFit, Inversion, Voxel
from torrey.figures import catalogue as figures
from torrey.figures.captions import FIGURES, KINDS, PAPERS, Words
from torrey.gradients.sweep import REFERENCE, axis_declaration
from torrey.tables import catalogue as tables
from torrey.tables.captions import TABLES

PROJECT: Final = "Torrey: figures of the project"
OWN: Final = "Own figures"
STUDIES: Final = "Studies"

#: Units in which papers give quantities, and the factor from those inside.
_WRITTEN: Final[Mapping[str, tuple[str, float]]] = {
    "permeability": ("m/s", 1e-3),
    "b_value": ("s/mm^2", 1e3),
}
#: More values than this are given by the first, the last and their number.
_MOST_VALUES: Final = 6
_MADE: Final = {"figure": "drawn", "table": "made"}
#: Names of the places of an own figure, as a sentence has them.
_PLACES: Final = {"x": "along x", "y": "along y", "colour": "in colours", "panel": "in panels"}


@dataclass(frozen=True)
class Caption:
    """What the report says of a figure, a table or a cell.

    Attributes
    ----------
    title : str
        A line.
    text : str
        Whole sentences: what is shown.
    where : str
        A sentence that says where it comes from; empty where there is nothing to say.
    parameters : tuple of str
        A sentence for each study, geometry, run or fit that is shown.
    findings : tuple of str
        What the paper claims, and what is found here.
    """

    title: str
    text: str
    where: str = ""
    parameters: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


def escaped(text: str) -> str:
    """Plain text as reStructuredText shows it unchanged."""
    return re.sub(r"([\\*`|_<>])", r"\\\1", text)


def figure_caption(config: Config, name: str, findings: Mapping[str, Sequence[str]]) -> Caption:
    """Caption of a figure of a configuration.

    Parameters
    ----------
    config : Config
    name : str
    findings : mapping
        See `read_findings`.
    """
    figure = config.figures[name]
    entry = figures.entry_of(name, figure.kind)
    words = (KINDS if figure.kind else FIGURES).get(figure.kind or name, Words(""))
    return Caption(
        title=escaped(entry.caption),
        text=f"{words.text}{_places(figure)}".strip(),
        where=_where("figure", figures.paper_of(name), words.where, figure.kind),
        parameters=tuple(map(escaped, _parameters(config, figure))),
        findings=tuple(findings.get(name, ())),
    )


def table_caption(config: Config, name: str, findings: Mapping[str, Sequence[str]]) -> Caption:
    """Caption of a table of a configuration; see `figure_caption`."""
    words = TABLES.get(name, Words(""))
    return Caption(
        title=escaped(tables.CATALOGUE[name].caption),
        text=words.text,
        where=_where("table", tables.paper_of(name), words.where, ""),
        parameters=tuple(map(escaped, _parameters(config, config.tables[name]))),
        findings=tuple(findings.get(name, ())),
    )


def cell_caption(config: Config, geometry: str, picture: str) -> Caption:
    """Caption of the picture of a cell."""
    cell = config.geometries[geometry]
    used = [study for study in config.studies.values() if study.geometry == geometry]
    shown = "one period of the tissue"
    if picture == "elements":
        shown += " with the elements of its coarsest mesh"
    return Caption(
        title=f"Cell {escaped(geometry)}",
        text=f"The picture shows {shown}: {escaped(cell.shape.describe())}, in units of the cell.",
        parameters=tuple(escaped(study_words(study)) for study in used),
    )


def overview_caption(study: Study) -> Caption:
    """Caption of the overview of a study."""
    return Caption(
        title=f"Study {escaped(study.name)}",
        text=(
            "The cell, the signals, and the errors of the models where there is a reference. What "
            "of a large table is shown, the picture says."
        ),
        parameters=(escaped(study_words(study)),),
    )


def category_of(paper: str) -> str:
    """Heading of the report under which the figures and tables of a paper stand."""
    if paper in PAPERS:
        return PAPERS[paper][0]
    return PROJECT if paper == "torrey" else OWN


def studies_of(config: Config, geometry: str) -> str:
    """Names of the studies in a cell, or of the cell where they are none or many."""
    names = [name for name, study in config.studies.items() if study.geometry == geometry]
    return ", ".join(names) if 0 < len(names) <= 3 else f"geometry {geometry}"


def shown_by(figure: FigureRequest | TableRequest) -> str:
    """What an own figure stands under: the studies, or the geometries, that it shows."""
    names = figures.shown(figure)
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:3])} and others"


def read_findings(file: Path) -> dict[str, list[str]]:
    """What each figure or table reproduces of its paper, by its name.

    Parameters
    ----------
    file : Path
        ``docs/papers.md``: tables with the columns paper, here, result. Where it is not there,
        nothing is said.
    """
    found: dict[str, list[str]] = {}
    if not file.exists():
        return found
    for line in file.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if len(cells) != 3 or not line.startswith("|"):
            continue
        claim, here, result = cells
        for name in re.findall(r"`(\w+)`", here):
            found.setdefault(name, []).append(
                f"In the paper: {_from_markdown(claim)}. With the paper's parameters, here: "
                f"{_from_markdown(result)}"
            )
    return found


def _from_markdown(text: str) -> str:
    """One line of Markdown as reStructuredText, without its links."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text.replace("\\|", "|"))
    parts = re.split(r"(\*\*[^*]+\*\*|`[^`]+`)", plain)
    return "".join(_inline(part) for part in parts)


def _inline(part: str) -> str:
    if part.startswith("**"):
        # Punctuation may follow at once, letters may not.
        return f"**{escaped(part.strip('*'))}**\\ "
    if part.startswith("`"):
        return f"``{part.strip('`')}``\\ "
    return escaped(part)


def _where(noun: str, paper: str, where: str, kind: str) -> str:
    """Where a figure or table comes from, as a sentence."""
    if paper in PAPERS:
        short, citation = PAPERS[paper]
        place = f"{where} of " if where else ""
        verb = "It belongs to" if where.startswith("a claim") else f"It is {_MADE[noun]} as"
        return f"{verb} {place}{short.split(':')[0]} ({escaped(citation)})."
    if kind:
        return f"It is an own {noun} of this configuration, of the kind {escaped(kind)}."
    return f"It is a {noun} of this project, and of no paper."


def _places(figure: FigureRequest) -> str:
    """Which axis of its studies an own figure has where, as a sentence."""
    settings = dict(figure.settings)
    said = [f"{settings[place]} {words}" for place, words in _PLACES.items() if settings.get(place)]
    if settings.get("show"):
        said.append(", ".join(settings["show"]))
    return f" The figure has {', '.join(map(escaped, said))}." if said else ""


# ---- parameters ----


def _parameters(config: Config, entry: FigureRequest | TableRequest) -> Iterator[str]:
    """A sentence for each thing that a figure or table shows."""
    for name in entry.geometries:
        yield f"Geometry {name}: {config.geometries[name].shape.describe()}, in units of the cell."
    for name in entry.studies:
        yield study_words(config.studies[name])
    for name in getattr(entry, "bloch", ()):
        yield _run_words(config.bloch[name])
    for name in (*entry.inversions, *getattr(entry, "fits", ())):
        fit = config.inversions.get(name) or config.fits[name]
        yield _inversion_words(fit) if isinstance(fit, Inversion) else _fit_words(fit)
    for name in getattr(entry, "voxels", ()):
        yield _voxel_words(config.voxels[name])


def study_words(study: Study) -> str:
    """What a study sweeps, in a sentence."""
    axes = [_axis(name, values) for name, values in study.sweep.axes().items()]
    by = "projected models" if study.is_projected else "the full system, point by point"
    tolerance = f"the reference is solved by {by}, to a relative tolerance of {study.tolerance:g}"
    return (
        f"Study {study.name}: cell {study.geometry} ({study.shape.describe()}); "
        f"diffusivity {_diffusivities(study.material.diffusivity)} um^2/ms, outside first; "
        f"{'; '.join(axes)}; models {', '.join(study.models)}"
        f"{f'; {tolerance}' if REFERENCE in study.models else ''}."
    )


def _diffusivities(values: Sequence[Any]) -> str:
    return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)


def _axis(name: str, values: Sequence[Any]) -> str:
    """The values of an axis with their unit."""
    if not all(isinstance(value, float | int) for value in values):
        return f"{name} {_listed([_label(value) for value in values])}"
    kind = axis_declaration(name).unit
    unit, factor = _WRITTEN.get(kind or "", (UNITS[cast(Kind, kind)].internal if kind else "", 1.0))
    return f"{name} {_listed([f'{value * factor:.6g}' for value in values], unit)}"


def _label(value: Any) -> str:
    if isinstance(value, tuple):
        inner = ", ".join(f"{x:.4g}" if isinstance(x, float) else str(x) for x in value)
        return f"({inner})"
    return str(value)


def _listed(values: Sequence[str], unit: str = "") -> str:
    if len(values) > _MOST_VALUES:
        return f"{values[0]} to {values[-1]} {unit} ({len(values)} values)".replace("  ", " ")
    return f"{', '.join(values)} {unit}".rstrip()


def _run_words(run: BlochRun) -> str:
    keys = ", ".join(f"{key} {_label(value)}" for key, value in run.settings)
    return (
        f"Run {run.name} of kind {run.kind}: cell {run.geometry} ({run.shape.describe()}); "
        f"diffusivity {_diffusivities(run.material.diffusivity)} um^2/ms; period {run.period:g} "
        f"um; permeability {run.permeability * 1e-3:g} m/s; {keys}."
    )


def _inversion_words(fit: Inversion) -> str:
    model = f", with the model {fit.settings.model}" if fit.settings is not None else ""
    parameters = f" of {', '.join(fit.parameters)}" if fit.parameters else ""
    return (
        f"Inversion {fit.name} of kind {fit.kind}{parameters}: fitted to the signals of "
        f"{', '.join(fit.data)} in the studies {', '.join(fit.studies)}{model}; "
        f"{_listed([str(count) for count in fit.starts])} starts, seed {fit.seed}."
    )


def _fit_words(fit: DataFit) -> str:
    return (
        f"Inversion {fit.name}: the model {fit.settings.model} is fitted to the measured signals "
        f"{fit.data}; parameters {', '.join(fit.parameters)}."
    )


def _voxel_words(voxel: Voxel) -> str:
    return (
        f"Voxel {voxel.name}: a square of side {voxel.window:g} um in a box of side {voxel.box:g} "
        f"um with {voxel.count:,} discs; diffusivity {voxel.outside:g} um^2/ms outside and "
        f"{voxel.inside:g} um^2/ms inside; permeability {voxel.permeability * 1e-3:g} m/s; "
        f"{voxel.waveform.kind} {_waveform(voxel.waveform)}; {_axis('b', voxel.b)}; absolute "
        f"tolerance {voxel.tolerance:g}."
    )


def _waveform(waveform: Any) -> str:
    times = {name: getattr(waveform, name, None) for name in ("delta", "Delta")}
    return ", ".join(f"{name} {value:g} ms" for name, value in times.items() if value is not None)
