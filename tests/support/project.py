"""A copy of the project to run, change and kill, and what Snakemake says that it does there."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from support import planner
from torrey.config import load
from torrey.workflow.layout import Layout

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "workflow", "config", "src", "environment.yml", "profiles")
NOT_COPIED = shutil.ignore_patterns("__pycache__", ".mypy_cache", "*.egg-info")

# Everything that the workflow can make of the configuration below.
TARGETS = (
    "studies",
    "figures",
    "results/studies/sweep/eigenvalues.nc",
    "results/studies/sweep/kurtosis.nc",
)

CONFIG = "tiny.yaml"
TINY = """\
geometries:
  cell:
    kind: discs
    cells: [{center: [0.5, 0.5], radius: 0.3}]
    mesh: {size: 0.25, refinements: 1}
  walls:
    kind: layers
    thicknesses: [0.6, 0.4]
    mesh: {size: 0.25, refinements: 1}

studies:
  sweep:
    geometry: cell
    diffusivity: {outside: 3e-3 mm^2/s, inside: 1.7e-3 mm^2/s}
    period: [2 um, 3 um]
    permeability: [3e-5 m/s, 5e-5 m/s]
    waveform: {kind: pgse, delta: 2 ms, Delta: [5 ms, 8 ms]}
    b: [200 s/mm^2, 500 s/mm^2]
    directions: [[1, 0]]
    models: [reference, R0]
    tolerance: 1e-2

  wall: &wall
    geometry: walls
    diffusivity: {outside: 2e-3 mm^2/s, inside: 1e-3 mm^2/s}
    period: 4 um
    permeability: 5e-5 m/s
    waveform: {kind: pgse, delta: 2 ms, Delta: 6 ms}
    b: [0 s/mm^2, 400 s/mm^2]
    directions: [[1]]
    models: [reference, R0]
    tolerance: 1e-2

  # The same points by projected models; the full system, which they are compared with, is shared.
  projected:
    <<: *wall
    b: [0 s/mm^2, 0.4 ms/um^2]
    reference: {method: projected}

  # One cell for inversions, whose signals are those of a model.
  exchange:
    geometry: cell
    diffusivity: {outside: 3 um^2/ms, inside: 1.5 um^2/ms}
    period: 2 um
    permeability: 3e-5 m/s
    waveform: {kind: pgse, delta: 2 ms, Delta: [5 ms, 9 ms]}
    b: {start: 0 s/mm^2, stop: 2000 s/mm^2, num: 6}
    directions: [[1, 0], [0, 1]]
    models: [R0]

figures:
  kl23_fig1: {geometries: [cell]}
  kl23_fig6: {studies: [wall]}

tables:
  khm19_table_tensors: {studies: [wall]}

inversions:
  rates: {kind: karger, studies: exchange, data: R0, constraint: true, starts: 2}

bloch:
  zone:
    kind: bands
    geometry: cell
    diffusivity: 2 um^2/ms
    period: 2 um
    directions: [[1, 0]]
    pulses: 4
    resolution: 0.4
"""


# All rules but those of voxels in a third of the jobs.
RANDOM_CELL = """\
  random:
    kind: packing
    box: 20 um
    radius: {list: [4 um, 3 um]}
    seed: 1
    mesh: {size: 0.25, refinements: 1}

studies:
  random:
    geometry: random
    diffusivity: {outside: 3 um^2/ms, inside: 2 um^2/ms}
    period: 20 um
    permeability: 3e-5 m/s
    waveform: {kind: pgse, delta: 2 ms, Delta: 5 ms}
    b: 500 s/mm^2
    directions: [[1, 0]]
    models: [R0]
    cumulants: true
"""
SMALL = (
    TINY.replace("\nstudies:\n", RANDOM_CELL)
    .replace("[3e-5 m/s, 5e-5 m/s]", "5e-5 m/s")
    .replace("Delta: [5 ms, 8 ms]", "Delta: 8 ms")
    .replace("[200 s/mm^2, 500 s/mm^2]", "[0 s/mm^2, 200 s/mm^2, 500 s/mm^2]")
)
# Another cell of all kinds: everything is to be made anew.
CHANGED = (
    SMALL.replace("radius: 0.3}", "radius: 0.28}")
    .replace("[0.6, 0.4]", "[0.55, 0.45]")
    .replace("seed: 1", "seed: 2")
)
# The shortest way from a cell to a figure.
CELL = """\
geometries:
  walls:
    kind: layers
    thicknesses: [0.6, 0.4]
    mesh: {size: 0.25, refinements: 1}
studies:
  wall:
    geometry: walls
    diffusivity: {outside: 2e-3 mm^2/s, inside: 1e-3 mm^2/s}
    period: 4 um
    permeability: 5e-5 m/s
    waveform: {kind: pgse, delta: 2 ms, Delta: 6 ms}
    b: [0 s/mm^2, 400 s/mm^2]
    directions: [[1]]
    models: [reference, R0]
    tolerance: 1e-2
figures:
  kl23_fig6: {studies: [wall]}
"""
# The same with a few signals to be killed between.
SHORT = (
    CELL.replace("  wall:", "  sweep:")
    .replace("[wall]", "[sweep]")
    .replace("[0 s/mm^2, 400 s/mm^2]", "{start: 100 s/mm^2, stop: 600 s/mm^2, num: 6}")
)
# Another cell of it.
SHORT_CHANGED = SHORT.replace("[0.6, 0.4]", "[0.55, 0.45]")


@dataclass(frozen=True, order=True)
class Job:
    """A rule and its wildcards, which are written ``name=value, name=value``."""

    rule: str
    wildcards: str

    def __repr__(self) -> str:
        return f"{self.rule}({self.wildcards})"


@dataclass(frozen=True)
class Run:
    """What one call of Snakemake did.

    Attributes
    ----------
    code : int
        Exit code; negative after a signal.
    text : str
        All that it said.
    """

    code: int
    text: str

    @property
    def blocks(self) -> dict[Job, dict[str, str]]:
        """Jobs that make files, with the fields of what Snakemake says about each.

        A batch of slabs counts as one job for each of them.
        """
        found: dict[Job, dict[str, str]] = {}
        # Blocks of jobs that travel in a group are indented.
        pattern = r"^( *)(?:local)?rule (\w+):\n((?:\1 {4}.*\n)+)"
        for block in re.finditer(pattern, self.text, re.M):
            fields = dict(re.findall(r"^ +(\w+): (.*)$", block[3], re.M))
            if "output" not in fields:
                continue
            batch = re.fullmatch(r"(solve_projected|evaluate_models)(_\d+)?", block[2])
            if batch:
                paths = fields["output"].split(", ")
                found |= {Job(batch[1], slab_of(path)): fields for path in paths}
            else:
                found[Job(block[2], fields["wildcards"])] = fields
        return found

    @property
    def jobs(self) -> set[Job]:
        """Jobs that ran or, in a dry run, that would."""
        return set(self.blocks)

    @property
    def rules(self) -> list[str]:
        """Rule of each of these jobs, sorted."""
        return sorted(job.rule for job in self.jobs)


@dataclass
class Project:
    """A directory with the Snakefile, the workflow, the library and a configuration."""

    root: Path
    # Every call goes on the path of the copy's library, so that edits to it are seen.
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def create(cls, root: Path, config: str = TINY, origin: Path = ROOT) -> Project:
        """Copy what a run needs, without results."""
        root.mkdir(parents=True)
        for name in PARTS:
            part = origin / name
            if part.is_dir():
                shutil.copytree(part, root / name, ignore=NOT_COPIED)
            else:
                shutil.copy2(part, root / name)
        project = cls(root)
        project.write(CONFIG, config)
        return project

    def copy(self, root: Path) -> Project:
        """Copy everything, with results, times and Snakemake's records."""
        shutil.copytree(self.root, root)
        return Project(root)

    def path(self, name: str) -> Path:
        """Absolute path of a file of the project."""
        return self.root / name

    def write(self, name: str, text: str) -> None:
        """Write a text file."""
        self.path(name).write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a part of a text file that must be there."""
        text = self.path(name).read_text(encoding="utf-8")
        assert old in text, f"{old} is not in {name}"
        self.write(name, text.replace(old, new))

    def append(self, name: str, text: str) -> None:
        """Add lines to the end of a text file."""
        self.write(name, self.path(name).read_text(encoding="utf-8") + text)

    def run(self, *arguments: str, config: str = CONFIG) -> Run:
        """Call Snakemake and wait for its end.

        Parameters
        ----------
        *arguments : str
            Options, each with its value in one word (``--cores=2``), and targets.
        config : str
            Configuration file, or an empty string for the workflow's own.
        """
        process = self.start(*arguments, config=config)
        text, _ = process.communicate(timeout=900)
        return Run(process.returncode, text)

    def dry_run(self, *arguments: str, config: str = CONFIG) -> Run:
        """Ask Snakemake what it would do."""
        words = _words("--dry-run", *arguments, config=config)
        return Run(*planner.snakemake(self.root, self._environment(), words))

    def plan(self, *targets: str, config: str = CONFIG) -> set[Job]:
        """Jobs that a run would do, by default for all targets."""
        run = self.dry_run(*(targets or TARGETS), config=config)
        assert run.code == 0, run.text
        return run.jobs

    def start(self, *arguments: str, config: str = CONFIG) -> subprocess.Popen[str]:
        """Call Snakemake in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", *_words(*arguments, config=config)],
            cwd=self.root,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def kill_when(
        self, happened: Callable[[], bool], *arguments: str, patience: float = 120.0
    ) -> None:
        """Start a run and kill it, with all its jobs, as soon as something has happened."""
        process = self.start(*arguments)
        deadline = time.monotonic() + patience
        while not happened():
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "what the test waits for did not happen"
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def results(self) -> dict[str, Path]:
        """Every NetCDF file under its final name, by its path in the project."""
        files = self.path("results").rglob("*.nc")
        return {str(f.relative_to(self.root)): f for f in sorted(files) if f.name[0] != "."}

    def leftovers(self) -> list[Path]:
        """Temporary files of the library below results/."""
        return sorted(self.path("results").rglob(".*.part"))

    def _environment(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("SNAKEMAKE")}
        return {
            **inherited,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.path("src")),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MPLBACKEND": "Agg",
            "COLUMNS": "200",
            **self.environment,
        }


def _words(*arguments: str, config: str) -> list[str]:
    """Arguments in an order that Snakemake reads as they are meant."""
    options = [word for word in arguments if word.startswith("-")]
    targets = [word for word in arguments if not word.startswith("-")]
    return [*options, *(["--configfile", config] if config else []), "--", *targets]


def slab_of(path: str) -> str:
    """What the path of a slab says."""
    geometry, material, slab, file = path.removeprefix("results/slabs/").split("/")
    made = file.removesuffix(".nc")
    return f"geometry={geometry}, material={material}, slab={slab}, made={made}"


WALL_SLAB = "results/slabs/walls/De2_Di1/L4_kappa0.05_pgse-2-6_cff38743/R0.nc"
"""The one slab of the study `wall`, which `projected` shares."""


def slabs(study: str, *models: str, config: str = TINY, having: str = "") -> set[Job]:
    """Slabs of a study: its models, or those named; with some text in their names."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.yaml"
        file.write_text(config, encoding="utf-8")
        loaded = load([file])
    layout, entry = Layout(loaded), loaded.studies[study]
    return {
        Job("solve_projected" if model == "reference" else "evaluate_models", slab_of(path))
        for model in models or entry.homogenised
        for path in layout.slab_files(entry, model)
        if having in path
    }


def points(
    periods: Iterable[float] = (2, 3),
    kappas: Iterable[float] = (0.03, 0.05),
    Deltas: Iterable[float] = (5, 8),
    bs: Iterable[float] = (0.2, 0.5),
    material: str = "De3_Di1.7",
    tolerance: float = 0.01,
    direction: str = "1_0",
) -> set[Job]:
    """Reference signals of the study `sweep`, in um and ms, for the values given."""
    return {
        Job(
            "solve_reference",
            f"geometry=cell, material={material}, "
            f"point=L{L}_kappa{kappa}_pgse-2-{Delta}_b{b}_n{direction}_tol{tolerance}",
        )
        for L, kappa, Delta, b in product(periods, kappas, Deltas, bs)
    }
