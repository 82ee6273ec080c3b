"""How long a table of measurements in space takes on one permeable disc, from nothing.

    OMP_NUM_THREADS=1 python benchmarks/table_in_space.py [--write]

Three shells (b = 1,000, 2,000 and 3,000 s/mm^2) of 30 directions over the half sphere, PGSE of
10 ms and 30 ms, a disc of radius 0.4 in a square cell of 10 um, 5e-5 m/s, references to 1e-4 of
the signal: mesh, operators, basis and signals, in process time. One column is the same table by the
full finite-element system, from a tenth of its directions. With --write the table replaces
benchmarks/table_in_space.md.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

import numpy as np
from speed import machine, processor_seconds

import torrey as tr

HERE = Path(__file__).parent
DISC = tr.Discs([tr.Disc((0.5, 0.5), 0.4)])
WAVEFORM = tr.Pgse("10 ms", "30 ms")
SHELLS = [1.0, 2.0, 3.0]
TOLERANCE = 1e-4
#: Diffusivities outside and inside (um^2/ms).
MATERIALS = {
    "D = 2 everywhere": (2.0, 2.0),
    "D = 3 and 1.7": (3.0, 1.7),
    "D = 2 and 0.5": (2.0, 0.5),
}


def half_sphere(count: int) -> list[tuple[float, ...]]:
    """Directions of equal solid angles on a spiral."""
    i = np.arange(count) + 0.5
    z, turn = 1.0 - i / count, np.pi * (1.0 + np.sqrt(5.0)) * i
    r = np.sqrt(1.0 - z**2)
    vectors = np.stack([r * np.cos(turn), r * np.sin(turn), z], axis=1)
    return [tuple(map(float, n)) for n in vectors]


def cell(D: tuple[float, float]) -> tr.Cell:
    """The cell, with nothing computed yet."""
    return tr.Cell(DISC, list(D), "10 um", "5e-5 m/s")


def row(name: str, D: tuple[float, float]) -> str:
    """One line: the table by projected models, and a tenth of it in full."""
    directions = half_sphere(30)
    start = processor_seconds()
    fresh = cell(D)
    S = fresh.signal(
        WAVEFORM, b=SHELLS, direction=directions, tolerance=TOLERANCE, method="projected"
    )
    seconds = processor_seconds() - start
    again = processor_seconds()
    fresh.with_(permeability="1e-5 m/s").signal(
        WAVEFORM, b=SHELLS, direction=directions, tolerance=TOLERANCE, method="projected"
    )
    more = processor_seconds() - again
    some = directions[::10]
    start = processor_seconds()
    full = cell(D).signal(WAVEFORM, b=SHELLS, direction=some, tolerance=1e-5, method="full")
    in_full = (processor_seconds() - start) / full.size
    change = np.abs(S.isel(direction=slice(0, None, 10)).values - full.values) / full.values
    error = float((S.numerical_error / np.abs(S)).max())
    return (
        f"| {name} | {seconds:.1f} s | {more:.1f} s | {in_full * S.size:.0f} s | {error:.1e} | "
        f"{change.max():.1e} |"
    )


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="replace benchmarks/table_in_space.md")
    options = parser.parse_args()
    about = (__doc__ or "").split("--write]\n")[1].split(" With --write")[0].splitlines()
    text = "\n".join(
        [
            "# A table of 90 measurements in space",
            "",
            f"{machine()}, one thread, {date.today()}; "
            "`python benchmarks/table_in_space.py --write` makes this file.",
            *about,
            "",
            "| diffusivity, um^2/ms | 90 signals from nothing | at another permeability | in full, "
            "1e-5 (extrapolated) | largest estimated error | largest difference from full |",
            "|-|-|-|-|-|-|",
            *(row(name, D) for name, D in MATERIALS.items()),
            "",
        ]
    )
    print(text)
    if options.write:
        (HERE / "table_in_space.md").write_text(text)


if __name__ == "__main__":
    main()
