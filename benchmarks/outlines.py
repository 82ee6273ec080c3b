"""Meshes of 4,000 random cells of outlines: ellipses, polygons and label images.

    OMP_NUM_THREADS=1 python benchmarks/outlines.py [--part 0.02] [--write]

`random_outlines.py` draws them by seed. As in benchmarks/meshes.py, `build_meshes` checks every
mesh, and what it checked is measured here once more. With --write the table replaces
benchmarks/outlines.md; --part draws only the first part of each kind.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from meshes import Outcome, row, try_cell
from random_outlines import KINDS, SEED, random_outlines
from speed import machine

HERE = Path(__file__).parent

HEAD = """\
# Meshes of random cells of outlines

{machine}, one thread, {today}; `python benchmarks/outlines.py --part {part:g} --write` makes this
file from the seed {seed}.

1 to 8 ellipses with half axes of 0.02 to 0.55, as flat as 1 to 10, beside and in each other; 1 to 6
stars of 3 to 12 corners that are sharp, round, or points of a smooth curve; label images of 60 to
160 pixels of blobs in each other and of 3 to 12 cells that touch. Half of them lie in cells that
are higher or wider than a square. Near ones are two ellipses or polygons, sides along each other
among them, with a gap of 1.01e-4 to 1e-2. An error is that of a region or membrane, relative to its
exact measure; the tolerance of a measure follows from the elements.

| cells | drawn | failed | first attempt good | second | third | later | folded elements \
| worst error of a measure | worst error / tolerance | median, CPU | longest |
|-|-|-|-|-|-|-|-|-|-|-|-|
"""


def main() -> None:
    """Draw all cells and print the table, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", type=float, default=1.0)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    rows: list[str] = []
    everything: list[Outcome] = []
    for kind, count in KINDS.items():
        numbers = range(max(1, round(options.part * count)))
        outcomes = [try_cell(kind, number, random_outlines) for number in numbers]
        everything += outcomes
        rows.append(row(kind, outcomes))
        print(rows[-1], flush=True)
    rows.append(row("all", everything))
    print(rows[-1], flush=True)
    if options.write:
        head = HEAD.format(
            machine=machine(), today=date.today().isoformat(), seed=SEED, part=options.part
        )
        (HERE / "outlines.md").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
