"""Which file is made by which rule, from what and how: the chain of recipes behind every result.

A recipe holds all that a job depends on: its parameters, the digest of the code behind its script,
and the files that it reads. Its *key* is the digest of all this and of the keys of these files: an
edit anywhere upstream changes the keys of all that is downstream. The rules of the workflow take
their inputs and parameters from here and have nothing of their own, so that no job can be left
out. Each file carries its key (see `torrey.base.seals`).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from torrey.base import seals
from torrey.base.provenance import script_digest
from torrey.base.seals import DamagedError
from torrey.cell.material import Material
from torrey.config import Config, Inversion, Study
from torrey.config.domain import BlochRun
from torrey.figures import catalogue as figures
from torrey.figures.catalogue import shown
from torrey.geometry.balls.random_packing import RandomPacking
from torrey.gradients.sweep import REFERENCE
from torrey.tables import catalogue as tables
from torrey.workflow import layout as paths
from torrey.workflow.derivatives import derivative_files, design_files
from torrey.workflow.dictionaries import dictionary_bases, dictionary_files
from torrey.workflow.films import magnetisation_files
from torrey.workflow.fits import fit_files
from torrey.workflow.layout import Basis, Layout
from torrey.workflow.stage import Params, Stage
from torrey.workflow.stages import (
    AssembleOperators,
    BuildBasis,
    BuildMesh,
    CheckProjected,
    DrawCell,
    DrawFigure,
    DrawFilm,
    DrawOverview,
    EvaluateModels,
    ExpandCumulants,
    ExtractTensors,
    FitInversion,
    FitKurtosis,
    FitOrders,
    GatherSignals,
    PlaceDiscs,
    SolveBloch,
    SolveProjected,
    SolveReference,
    TraceEigenvalues,
    WriteTable,
)
from torrey.workflow.voxels import voxel_files

Inputs = Mapping[str, str | list[str]]


@dataclass(frozen=True)
class Recipe:
    """How one job makes its files.

    Attributes
    ----------
    stage : Stage
        The rule, and what the result depends on beside its inputs.
    outputs : tuple of str
        Paths; the first is the NetCDF file that carries the key.
    code : str
        Digest of the script and of the library behind it.
    inputs : mapping of str to str or list of str
        Files that the job reads, by the names that its script knows them by.
    """

    stage: Stage
    outputs: tuple[str, ...]
    code: str
    inputs: Inputs = field(default_factory=dict)

    @property
    def rule(self) -> str:
        """Name of the rule and of its script."""
        return self.stage.rule

    @cached_property
    def parameters(self) -> Params:
        """The stage as texts and numbers."""
        return self.stage.to_params()

    def files(self) -> Iterator[str]:
        """Paths of all inputs, in the order in which the job is given them."""
        for entry in self.inputs.values():
            yield from files_of(entry)


@dataclass(frozen=True)
class Recipes:
    """Recipes of everything that a configuration can make, by path.

    Parameters
    ----------
    config : Config
    scripts : Path
        Directory of the scripts.
    """

    config: Config
    scripts: Path

    @cached_property
    def layout(self) -> Layout:
        """Paths and points of the configuration."""
        return Layout(self.config)

    def __getitem__(self, path: str) -> Recipe:
        """Recipe of a file.

        Raises
        ------
        KeyError
            If the configuration makes no such file.
        """
        found = self._made.get(path)
        if found is None:
            found = self._made[path] = self._makers[path]()
        return found

    def __contains__(self, path: str) -> bool:
        """Whether the configuration makes a file."""
        return path in self._makers

    def outputs(self) -> Iterator[str]:
        """Paths of all files that carry a key."""
        yield from self._makers

    def key(self, path: str) -> str:
        """Digest of the recipe of a file and of everything upstream."""
        found = self._keys.get(path)
        if found is None:
            recipe = self[path]
            plain: list[object] = [
                recipe.rule,
                recipe.parameters,
                recipe.code,
                {name: [*map(self.key, files_of(entry))] for name, entry in recipe.inputs.items()},
            ]
            text = json.dumps(plain, sort_keys=True)
            found = hashlib.sha256(text.encode()).hexdigest()[: seals.KEY_LENGTH]
            self._keys[path] = found
        return found

    def job_parameters(self, path: str) -> dict[str, str | int | float]:
        """Return what a job is given: one flat dictionary of plain values.

        ``code`` and ``key`` are its own, ``upstream`` has the keys of its inputs in their order.
        """
        recipe = self[path]
        upstream = " ".join(map(self.key, recipe.files()))
        return {
            **recipe.parameters,
            "code": recipe.code,
            "upstream": upstream,
            "key": self.key(path),
        }

    def is_stale(self, path: str) -> bool:
        """Whether a file is there but damaged, or not made as its recipe says now."""
        if not os.path.lexists(path):
            return False
        try:
            return seals.check(path).key != self.key(path)
        except (DamagedError, OSError):
            return True

    # Filled as recipes are asked for; a configuration does not change.
    @cached_property
    def _made(self) -> dict[str, Recipe]:
        return {}

    @cached_property
    def _keys(self) -> dict[str, str]:
        return {}

    @cached_property
    def _codes(self) -> dict[tuple[str, str], str]:
        return {}

    @cached_property
    def _makers(self) -> Mapping[str, Callable[[], Recipe]]:
        """What makes each recipe, by the path that carries its key."""
        makers: dict[str, Callable[[], Recipe]] = {}
        for maker, pattern, entries in self._entries():
            for values, arguments in entries:
                path = pattern.format(**values)
                makers[path] = lambda maker=maker, path=path, arguments=arguments: maker(  # type: ignore[misc]
                    path, *arguments
                )
        return makers

    def _entries(self) -> Iterator[tuple[Callable[..., Recipe], str, list[Any]]]:
        """Yield the maker of each kind of file, its path, and its wildcards and arguments."""
        config, layout = self.config, self.layout
        geometries = [({"geometry": name}, (name,)) for name in config.geometries]
        packings = [entry for entry in geometries if self._is_random(*entry[1])]
        yield self._packing, paths.PACKING, packings
        yield self._mesh, paths.MESH, geometries
        yield self._operators, paths.OPERATORS, geometries
        pictures = [
            ({"geometry": name, "picture": picture}, (name, elements))
            for name in config.geometries
            for picture, elements in paths.PICTURES.items()
        ]
        yield self._cell, f"{paths.PICTURE}.nc", pictures
        materials = [
            ({"geometry": geometry, "material": name}, (geometry, material))
            for (geometry, name), material in layout.materials.items()
        ]
        yield self._tensors, paths.TENSORS, materials
        yield self._reference, "{path}", [({"path": path}, ()) for path in layout.jobs]
        dictionaries = [({"path": path}, (*how,)) for path, *how in dictionary_files(layout)]
        yield self._given, "{path}", dictionaries
        bases = {**layout.spans, **dictionary_bases(layout)}
        yield self._basis, "{path}", [({"path": path}, (basis,)) for path, basis in bases.items()]
        yield self._slab, "{path}", [({"path": path}, ()) for path in layout.slab_jobs]
        studies = [({"study": name}, (study,)) for name, study in config.studies.items()]
        projected = [entry for entry in studies if entry[1][0].is_projected]
        yield self._check, paths.CHECK, projected
        yield self._eigenvalues, paths.EIGENVALUES, studies
        yield self._signals, paths.SIGNALS, studies
        yield self._overview, f"{paths.OVERVIEW}.nc", studies
        yield self._orders, paths.CONVERGENCE, studies
        yield self._kurtosis, paths.KURTOSIS, studies
        expanded = [entry for entry in studies if entry[1][0].cumulants]
        yield self._cumulants, paths.CUMULANTS, expanded
        made = [*derivative_files(layout), *magnetisation_files(layout)]
        derived = [({"path": path}, (*how,)) for path, *how in made]
        yield self._given, "{path}", derived
        inversions = [({"inversion": name}, (entry,)) for name, entry in config.inversions.items()]
        yield self._inversion, paths.INVERSION, inversions
        files = [*fit_files(layout), *design_files(layout)]
        fits = [({"path": path}, (*how,)) for path, *how in files]
        yield self._given, "{path}", fits
        runs = [({"bloch": name, "kind": run.kind}, (run,)) for name, run in config.bloch.items()]
        yield self._bloch, paths.BLOCH, runs
        voxels = [({"path": path}, (*how,)) for path, *how in voxel_files(layout)]
        yield self._given, "{path}", voxels
        yield self._figure, f"{paths.FIGURE}.nc", [({"figure": f}, (f,)) for f in config.figures]
        yield self._table, f"{paths.TABLE}.nc", [({"table": t}, (t,)) for t in config.tables]

    def _recipe(
        self,
        stage: Stage,
        path: str,
        inputs: Inputs | None = None,
        beside: Sequence[str] = (),
        module: str = "",
    ) -> Recipe:
        """Recipe of a stage; ``module`` is what its script imports by name."""
        code = self._codes.get((stage.rule, module))
        if code is None:
            script = self.scripts / f"{stage.rule}.py"
            code = script_digest(script, *([module] if module else []))
            self._codes[stage.rule, module] = code
        return Recipe(stage, (path, *beside), code, inputs or {})

    def _is_random(self, geometry: str) -> bool:
        """Whether the discs of a geometry are placed by a job of its own."""
        return isinstance(self.config.geometries[geometry].shape, RandomPacking)

    def _packing(self, path: str, geometry: str) -> Recipe:
        return self._recipe(PlaceDiscs(shape=self.config.geometries[geometry].shape), path)

    def _mesh(self, path: str, geometry: str) -> Recipe:
        cell = self.config.geometries[geometry]
        placed = paths.PACKING.format(geometry=geometry)
        inputs = {"packing": placed} if self._is_random(geometry) else {}
        return self._recipe(BuildMesh(shape=cell.shape, mesh=cell.mesh), path, inputs)

    def _operators(self, path: str, geometry: str) -> Recipe:
        return self._recipe(AssembleOperators(), path, {"mesh": _mesh_of(geometry)})

    def _cell(self, path: str, geometry: str, elements: bool) -> Recipe:
        inputs = {"mesh": _mesh_of(geometry)}
        return self._recipe(DrawCell(elements=elements), path, inputs, _drawn_beside(path))

    def _tensors(self, path: str, geometry: str, material: Material) -> Recipe:
        inputs = {"operators": _operators_of(geometry), "mesh": _mesh_of(geometry)}
        return self._recipe(ExtractTensors(material=material), path, inputs)

    def _reference(self, path: str) -> Recipe:
        job = self.layout.jobs[path]
        stage = SolveReference(material=job.material, point=job.point, tolerance=job.tolerance)
        return self._recipe(stage, path, _levels_of(job.geometry))

    def _basis(self, path: str, basis: Basis) -> Recipe:
        span = basis.span
        stage = BuildBasis(material=basis.material, axes=span.axes, rungs=span.rungs)
        return self._recipe(stage, path, {"operators": _operators_of(basis.geometry)})

    def _slab(self, path: str) -> Recipe:
        job = self.layout.slab_jobs[path]
        study, sweep = job.study, job.slab.sweep
        operators = _operators_of(study.geometry)
        if job.model != REFERENCE:
            model = EvaluateModels(material=study.material, sweep=sweep, model=job.model)
            return self._recipe(model, path, {"operators": operators})
        stage = SolveProjected(material=study.material, sweep=sweep, tolerance=study.tolerance)
        basis = self.layout.basis(study, job.slab)
        return self._recipe(stage, path, {"basis": basis, **_levels_of(study.geometry)})

    def _check(self, path: str, study: Study) -> Recipe:
        sampled = self.layout.sampled(study)
        inputs: Inputs = {
            "projected": [file for file, _ in sampled],
            "references": list(self.layout.samples(study).values()),
        }
        return self._recipe(CheckProjected(rows=tuple(row for _, row in sampled)), path, inputs)

    def _eigenvalues(self, path: str, study: Study) -> Recipe:
        stage = TraceEigenvalues(
            material=study.material, sweep=study.sweep, models=study.homogenised
        )
        return self._recipe(stage, path, {"operators": _operators_of(study.geometry)})

    def _signals(self, path: str, study: Study) -> Recipe:
        stage = GatherSignals(material=study.material, sweep=study.sweep, models=study.models)
        layout = self.layout
        inputs: Inputs = {
            "references": list(layout.references(study).values()),
            "slabs": [
                file
                for model in layout.slab_models(study)
                for file in layout.slab_files(study, model)
            ],
        }
        return self._recipe(stage, path, inputs)

    def _overview(self, path: str, study: Study) -> Recipe:
        inputs = {**_signals_of(study), "mesh": _mesh_of(study.geometry)}
        return self._recipe(DrawOverview(study=study.name), path, inputs, _drawn_beside(path))

    def _orders(self, path: str, study: Study) -> Recipe:
        return self._recipe(FitOrders(models=study.homogenised), path, _signals_of(study))

    def _kurtosis(self, path: str, study: Study) -> Recipe:
        return self._recipe(FitKurtosis(), path, _signals_of(study))

    def _cumulants(self, path: str, study: Study) -> Recipe:
        # An edit of the strengths is none of the cumulants.
        stage = ExpandCumulants(
            material=study.material,
            sweep=study.sweep.without_strengths(),
            models=study.models,
            tolerance=study.tolerance,
        )
        return self._recipe(stage, path, _levels_of(study.geometry))

    def _inversion(self, path: str, inversion: Inversion) -> Recipe:
        studies = [self.config.studies[name] for name in inversion.studies]
        # Fits of the radius make meshes of their own; others have nothing to do with the shape.
        first, cell = studies[0], {}
        if "radius" in inversion.parameters:
            cell = {**first.shape.to_dict(), **first.mesh.to_dict()}
        stage = FitInversion(
            material=first.material,
            kind=inversion.kind,
            cell=json.dumps(cell),
            inversion=inversion.to_json(),
            sweeps=tuple(study.sweep for study in studies),
        )
        return self._recipe(stage, path, self.layout.inversion_inputs(inversion))

    def _bloch(self, path: str, run: BlochRun) -> Recipe:
        stage = SolveBloch(
            material=run.material,
            kind=run.kind,
            period=run.period,
            permeability=run.permeability,
            settings=json.dumps(dict(run.settings), sort_keys=True),
        )
        return self._recipe(stage, path, _levels_of(run.geometry))

    def _given(self, path: str, stage: Stage, inputs: Inputs, beside: Sequence[str] = ()) -> Recipe:
        return self._recipe(stage, path, inputs, beside)

    def _figure(self, path: str, name: str) -> Recipe:
        figure = self.config.figures[name]
        entry = figures.entry_of(name, figure.kind)
        kind = DrawFilm if entry.film else DrawFigure
        return self._recipe(
            kind(
                names=shown(figure),
                figure=name,
                module=entry.module,
                kind=figure.kind,
                settings=dict(figure.settings),
            ),
            path,
            self.layout.figure_inputs(entry.reads, figure),
            _drawn_beside(path, entry.film),
            module=entry.module,
        )

    def _table(self, path: str, name: str) -> Recipe:
        table, entry = self.config.tables[name], tables.CATALOGUE[name]
        stem = paths.TABLE.format(table=name)
        return self._recipe(
            WriteTable(names=shown(table), table=name, module=entry.module),
            path,
            {"sources": self.layout.sources(entry.reads, table)},
            beside=(f"{stem}.csv", f"{stem}.md"),
            module=entry.module,
        )


def files_of(entry: str | list[str]) -> list[str]:
    """One file or several, as a list."""
    return [entry] if isinstance(entry, str) else entry


def _drawn_beside(path: str, film: bool = False) -> tuple[str, ...]:
    """Pictures beside the data behind them."""
    return tuple(path.removesuffix("nc") + kind for kind in ("pdf", "png", "gif")[: 2 + film])


def _mesh_of(geometry: str) -> str:
    return paths.MESH.format(geometry=geometry)


def _operators_of(geometry: str) -> str:
    return paths.OPERATORS.format(geometry=geometry)


def _levels_of(geometry: str) -> Inputs:
    """What finer meshes are made from, beside the operators on those that are kept."""
    return {"operators": _operators_of(geometry), "mesh": _mesh_of(geometry)}


def _signals_of(study: Study) -> Inputs:
    return {"signals": paths.SIGNALS.format(study=study.name)}
