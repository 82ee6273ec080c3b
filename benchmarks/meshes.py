"""Meshes of random cells: how many fail, how often an attempt is mended, how right they are.

    OMP_NUM_THREADS=1 python benchmarks/meshes.py [--part 0.02] [--kind near] [--write]

`random_cells.py` draws them by seed. Its 3,000 `KINDS` are 1 to 8 discs or 1 to 4 spheres, water or
obstacles inside, coats, square and oblique lattices; a fifth of all coordinates lies where a face
of the cell is tangent or nearly so. Its `CROWDED` have balls next to each other, with gaps of 1e-4
to 1e-2 and radii from 1e-3 on, or 200 of them. `build_meshes` checks every mesh; what it checked is
measured here once more. With --write the table replaces benchmarks/meshes.md; --part draws only the
first part of each kind.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from random_cells import CROWDED, KINDS, SEED, random_cell
from speed import machine, processor_seconds

from torrey.geometry import MeshOptions, Shape
from torrey.geometry.checks import compared_measures, volumes
from torrey.geometry.mesh import MeshError
from torrey.geometry.meshing import mesh_cell

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Outcome:
    """One cell: attempts that failed before the good one (None: all of them), errors, seconds."""

    failures: int | None
    folded: int
    error: float
    of_tolerance: float
    seconds: float


def try_cell(
    kind: str,
    number: int,
    draw: Callable[[str, int], tuple[Shape, MeshOptions]] = random_cell,
) -> Outcome:
    """Mesh one cell and measure what was made."""
    shape, options = draw(kind, number)
    start = processor_seconds()
    try:
        result = mesh_cell(shape, options)
    except MeshError as error:
        print(f"{kind} number {number}: {error}", flush=True)
        return Outcome(None, 0, 0.0, 0.0, processor_seconds() - start)
    seconds = processor_seconds() - start
    if len(result.failures) > 1:
        print(f"{kind} number {number}: {'; '.join(result.failures)}", flush=True)
    folded, error, part = 0, 0.0, 0.0
    for mesh in result.meshes:
        measure, over = volumes(mesh)
        folded += int(over.sum())
        for _, found, exact, tolerance in compared_measures(mesh, shape, measure):
            error = max(error, abs(found / exact - 1))
            part = max(part, abs(found - exact) / tolerance)
    return Outcome(len(result.failures), folded, error, part, seconds)


def row(kind: str, outcomes: list[Outcome]) -> str:
    """A line of the table."""
    tries = Counter(o.failures for o in outcomes)
    more = sum(n for failures, n in tries.items() if failures is not None and failures > 2)
    seconds = np.array([o.seconds for o in outcomes])
    entries = [
        kind,
        f"{len(outcomes)}",
        f"{tries[None]}",
        *(f"{tries[failures]}" for failures in (0, 1, 2)),
        f"{more}",
        f"{sum(o.folded for o in outcomes)}",
        f"{max(o.error for o in outcomes):.1e}",
        f"{max(o.of_tolerance for o in outcomes):.2f}",
        f"{np.median(seconds):.2f} s",
        f"{seconds.max():.1f} s",
    ]
    return f"| {' | '.join(entries)} |"


HEAD = """\
# Meshes of random cells

{machine}, one thread each, {today}; `python benchmarks/meshes.py --write` \
makes this file from the seed {seed}.

1 to 8 discs of radius 0.03 to 0.4995 at sizes of 0.05 to 0.3, half of them refined once; 1 to 4
spheres at sizes of 0.2 to 0.4; layers of 0.003 to 0.1; oblique lattices with angles down to 25
degrees and sheared further. A fifth of all coordinates makes a face of the cell tangent to a ball,
exactly or up to 1e-6, or cuts it in the middle, exactly or up to 1e-7. Near ones: 1 to 6 balls, of
which four in five lie at 1e-4 to 1e-2 from another or from their own image; radii of 1e-3 to 0.05
and, of one in four, up to 0.4995. An error is that of a region
or membrane, relative to its exact measure; the tolerance of a measure follows from the elements.

| cells | drawn | failed | first attempt good | second | third | later | folded elements \
| worst error of a measure | worst error / tolerance | median, CPU | longest |
|-|-|-|-|-|-|-|-|-|-|-|-|
"""


def main() -> None:
    """Draw all cells and print the table, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", type=float, default=1.0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--kind", help="only those whose name contains this")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    everyone = {**KINDS, **CROWDED}
    chosen = {k: n for k, n in everyone.items() if options.kind is None or options.kind in k}
    rows: list[str] = []
    everything: list[Outcome] = []
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        for kind, count in chosen.items():
            numbers = range(max(1, round(options.part * count)))
            outcomes = list(pool.map(try_cell, repeat(kind), numbers))
            everything += outcomes
            rows.append(row(kind, outcomes))
            print(rows[-1], flush=True)
    rows.append(row("all", everything))
    print(rows[-1], flush=True)
    if options.write:
        head = HEAD.format(machine=machine(), today=date.today().isoformat(), seed=SEED)
        (HERE / "meshes.md").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
