"""What cells of many discs cost, one thread: seconds and memory of each step, from nothing.

    OMP_NUM_THREADS=1 python benchmarks/crowded.py [--refinements 0 1 2] [--write]

200 discs of radii 0.02 to 0.026 at the places of a square grid, each moved by 0.003 at most (seed
1). Each step is a process of its own that does what the job of the workflow does, reads and writes
included; its memory is the largest that it had, the interpreter with its libraries (70 MB) among
it. A step that takes more than ten minutes is ended. With --write the table replaces
benchmarks/crowded.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

HERE = Path(__file__).parent
COUNT, GRID = 200, 15
LONGEST = 600.0


def mesh(folder: Path, refinements: int) -> str:
    """Mesh the cell."""
    from torrey.base.provenance import Provenance
    from torrey.geometry import Disc, Discs, MeshOptions
    from torrey.geometry.files import write_meshes
    from torrey.geometry.meshing import build_meshes

    rng = np.random.default_rng(1)
    places = (np.indices((GRID, GRID)).reshape(2, -1).T + 0.5) / GRID
    places = places[rng.permutation(len(places))[:COUNT]]
    places += rng.uniform(-0.003, 0.003, places.shape)
    radii = rng.uniform(0.02, 0.026, COUNT)
    shape = Discs(
        tuple(Disc((x, y), r) for (x, y), r in zip(places.tolist(), radii.tolist(), strict=True))
    )
    meshes = build_meshes(shape, MeshOptions(refinements=refinements))
    write_meshes(folder / "mesh.nc", shape, meshes, Provenance("benchmark"))
    return ", ".join(f"{len(one.elements):,}" for one in meshes) + " triangles"


def operators(folder: Path, refinements: int) -> str:
    """Assemble the operators of all meshes and write them."""
    from torrey.base.provenance import Provenance
    from torrey.cell.assembly import assemble_levels
    from torrey.cell.files import write_operators
    from torrey.geometry.files import read_measures, read_membranes
    from torrey.geometry.levels import lazy_meshes, shape_and_options

    file = folder / "mesh.nc"
    levels = assemble_levels(
        lazy_meshes(file),
        read_membranes(file),
        read_measures(file),
        centres=shape_and_options(file)[0]().radial_centres(),
    )
    write_operators(folder / "operators.nc", levels, Provenance("benchmark"))
    return ""


def tensors(folder: Path, refinements: int) -> str:
    """Solve the papers' cell problems on the finest mesh."""
    from torrey.cell.files import lazy_levels
    from torrey.models.tensors import papers_tensors

    cell = lazy_levels(folder / "operators.nc", _material())[-1]
    papers_tensors(cell)
    return f"{cell.cell.n_dofs:,} unknowns"


def r0(folder: Path, refinements: int) -> str:
    """Expand to R0 on the coarsest mesh."""
    from torrey.cell.files import lazy_levels
    from torrey.models.expansion import expand

    cell = lazy_levels(folder / "operators.nc", _material())[0]
    expand(cell, (1.0, 0.0), 0)
    return f"{cell.cell.n_dofs:,} unknowns"


def reference(folder: Path, refinements: int) -> str:
    """Solve one signal to 1e-3: L = 40 um, 5e-5 m/s, PGSE 5 and 25 ms, b = 1 ms/um^2."""
    from torrey.cell.files import lazy_levels
    from torrey.gradients.protocol import Point
    from torrey.gradients.waveforms import Pgse
    from torrey.reference.full import reference_signal

    waveform = Pgse(5.0, 25.0)
    point = Point(40.0, 0.05, waveform, waveform.q_of_b(1.0), (1.0, 0.0))
    found = reference_signal(lazy_levels(folder / "operators.nc", _material()), point, 1e-3)
    return f"S = {found.signal.real:.5f}"


def picture(folder: Path, refinements: int) -> str:
    """Draw the cell."""
    from torrey.base.provenance import Provenance
    from torrey.figures.cell_pictures import picture as draw
    from torrey.figures.drawing import save

    pdf, png, data = (str(folder / f"cell.{kind}") for kind in ("pdf", "png", "nc"))
    save(draw(folder / "mesh.nc", False), pdf, png, data, Provenance("benchmark"))
    return ""


STEPS: dict[str, Callable[[Path, int], str]] = {
    step.__name__: step for step in (mesh, picture, operators, tensors, r0, reference)
}


def _material():
    from torrey.cell.material import Material

    return Material((3.0, *(1.0 + 0.004 * i for i in range(COUNT))))


def measure(step: str, folder: Path, refinements: int) -> str:
    """One row of the table, by a process of its own."""
    command = [sys.executable, __file__, "--step", step, str(folder), str(refinements)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return f"| {refinements} | {step} | unfinished | | |"
    except subprocess.CalledProcessError as error:
        reason = error.stderr.strip().splitlines()[-1][:100]
        return f"| {refinements} | {step} | failed | | {reason} |"
    found = json.loads(run.stdout)
    seconds, megabytes, note = found["seconds"], found["megabytes"], found["note"]
    return f"| {refinements} | {step} | {seconds:.1f} s | {megabytes:.0f} MB | {note} |"


def main() -> None:
    """Measure all steps, or do one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--refinements", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--steps", nargs="+", default=list(STEPS))
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--step", nargs=3)
    options = parser.parse_args()
    if options.step:
        step, folder, refinements = options.step
        start = time.process_time()
        note = STEPS[step](Path(folder), int(refinements))
        seconds = time.process_time() - start
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(json.dumps({"seconds": seconds, "megabytes": most, "note": note}))
        return
    # It loads what the steps do without, whose memory is theirs alone.
    from speed import machine

    rows = []
    for refinements in options.refinements:
        with TemporaryDirectory() as folder:
            for step in options.steps:
                if step == "reference" and not refinements:
                    continue  # one mesh gives no estimate of its error
                rows.append(measure(step, Path(folder), refinements))
                print(rows[-1], flush=True)
    lines = [
        "# A cell of 200 discs",
        "",
        f"{machine()}, one thread, {date.today()}. Process time and largest memory of each step.",
        "",
        "| refinements | step | time | memory | |",
        "|-|-|-|-|-|",
        *rows,
    ]
    if options.write:
        (HERE / "crowded.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
