"""What all derivatives of signals cost beside the signals, and how good they and their errors are.

    OMP_NUM_THREADS=1 python benchmarks/derivatives.py [--write]

Cost: `Cell.signal` with and without `derivatives=True`, the whole call, process time, median of
three in turns, after a first call has made the bases. Accuracy: a disc on one mesh (the error in
space is the same on both sides and left out) at random L, kappa, b and directions, beside central
differences, improved by Richardson, of the signals of the full finite-element system. With --write
the tables replace benchmarks/derivatives.md.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from speed import machine

import torrey as tr
from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.cell.system import AffineSystem
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.gradients.waveforms import Pgse
from torrey.models.integration import Points
from torrey.models.openings import Opened, opening_of
from torrey.reference.derivatives import SensitiveLadder, signal_derivatives, turning_ladders
from torrey.reference.full import mesh_signal
from torrey.reference.ladder import climb
from torrey.reference.projected import projected_signals

TOLERANCE = 1e-4
HERE = Path(__file__).parent
REPEATS, STEPS, RUNGS, SEED = 3, 48, 11, 14
B = [0.25 * n for n in range(1, 17)]
DISC = Discs((Disc((0.5, 0.5), 0.4),))
D = (3.0, 1.7)


def seconds(call: Callable[[], Any]) -> float:
    """Process time of one call."""
    before = time.process_time()
    call()
    return time.process_time() - before


def cases() -> dict[str, tuple[tr.Cell, dict[str, Any]]]:
    """Calls of `Cell.signal` by name."""
    layers = tr.Cell(tr.Layers((0.6, 0.4)), [2.0, 1.0], "10 um", "2e-5 m/s")
    disc = tr.Cell(DISC, list(D), "10 um", "5e-5 m/s")
    pgse = tr.Pgse("5 ms", "25 ms")
    two = tr.DoublePgse("3 ms", "15 ms", "2 ms", "90 deg")
    oblique, several = [0.6, 0.8], [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]
    return {
        "layers, PGSE": (layers, {"waveform": pgse, "b": B}),
        "disc, PGSE, one direction": (disc, {"waveform": pgse, "b": B, "direction": oblique}),
        "disc, PGSE, three directions": (disc, {"waveform": pgse, "b": B, "direction": several}),
        "disc, two pairs at 90 degrees": (disc, {"waveform": two, "b": B[:8], "direction": [1, 0]}),
    }


def costs() -> list[str]:
    """Rows of the table of costs."""
    rows = []
    for name, (cell, given) in cases().items():
        alone = {**given, "method": "projected"}
        both = {**alone, "derivatives": True}
        calls = [partial(cell.signal, **arguments) for arguments in (alone, both)]
        first = [seconds(call) for call in calls]
        times = np.array([[seconds(call) for call in calls] for _ in range(REPEATS)])
        count = len(given["b"]) * (len(given["direction"]) if "three" in name else 1)
        signal, everything = (1e3 * statistics.median(column) / count for column in times.T)
        rows.append(
            f"| {name} | {count} | {first[0]:.2f} | {first[1]:.2f} | {signal:.1f} | "
            f"{everything:.1f} | {everything / signal:.1f} |"
        )
        print(rows[-1], flush=True)
    return rows


def slope(signal: Callable[[float], complex], step: float) -> complex:
    """Derivative at zero by central differences, improved once."""

    def once(h: float) -> complex:
        return (signal(h) - signal(-h)) / (2.0 * h)

    return (4.0 * once(step / 2.0) - once(step)) / 3.0


def differences(
    operators: BlochTorrey, waveform: Pgse, L: float, kappa: float, q: float, angle: float
) -> dict[str, complex]:
    """Derivatives of the full system on one mesh."""

    def full(**change: float) -> complex:
        at = {"L": L, "kappa": kappa, "q": q, "angle": angle}
        at = {name: value + change.get(name, 0.0) for name, value in at.items()}
        n = np.array([[np.cos(at["angle"]), np.sin(at["angle"])]])
        system = AffineSystem.at(operators, at["L"], at["kappa"], n)
        return mesh_signal(system, waveform, at["q"], STEPS)

    steps = {"kappa": 0.05 * kappa, "L": 0.01 * L, "q": 0.02 * q, "angle": 0.02}
    return {
        name: slope(lambda e, name=name: full(**{name: e}), step) for name, step in steps.items()
    }


def opened(waveform: Pgse, L: float, kappa: float, q: float) -> Opened:
    """One point as those that share their first pulse."""
    opening, tau = opening_of(waveform) or (None, 0.0)
    assert opening is not None
    return Opened(
        opening, L, kappa / L, np.array([q]), np.array([tau]), np.array([waveform.b_factor])
    )


def accuracy(count: int) -> list[str]:
    """Rows of the table of errors."""
    generator = np.random.default_rng(SEED)
    operators, waveform = levels(DISC, MeshOptions(0.12, 0), Material(D))[0], Pgse(5.0, 25.0)
    found: dict[str, list[tuple[float, float, float]]] = {}
    for _ in range(count):
        L = float(np.exp(generator.uniform(np.log(3.0), np.log(20.0))))
        kappa = float(np.exp(generator.uniform(np.log(1e-3), np.log(0.3))))
        q = waveform.q_of_b(float(generator.uniform(0.1, 4.0)))
        angle = float(generator.uniform(0.0, np.pi))
        n, points = np.array([np.cos(angle), np.sin(angle)]), Points.of([q], L, kappa / L)
        plain = [climb(operators, n[None], RUNGS)] * 2
        signals = projected_signals(plain, waveform, points, TOLERANCE)
        if not signals.reached.all():
            continue
        ladder = SensitiveLadder(turning_ladders([operators], n, RUNGS)[0])
        ladders = [ladder] * 2
        tables = {
            "step by step": signal_derivatives(ladders, waveform, points, n, signals, TOLERANCE),
            "shared": signal_derivatives(
                ladders,
                waveform,
                points,
                n,
                signals,
                TOLERANCE,
                opened=opened(waveform, L, kappa, q),
            ),
        }
        across = np.array([-n[1], n[0]])
        expected = differences(operators, waveform, L, kappa, q, angle)
        scale = {"kappa": kappa, "L": L, "q": q, "angle": 1.0}
        for (road, table), (name, value) in product(tables.items(), expected.items()):
            of = table["direction" if name == "angle" else name]
            own = of.value[0] @ across if name == "angle" else of.value[0]
            told = float(np.abs(of.error[0]) @ np.abs(across) if name == "angle" else of.error[0])
            size = scale[name] / float(np.abs(signals.signal[0]))
            found.setdefault(f"{name}, {road}", []).append(
                (size * abs(own - value), size * told, size)
            )
    rows = []
    for name, values in found.items():
        error, told = np.array(values)[:, 0], np.array(values)[:, 1]
        # The differences themselves are good to about this.
        ratio = np.maximum(error - 1e-7, 0.0) / told
        rows.append(
            f"| {name} | {len(error)} | {np.median(error):.0e} | {error.max():.0e} | "
            f"{100 * np.mean(ratio <= 1.0):.0f} % | {ratio.max():.2f} | "
            f"{np.median(told / np.maximum(error, 1e-9)):.0f} |"
        )
    return rows


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--points", type=int, default=40)
    given = parser.parse_args()
    text = "\n".join(
        [
            "# Derivatives of signals\n",
            f"{machine()}, one thread, {date.today()}; "
            "`python benchmarks/derivatives.py --write` makes this file.\n",
            "The whole call of `Cell.signal` with and without `derivatives=True` (tolerance 1e-4, "
            "all error estimates\nincluded); process time. The first call makes the bases.\n",
            "| case | signals | first call, s | first call with derivatives, s | per signal, ms | "
            "with all derivatives, ms | ratio |",
            "|-|-|-|-|-|-|-|",
            *costs(),
            "\nA disc on one mesh at random points: p dS/dp relative to S (by the angle of the "
            "direction: dS/dangle), beside\ndifferences of the full finite-element system. Each "
            "point is derived with time steps of its own, and\nas one of those that share their "
            "first pulse.\n",
            "| p | points | median error | largest error | error <= estimate | "
            "worst error / estimate | median estimate / error |",
            "|-|-|-|-|-|-|-|",
            *accuracy(given.points),
            "",
        ]
    )
    print(text)
    if given.write:
        (HERE / "derivatives.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
