"""For which radius the order 2 of KHM19 improves on order 0, in its cell with a layer.

    OMP_NUM_THREADS=1 python benchmarks/khm19_radius.py [--radii 0.1 0.3] [--write]

The box of KHM19 figures 4a, 5a and 5b: one circle with a layer of thickness 0.01, of which the
paper gives no radius; L = 6 um, delta = 2.5 ms, D = 3, 1.7 and 0.01 um^2/ms outside, inside and in
the layer, b in 20 steps to 2500 s/mm^2. Errors are those of signals against the reference, whose
tolerance is 1e-4. With --write the table replaces benchmarks/khm19_radius.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import xarray
from speed import machine

import torrey as tr

HERE = Path(__file__).parent
RADII = (0.10, 0.15, 0.20, 0.22, 0.24, 0.26, 0.28, 0.30, 0.34, 0.38, 0.42, 0.45)
DELTAS = (5.0, 15.0)
B = np.linspace(0.0, 2.5, 21)
MODELS = ["reference", "R0", "R2", "Pade"]
S_PER_MS = 1000.0


def signals(radius: float, Delta: float) -> xarray.DataArray:
    """Signals of all models against b."""
    shape = tr.Discs((tr.Disc((0.5, 0.5), radius),), layer=0.01)
    diffusivity = {"outside": 3.0, "inside": 1.7, "layer": 0.01}
    cell = tr.Cell(shape, diffusivity, "6 um", "0 m/s")
    pulses = tr.Pgse("2.5 ms", f"{Delta:g} ms")
    return cell.signal(pulses, b=list(B), direction=(0, 1), model=MODELS).real


def rows(radius: float) -> list[str]:
    """Lines of the table for one radius."""
    lines = []
    for Delta in DELTAS:
        S = signals(radius, Delta)
        exact = S.sel(model="reference")
        error = abs(S - exact)
        # What is within the numerical error is no difference.
        floor = float(exact.numerical_error.max())
        worse = {
            model: _ranges(error.sel(model=model).values > error.sel(model="R0").values + floor)
            for model in ("R2", "Pade")
        }
        marked = _ranges(S.validity.sel(model="R2").values != 0)
        last = [float(S.sel(model=model)[-1]) for model in MODELS]
        numbers = " | ".join(f"{value:.3g}" for value in last)
        lines.append(
            f"| {radius:g} | {Delta:g} | {worse['R2']} | {worse['Pade']} | {marked} | {numbers} |"
        )
    return lines


def _ranges(where: np.ndarray) -> str:
    """Runs of b-values (s/mm^2) in words."""
    places = np.flatnonzero(where)
    if not len(places):
        return "none"
    runs = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
    return ", ".join(f"{S_PER_MS * B[run[0]]:g}" if len(run) == 1 else _span(run) for run in runs)


def _span(run: np.ndarray) -> str:
    return f"{S_PER_MS * B[run[0]]:g} to {S_PER_MS * B[run[-1]]:g}"


def table(radii: Sequence[float]) -> str:
    """The whole file."""
    about = (__doc__ or "").split("--write]\n")[1].split(" With --write")[0].splitlines()
    return "\n".join(
        [
            "# KHM19's layer around one circle, by its radius",
            "",
            f"{machine()}, one thread, {date.today()}; `python benchmarks/khm19_radius.py --write` "
            "makes this file.",
            *about,
            "",
            "| R | Delta (ms) | order 2 is worse than order 0 at b (s/mm²) | Padé is worse than "
            "order 0 at b | order 2 is marked at b | S at 2500: reference | order 0 | order 2 | "
            "Padé |",
            "|-|-|-|-|-|-|-|-|-|",
            *(line for radius in radii for line in rows(radius)),
            "",
        ]
    )


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--radii", type=float, nargs="+", default=RADII)
    parser.add_argument("--write", action="store_true", help="replace benchmarks/khm19_radius.md")
    options = parser.parse_args()
    text = table(options.radii)
    print(text)
    if options.write:
        (HERE / "khm19_radius.md").write_text(text)


if __name__ == "__main__":
    main()
