"""What a run will do and about what it costs, counted from the recipes before anything runs.

Jobs are counted exactly: by the same recipes and batches as the workflow. Seconds are a guess: some
measured numbers (docs/costs.md, benchmarks/), scaled with the unknowns of each cell. How many time
steps and meshes a tolerance needs is not known before, so that a guess may be wrong by a factor of
`ROUGHNESS` in either direction, and of some jobs there is none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from torrey.base.memory import factor_bytes, factor_seconds
from torrey.config.cells import estimated_unknowns
from torrey.gradients.instants import FRAMES
from torrey.workflow import layout as paths
from torrey.workflow.batches import Batches
from torrey.workflow.recipes import Recipe, Recipes
from torrey.workflow.stage import Stage
from torrey.workflow.stages import (
    DeriveSignals,
    EvaluateDictionary,
    EvaluateModels,
    PlaceDiscs,
    SolveDictionary,
    SolveProjected,
)
from torrey.workflow.targets import carrier

ROUGHNESS: Final = 3.0
"""Factor by which the seconds of a run may be wrong in either direction."""

#: Of each job, in process time: the start of Python and the imports (benchmarks/overheads.md).
_START: Final = 0.5
#: Of Snakemake itself, which reads the workflow and plans (the same).
_SNAKEMAKE: Final = 3.0
#: Of an interpreter with all its libraries (profiles/slurm).
_BYTES: Final = 0.2e9
#: For one unknown of a mesh, by dimension.
_MESH: Final = {1: 1e-6, 2: 1e-5, 3: 6e-5}
_OPERATORS: Final = 2e-5
#: Factors in whose time a signal is solved in full, to tolerances of 1e-4 or more; and how much
#: longer it takes for each factor by which a tolerance is smaller (benchmarks/equal_accuracy.md).
_FACTORS_IN_FULL: Final = 12
_USUAL_TOLERANCE: Final = 1e-4
_GROWTH: Final = 0.6
#: Of one signal by projected models with its estimates of errors, by dimension.
_PROJECTED: Final = {1: 0.005, 2: 0.01, 3: 0.05}
_MODEL: Final = 5e-4
#: Signals and all their derivatives, for each signal (benchmarks/derivatives.md).
_WITH_DERIVATIVES: Final = 4.0
#: Of jobs that read and write, or draw; with what they import.
_FIXED: Final[Mapping[str, float]] = {
    "gather_signals": 0.1,
    "check_projected": 0.1,
    "fit_orders": 0.1,
    "fit_kurtosis": 0.1,
    "gather_dictionary": 1.0,
    "gather_voxel": 0.1,
    "gather_fit": 0.2,
    "read_data": 0.5,
    "write_maps": 0.5,
    "write_table": 1.0,
    "draw_cell": 2.5,
    "draw_figure": 5.0,
    "draw_film": 14.0,
    "draw_overview": 5.0,
    "place_discs": 1.0,
    "bound_parameters": 0.5,
}
_SLABS: Final = (SolveProjected.rule, EvaluateModels.rule)
_GEOMETRY: Final = re.compile(
    rf"{paths.RESULTS}/(?:geometry|reference|magnetisation|basis|slabs|tensors)/([^/]+)/"
)


@dataclass(frozen=True)
class Cell:
    """Size of the meshes of a geometry.

    Attributes
    ----------
    dimension : int
    unknowns, most : float
        Estimates for the finest mesh that is kept, and the finest that a tolerance may ask for.
    """

    dimension: int
    unknowns: float
    most: float

    @property
    def bytes(self) -> float:
        """Memory of a job that solves on the finest mesh that is kept."""
        return _BYTES + factor_bytes(self.dimension, self.unknowns)

    @property
    def factor(self) -> float:
        """Seconds of a factor on that mesh."""
        return factor_seconds(self.dimension, self.unknowns)


@dataclass(frozen=True)
class RuleCost:
    """The jobs of one rule.

    Attributes
    ----------
    rule, about : str
        Its name, and what a job of it does.
    jobs : int
    seconds : float, optional
        Guess for all of them together on one core; None where there is none.
    """

    rule: str
    about: str
    jobs: int
    seconds: float | None


@dataclass(frozen=True)
class Plan:
    """What a run will do.

    Attributes
    ----------
    rules : tuple of RuleCost
        From the meshes on.
    cells : mapping of str to Cell
        Those in which something is computed.
    """

    rules: tuple[RuleCost, ...]
    cells: Mapping[str, Cell]

    @property
    def jobs(self) -> int:
        """All jobs."""
        return sum(rule.jobs for rule in self.rules)

    @property
    def seconds(self) -> float:
        """Guess for Snakemake and all jobs that there is one for, on one core."""
        return _SNAKEMAKE + sum(rule.seconds or 0.0 for rule in self.rules)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Rules that there is no guess for."""
        return tuple(rule.rule for rule in self.rules if rule.seconds is None)

    @property
    def bytes(self) -> float:
        """Memory of the largest job."""
        return max((cell.bytes for cell in self.cells.values()), default=_BYTES)


def plan(recipes: Recipes, targets: Iterable[str]) -> Plan:
    """Count what is to be made for some files, and guess what it costs.

    Parameters
    ----------
    recipes : Recipes
    targets : iterable of str
        Paths. What is there and up to date is not made again.
    """
    wanted = list(_wanted(recipes, targets))
    slabs = [path for path in wanted if recipes[path].rule in _SLABS]
    batches = Batches.shared(recipes, slabs, queued=False)
    config = recipes.config
    # Where discs are placed for a voxel, nothing of that geometry is meshed.
    computed = [recipe for path in wanted if (recipe := recipes[path]).rule != PlaceDiscs.rule]
    named = set(map(_geometry_of, computed))
    cells = {
        name: Cell(geometry.shape.dimension, *estimated_unknowns(geometry.shape, geometry.mesh))
        for name, geometry in config.geometries.items()
        if name in named
    }
    found: dict[str, list[float | None]] = {}
    stages: dict[str, Stage] = {}
    for path in wanted:
        recipe = recipes[path]
        stages.setdefault(recipe.rule, recipe.stage)
        found.setdefault(recipe.rule, []).append(_seconds(recipes, path, cells))
    order = [stage.rule for stage in Stage.__subclasses__()]
    rules = []
    for rule, costs in found.items():
        jobs = len(batches.of_rule(rule)) if rule in _SLABS else len(costs)
        known = [cost for cost in costs if cost is not None]
        seconds = sum(known) + _START * jobs if len(known) == len(costs) else None
        rules.append(RuleCost(rule, summary(type(stages[rule])), jobs, seconds))
    return Plan(tuple(sorted(rules, key=lambda cost: order.index(cost.rule))), cells)


def summary(stage: type[Stage]) -> str:
    """What a job does, in a few words."""
    return (stage.__doc__ or "").split("\n")[0].split(";")[0].rstrip(".")


def _wanted(recipes: Recipes, targets: Iterable[str]) -> Iterator[str]:
    """Yield paths of recipes that are to be made, each once, what needs them first."""
    queue, seen = [carrier(recipes, target) for target in targets], set[str]()
    for path in queue:
        if path in seen or path not in recipes:
            continue
        seen.add(path)
        if os.path.exists(path) and not recipes.is_stale(path):
            continue
        yield path
        queue.extend(recipes[path].files())


def _geometry_of(recipe: Recipe) -> str:
    for path in (recipe.outputs[0], *recipe.files()):
        if found := _GEOMETRY.match(path):
            return found[1]
    return ""


def _seconds(recipes: Recipes, path: str, cells: Mapping[str, Cell]) -> float | None:
    """Guess for one file, without the start of its job."""
    recipe = recipes[path]
    rule, stage = recipe.rule, recipe.stage
    if rule in _FIXED:
        return _FIXED[rule]
    cell = cells.get(_geometry_of(recipe))
    if cell is None:
        return None
    d, n, factor = cell.dimension, cell.unknowns, cell.factor
    if rule in _SLABS:
        points = recipes.layout.slab_jobs[path].slab.size
        return _PROJECTED[d] * points if rule == SolveProjected.rule else factor + _MODEL * points
    if isinstance(stage, SolveDictionary | DeriveSignals):
        each = _PROJECTED[d] * (_WITH_DERIVATIVES if isinstance(stage, DeriveSignals) else 1.0)
        return each * stage.sweep.size
    if isinstance(stage, EvaluateDictionary):
        return factor + _MODEL * stage.sweep.size
    tolerance = min(getattr(stage, "tolerance", 1.0), _USUAL_TOLERANCE)
    longer = (_USUAL_TOLERANCE / tolerance) ** _GROWTH
    known = {
        "build_mesh": 0.3 + _MESH[d] * n,
        "assemble_operators": 0.1 + _OPERATORS * n,
        "extract_tensors": 0.1 + 4 * factor,
        "trace_eigenvalues": 0.5 + 4 * factor,
        "solve_reference": (0.5 + _FACTORS_IN_FULL * factor) * longer,
        "solve_magnetisation": 1.0 + (_FACTORS_IN_FULL + FRAMES) * factor,
        "build_basis": 0.3 + factor * len(getattr(stage, "axes", ())),
        "expand_cumulants": 0.5 + 4 * factor,
    }
    return known.get(rule)
