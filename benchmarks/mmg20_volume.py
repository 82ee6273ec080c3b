"""Signal of MMG20 figure 7 on finer meshes than the figure's own, by both schemes.

The lattice of spheres, R = 0.4 a, l_g = 0.15 a, l_delta = 0.225 a, gradient along (1, 1, 1); 12
narrow pulses and 350 modes as in the paper, whose mesh has about 29,000 points. Writes
benchmarks/mmg20_volume.md::

    OMP_NUM_THREADS=1 python benchmarks/mmg20_volume.py
"""

from __future__ import annotations

import time
from pathlib import Path

from speed import machine

from torrey.bloch.echo_runs import run_schemes
from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.geometry import MeshOptions, Sphere, Spheres
from torrey.geometry.meshing import build_meshes

SHAPE = Spheres((Sphere((0.5, 0.5, 0.5), 0.4),), "obstacle")
SIZES = (0.2, 0.15, 0.138)
PULSES, MODES, RESOLUTION = 12, 350, 0.065
HEAD = """\
# MMG20, figure 7, on finer meshes

{machine}, one thread, {date}; `python benchmarks/mmg20_volume.py` makes this file.

Mean of m over the water, and by P = 12 narrow pulses with 350 modes, by the four rules; the paper
prints 2.75e-3. The figure's own run has the meshes of the first two rows.

| size | points | unknowns | S | per volume of the cell | {rules} | CPU (s) |
|-|-|-|-|-|{dashes}-|
"""


def rows() -> list[str]:
    """One row for each mesh, coarse and refined."""
    found = []
    for size in SIZES:
        start = time.process_time()
        options = MeshOptions(size, 1)
        meshes = build_meshes(SHAPE, options)
        operators = list(levels(SHAPE, options, Material((1.0,))))
        run = run_schemes(
            operators, meshes[-1], 1.0, 0.0, (1, 1, 1), 0.15, 1.5, [PULSES], [MODES], RESOLUTION
        )
        spent = time.process_time() - start
        for i, mesh in enumerate(meshes):
            ruled = " | ".join(f"{s:.4e}" for s in run.pulsed_signal[i, 0, 0])
            water = float(operators[i].cell.measures().sum())
            found.append(
                f"| {size} | {len(mesh.points):,} | {run.unknowns[i]:,} | {run.signal[i]:.4e} | "
                f"{water * run.signal[i]:.4e} | {ruled} | {spent if i else 0:.0f} |"
            )
            print(found[-1], flush=True)
    return found


def main() -> None:
    """Write the table."""
    rules = ("floor", "ceil", "round", "midpoint")
    head = HEAD.format(
        machine=machine(),
        date=time.strftime("%Y-%m-%d"),
        rules=" | ".join(rules),
        dashes="-|" * len(rules),
    )
    text = head + "\n".join(rows()) + "\n"
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
