"""How long periodic media at strong gradients take, one thread: bases, signals, spectra.

    OMP_NUM_THREADS=1 python benchmarks/bloch.py [--write]

Square lattice of impermeable discs of radius 0.4 (MMG20), period and diffusivity 1, PGSE with
Delta = delta and l_delta/l_g = 2. Figures are process time. With --write the table replaces
benchmarks/bloch.md.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

import numpy as np

from torrey.bloch.bands import band_basis, band_set
from torrey.bloch.folded_basis import count_modes, folded_models, road
from torrey.bloch.folded_signals import Propagator, converged_signal, folded_signal
from torrey.bloch.narrow_pulses import pulsed_signal
from torrey.bloch.spectrum_runs import run_spectrum
from torrey.bloch.visited import Case, SignalTable
from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.reference.full import reference_signal

HERE = Path(__file__).parent
SHAPE = Discs((Disc((0.5, 0.5), 0.4),), "obstacle")
MATERIAL = Material((1.0,))
SIZE, SHORTEST, RATIO = 0.085, 0.05, 2.0
LENGTHS = np.geomspace(SHORTEST, 0.25, 100)
DIRECTIONS = {"x": (1, 0), "diagonal": (1, 1)}

T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    seconds: float
    asked: str
    note: str = ""


def timed(function: Callable[[], T]) -> tuple[T, float]:
    """Result of a call, and its process time."""
    start = time.process_time()
    result = function()
    return result, time.process_time() - start


def finest() -> BlochTorrey:
    return levels(SHAPE, MeshOptions(SIZE, 2), MATERIAL)[-1]


def pulses(length: float) -> tuple[Pgse, float]:
    """Waveform and q for l_g = length."""
    delta = (RATIO * length) ** 2
    return Pgse(delta, delta), delta / length**3


def unit(k: tuple[int, int]) -> np.ndarray:
    return np.array(k) / np.linalg.norm(k)


def continuous(name: str) -> list[Row]:
    """Basis and signals of the continuous scheme along one direction."""
    k = DIRECTIONS[name]

    def build() -> tuple[Propagator, Propagator]:
        operators = finest()
        count = count_modes(float(operators.cell.measures().sum()), 2, SHORTEST)
        fine, coarse = folded_models(operators, 1.0, 0.0, road(k), count, [k])
        return Propagator(fine), Propagator(coarse)

    (fine, coarse), seconds = timed(build)
    axis = unit(k)[None]
    waveform, q = pulses(SHORTEST)
    found, first = timed(lambda: converged_signal(fine, coarse, waveform, axis, q, 3e-5))
    repeats = [Case(one, axis, strength) for one, strength in map(pulses, LENGTHS)]

    def single() -> list[complex]:
        return [
            folded_signal(fine, one.waveform, one.frame, one.q, found.steps)[0] for one in repeats
        ]

    single()  # eigenvectors are kept from one signal to the next
    alone, many = timed(single)
    models = fine.model, coarse.model
    table, thin = timed(lambda: SignalTable(*models, k, repeats, 1e-5))
    _, errors = timed(table.converged)
    same = np.full(len(repeats), found.steps)
    table.again(same)
    (together, _), both = timed(lambda: table.again(same))
    change = float(np.abs(together / np.array(alone) - 1.0).max())
    exact = reference_signal(
        levels(SHAPE, MeshOptions(0.6 * SIZE, 2), MATERIAL),
        Point(1.0, 0.0, waveform, q, tuple(unit(k))),
        2e-4,
    )
    error = abs(found.signal - exact.signal) / abs(exact.signal)
    size = fine.model.basis.shape[1]
    return [
        Row(f"{name}: mesh, operators, basis of {size} vectors", seconds, "4 s"),
        Row(f"{name}: first signal, with its error", first, ""),
        Row(f"{name}: smaller systems for a table of {len(LENGTHS)}", thin, ""),
        Row(
            f"{name}: a signal of that table by both of them",
            both / len(LENGTHS),
            "0.005 s",
            f"{change:.1e} from those one by one",
        ),
        Row(
            f"{name}: a signal of that table, steps doubled until their error is below 1e-5",
            errors / len(LENGTHS),
            "",
        ),
        Row(
            f"{name}: a signal one by one (mean of {len(LENGTHS)})",
            many / len(LENGTHS),
            "0.05 s",
            f"at l_g/a = {SHORTEST}: S = {found.signal.real:.5e}, {error:.1e} from the full "
            f"reference, whose own error is {exact.error / abs(exact.signal):.1e} [1e-4]",
        ),
    ]


def narrow() -> list[Row]:
    """Bands and signals of the scheme of narrow pulses, along x."""
    bands, seconds = timed(
        lambda: band_set(band_basis(finest(), 1.0, 0.0, [(1.0, 0.0)], 0.03), (1.0, 0.0), 120)
    )
    waveform, q = pulses(SHORTEST)
    found, each = timed(lambda: pulsed_signal(bands, waveform, q, "round"))
    note = f"at l_g/a = {SHORTEST}: S = {found.signal.real:.5e}"
    return [
        Row("narrow pulses, P = 120: mesh, operators, basis, bands", seconds, "10 s"),
        Row("narrow pulses, P = 120: a signal", each, "", note),
    ]


def sweep() -> list[Row]:
    """The spectrum of figure 9, along x."""
    two = [*levels(SHAPE, MeshOptions(0.1, 2), MATERIAL)[-2:]]
    gradients = np.geomspace(0.5, 1000.0, 100)
    found, seconds = timed(lambda: run_spectrum(two, 1.0, 0.0, (1, 0), gradients, 12))
    points = found.branching_gradient
    lengths = ", ".join(f"{x ** (-1 / 3):.4f}" for x in np.atleast_1d(points))
    note = f"branching points at l_g/a = {lengths}"
    return [Row("spectrum at 100 gradients, 12 branches followed", seconds, "60 s", note)]


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    lines = [
        "# Periodic media at strong gradients",
        "",
        f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, one "
        f"thread, process time, {date.today()}; `python benchmarks/bloch.py --write` makes this "
        "file.",
        "",
        "Square lattice of obstacles of radius 0.4 (MMG20), a = D = 1, PGSE with Delta = delta and",
        "l_delta = 2 l_g, strengths down to l_g/a = 0.05.",
        "",
        "| what | s | asked | |",
        "|-|-|-|-|",
    ]
    lines += [f"| {r.what} | {r.seconds:.3g} | {r.asked} | {r.note} |" for r in rows]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace benchmarks/bloch.md")
    write = parser.parse_args().write
    rows = [*continuous("x"), *continuous("diagonal"), *narrow(), *sweep()]
    text = table(rows)
    print(text)
    if write:
        (HERE / "bloch.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
