"""Meshes of random cells in space: how many fail, how often one is mended, how right they are.

    OMP_NUM_THREADS=1 python benchmarks/space_meshes.py [--part 0.02] [--processes 1] [--write]

`space_cells.py` draws them by seed: spheres on lattices, with coats too, cylinders, ellipsoids and
layers, water or obstacles inside; a fifth of all coordinates lies on a face of the cell or where a
body would be tangent to one. `--kind` draws one kind only. With --write the table replaces
benchmarks/space_meshes.md; --part draws only the first part of each kind.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

from meshes import Outcome, row, try_cell
from space_cells import KINDS, SEED, random_cell
from speed import machine

HERE = Path(__file__).parent

HEAD = """\
# Meshes of random cells in space

{machine}, one thread each, {today}; `python benchmarks/space_meshes.py --part {part:g} --write` \
makes this file from the seed {seed}.

1 to 4 spheres of radius 0.04 to 0.4995 on named and on random lattices; 1 to 3 of them with coats
of 0.03 to 0.15; 1 to 5 cylinders of radius 0.08 or more along vectors with entries up to 3; 1 to 4
ellipsoids with semi-axes of 0.1 to 0.47, the shortest a third of the longest; 1 to 5 layers. Sizes
of 0.2 to 0.4. A fifth of all coordinates lies on a face of the cell, or puts a body of that reach
next to one, exactly or up to 1e-6. An error is that of a region or membrane, relative to its exact
measure; the tolerance of a measure follows from the elements.

| cells | drawn | failed | first attempt good | second | third | later | folded elements \
| worst error of a measure | worst error / tolerance | median, CPU | longest |
|-|-|-|-|-|-|-|-|-|-|-|-|
"""


def main() -> None:
    """Draw all cells and print the table, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", type=float, default=1.0)
    parser.add_argument("--kind", choices=list(KINDS))
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    rows: list[str] = []
    everything: list[Outcome] = []
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        for kind, count in KINDS.items():
            if options.kind in (None, kind):
                numbers = range(max(1, round(options.part * count)))
                outcomes = list(pool.map(try_cell, repeat(kind), numbers, repeat(random_cell)))
                everything += outcomes
                rows.append(row(kind, outcomes))
                print(rows[-1], flush=True)
    rows.append(row("all", everything))
    print(rows[-1], flush=True)
    if options.write:
        today = date.today().isoformat()
        head = HEAD.format(machine=machine(), today=today, seed=SEED, part=options.part)
        (HERE / "space_meshes.md").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
