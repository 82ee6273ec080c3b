"""What the report holds: which results are there, what is missing, and how they were computed.

The report is Snakemake's own: it shows the results that are marked in the rules, and takes its
texts from the templates in ``workflow/report/``, which are given the plain values that are made
here. A result is in the report if it is there and made as the configuration says now; the others
are named.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import torrey
from torrey.base import artifacts
from torrey.figures.catalogue import paper_of
from torrey.tables.catalogue import paper_of as paper_of_table
from torrey.workflow import captions
from torrey.workflow import layout as paths
from torrey.workflow.captions import Caption
from torrey.workflow.recipes import Recipes
from torrey.workflow.targets import carrier

#: What numbers depend on, beside this package.
_PACKAGES: Final = (
    "gmsh",
    "matplotlib",
    "netCDF4",
    "numpy",
    "pygmsh",
    "scikit-fem",
    "scipy",
    "snakemake",
    "xarray",
)
#: Names that the terminal is told.
_MOST_NAMES: Final = 10
#: Rows of a table that its caption repeats.
_MOST_ROWS: Final = 60


@dataclass(frozen=True)
class Shown:
    """A result that is in the report.

    Attributes
    ----------
    path : str
        As the report knows it.
    name : str
    caption : Caption
    is_picture : bool
    rows : tuple of tuple of str
        Of a table, its header first.
    """

    path: str
    name: str
    caption: Caption
    is_picture: bool = True
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Report:
    """The results of a configuration that are there, and what is said of them.

    Parameters
    ----------
    recipes : Recipes
    project : Path
        Folder of the Snakefile.
    """

    recipes: Recipes
    project: Path

    def current(self, files: Iterable[str]) -> list[str]:
        """Those of some files that are there and made as the configuration says now."""
        return [path for path in files if self._is_current(carrier(self.recipes, path))]

    def _is_current(self, path: str) -> bool:
        if path not in self._known:
            recipes = self.recipes
            self._known[path] = path in recipes and (
                all(map(os.path.exists, recipes[path].outputs)) and not recipes.is_stale(path)
            )
        return self._known[path]

    # Filled as files are asked for; while the rules are read, nothing changes them.
    @cached_property
    def _known(self) -> dict[str, bool]:
        return {}

    @cached_property
    def shown(self) -> dict[str, list[Shown]]:
        """All results that are there, by the heading under which they stand."""
        config = self.recipes.config
        findings = captions.read_findings(self.project / "docs" / "papers.md")
        found: dict[str, list[Shown]] = {}
        for path in self.current(self._figures):
            name = Path(path).stem
            said = captions.figure_caption(config, name, findings)
            heading = captions.category_of(paper_of(name))
            found.setdefault(heading, []).append(Shown(path, name, said))
        for path in self.current(self._tables):
            name = Path(path).stem
            said = captions.table_caption(config, name, findings)
            one = Shown(path, name, said, is_picture=False, rows=_rows(path))
            found.setdefault(captions.category_of(paper_of_table(name)), []).append(one)
        for study in config.studies.values():
            path = f"{paths.OVERVIEW.format(study=study.name)}.png"
            if self.current([path]):
                one = Shown(path, study.name, captions.overview_caption(study))
                found.setdefault(captions.STUDIES, []).append(one)
        for geometry, picture, path in self._cells:
            if self.current([path]):
                said = captions.cell_caption(config, geometry, picture)
                found.setdefault(captions.STUDIES, []).append(Shown(path, geometry, said))
        return {heading: found[heading] for heading in sorted(found, key=_order)}

    @cached_property
    def missing(self) -> tuple[list[str], list[str]]:
        """Names of figures, tables and studies that are not there, and of those out of date."""
        studies = self.recipes.layout.usual_studies()
        signals = [paths.SIGNALS.format(study=study.name) for study in studies]
        absent: list[str] = []
        stale: list[str] = []
        for path in (*self._figures, *self._tables, *signals):
            if not self.current([path]):
                name = Path(path).parent.name if path in signals else Path(path).stem
                is_whole = all(
                    map(os.path.exists, self.recipes[carrier(self.recipes, path)].outputs)
                )
                (stale if is_whole else absent).append(name)
        return absent, stale

    def values(self) -> dict[str, Any]:
        """Plain values for the templates of the report."""
        absent, stale = self.missing
        shown = {heading: list(map(asdict, entries)) for heading, entries in self.shown.items()}
        return {
            "groups": [{"heading": h, "shown": entries} for h, entries in shown.items()],
            "captions": {entry["path"]: entry for some in shown.values() for entry in some},
            "missing": list(map(captions.escaped, absent)),
            "stale": list(map(captions.escaped, stale)),
            "version": torrey.__version__,
            "commit": commit_of(self.project),
            "system": f"Python {platform.python_version()}, {platform.system()}",
            "packages": package_versions(),
            "studies": list(self._study_facts()),
            "geometries": list(self._mesh_facts()),
        }

    def said(self) -> list[str]:
        """What the terminal is told: what the report holds, and what it lacks."""
        absent, stale = self.missing
        count = len(self.files)
        lines = [
            f"Results that are there for the report: {count}."
            if count
            else "There is nothing to report of this configuration; of another one: "
            "make report CONFIG=FILE"
        ]
        if absent:
            lines.append(f"Not there, and so not in the report: {_some(absent)}.")
        if stale:
            lines.append(
                "Made in another way than the configuration and the code say now, and so not in "
                f"the report: {_some(stale)}."
            )
        return lines

    @property
    def files(self) -> list[str]:
        """Paths of all results that are shown, those that no usual target asks for included."""
        return [one.path for entries in self.shown.values() for one in entries]

    @property
    def _figures(self) -> list[str]:
        """Pictures of figures; those on request only where they are there."""
        figures = self.recipes.config.figures.values()
        drawn = [(f"{paths.FIGURE.format(figure=one.name)}.png", one) for one in figures]
        return [path for path, one in drawn if not one.on_request or os.path.exists(path)]

    @property
    def _tables(self) -> list[str]:
        return [f"{paths.TABLE.format(table=name)}.md" for name in self.recipes.config.tables]

    @property
    def _cells(self) -> list[tuple[str, str, str]]:
        """Geometry, kind and path of the pictures of cells."""
        return [
            (name, picture, f"{paths.PICTURE.format(geometry=name, picture=picture)}.png")
            for name in self.recipes.config.geometries
            for picture in paths.PICTURES
        ]

    def _study_facts(self) -> Iterable[dict[str, str]]:
        """What each study with signals is, and how well they are known."""
        for name, study in self.recipes.config.studies.items():
            path = paths.SIGNALS.format(study=name)
            if self.current([path]):
                words = captions.escaped(f"{captions.study_words(study)} {_accuracy(path)}")
                yield {"name": captions.escaped(name), "words": words}

    def _mesh_facts(self) -> Iterable[dict[str, str]]:
        """How finely each cell is meshed."""
        for name, geometry in self.recipes.config.geometries.items():
            path = paths.MESH.format(geometry=name)
            if self.current([path]):
                counts = [_elements(path, None), *(_elements(path, g) for g in _levels(path))]
                size = geometry.mesh.coarsest(geometry.shape.dimension)
                words = (
                    f"{geometry.shape.describe()}; elements of size {size:g} of the cell on the "
                    f"coarsest mesh; {', '.join(f'{count:,}' for count in counts)} elements on the "
                    f"{'mesh that is' if len(counts) == 1 else f'{len(counts)} meshes that are'} "
                    "kept."
                )
                yield {"name": captions.escaped(name), "words": captions.escaped(words)}


def _some(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are; the report has all of them."""
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _order(heading: str) -> tuple[int, str]:
    """Papers first, then figures of the project, own ones, and studies."""
    last = (captions.PROJECT, captions.OWN, captions.STUDIES)
    return (last.index(heading) + 1 if heading in last else 0, heading)


def _rows(path: str) -> tuple[tuple[str, ...], ...]:
    """Rows of a table in Markdown, its header first."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    rows = [line.strip().strip("|") for line in lines if line.startswith("|")]
    cells = [re.split(r"(?<!\\)\|", row) for row in rows if row.strip("|-: ")]
    return tuple(tuple(cell.strip() for cell in row) for row in cells[: _MOST_ROWS + 1])


def _levels(path: str) -> list[str]:
    return [group for group in artifacts.groups(path) if "element_vertices" in _names(path, group)]


def _names(path: str, group: str) -> Sequence[str]:
    return list(artifacts.read(path, group))


def _elements(path: str, group: str | None) -> int:
    return len(artifacts.read(path, group)["element_vertices"])


def _accuracy(path: str) -> str:
    """How many signals a study has, and the largest numerical errors of its models."""
    table = artifacts.read(path)
    models = [str(name) for name in table["model"]]
    errors, marks = table["numerical_error"], table["validity"]
    axis = artifacts.dimensions(path, "numerical_error").index("model")
    parts = []
    for i, model in enumerate(models):
        known = marks.take(i, axis) == 0
        worst = errors.take(i, axis)[known].max(initial=0.0)
        bad = int((~known).sum())
        left = f" ({bad} of them mean nothing)" if bad else ""
        parts.append(f"{model} {worst:.1e}{left}")
    count = errors.size // len(models)
    return f"Signals of each model: {count:,}; largest numerical error: {', '.join(parts)}."


def package_versions() -> list[tuple[str, str]]:
    """Names and versions of the packages that numbers depend on."""
    found = []
    for name in _PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return found


def commit_of(folder: Path) -> str:
    """The commit of a working copy of Git, and whether files differ from it; empty without one."""
    try:
        said = [
            subprocess.run(
                ["git", "-C", str(folder), *words],
                capture_output=True,
                text=True,
                check=True,
                timeout=10,
            ).stdout.strip()
            for words in (
                ("rev-parse", "--show-toplevel"),
                ("rev-parse", "HEAD"),
                ("status", "--porcelain", "--untracked-files=no"),
            )
        ]
    except (OSError, subprocess.SubprocessError):
        return ""
    # A copy inside another repository has no commit of its own.
    if Path(said[0]).resolve() != folder.resolve():
        return ""
    return f"{said[1]}{', with changes that are not committed' if said[2] else ''}"
