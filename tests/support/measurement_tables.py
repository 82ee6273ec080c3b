"""One protocol in the words of each format, and configurations that read them in space."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from torrey.base.units import PROTON_GYROMAGNETIC_RATIO

#: Times of the protocol in ms.
DELTA, SEPARATION, ECHO = 10.0, 30.0, 60.0
ROWS = (
    (0.0, (0.0, 0.0, 0.0)),
    (1000.0, (1.0, 0.0, 0.0)),
    (1000.0, (0.6, 0.8, 0.0)),
    (2000.0, (0.0, 0.0, -1.0)),
    (2000.0, (2 / 3, -2 / 3, 1 / 3)),
)
PULSES = f"{{kind: pgse, delta: {DELTA} ms, Delta: {SEPARATION} ms"
WAVEFORM = f"waveform: {PULSES}, echo_time: {ECHO} ms}}"

CELL = """\
geometries:
  ball: {kind: spheres, cells: [{center: [0.5, 0.5, 0.5], radius: 0.4}], mesh: {size: 0.3}}
studies:
  mine:
    geometry: ball
    diffusivity: {outside: 2 um^2/ms, inside: 1 um^2/ms}
    period: 10 um
    permeability: 2e-5 m/s
    models: [R0]
"""


def tesla_per_metre(b: float) -> float:
    """|G| of b (s/mm^2) of the protocol, by the formula of Stejskal and Tanner in SI units."""
    delta, Delta = DELTA * 1e-3, SEPARATION * 1e-3
    return math.sqrt(b * 1e6 / (Delta - delta / 3)) / (PROTON_GYROMAGNETIC_RATIO * delta)


def _columns(row: Any) -> str:
    return "\n".join(" ".join(map(repr, row(b, n))) for b, n in ROWS) + "\n"


def _fsl() -> dict[str, str]:
    axes = "\n".join(" ".join(repr(n[i]) for _, n in ROWS) for i in range(3))
    return {"a.bval": " ".join(f"{b:g}" for b, _ in ROWS) + "\n", "a.bvec": f"{axes}\n"}


def _steps() -> str:
    """Each ms of the time to the echo, held."""
    lines = ["VERSION: GRADIENT_WAVEFORM"]
    begin = (ECHO - SEPARATION - DELTA) / 2
    for b, n in ROWS:
        on = np.zeros(int(ECHO))
        on[int(begin) : int(begin + DELTA)] = tesla_per_metre(b)
        on[int(begin + SEPARATION) : int(begin + SEPARATION + DELTA)] = -tesla_per_metre(b)
        flat = " ".join(repr(float(x)) for x in np.outer(on, n).ravel())
        lines.append(f"{len(on)} 0.001 {flat}")
    return "\n".join(lines) + "\n"


def _dvs() -> str:
    most = max(b for b, _ in ROWS)
    lines = [f"[directions={len(ROWS)}]", "CoordinateSystem = xyz", "Normalisation = none"]
    for i, (b, n) in enumerate(ROWS):
        vector = ", ".join(repr(math.sqrt(b / most) * x) for x in n)
        lines.append(f"Vector[{i}] = ( {vector} )")
    return "# made here\n" + "\n".join(lines) + "\n"


def _table() -> str:
    head = "b (s/m^2)\tb_delta\tx\ty\tz\tdelta (us)\tDelta (s)\tTE (ms)\tS\n"
    return head + "".join(
        f"{b * 1e6!r}\t1\t" + "\t".join(map(repr, n)) + f"\t{DELTA * 1e3}\t{SEPARATION * 1e-3}"
        f"\t{ECHO}\tn/a\n"
        for b, n in ROWS
    )


def _shapes() -> str:
    head = "b (ms/um^2)  b_delta  u_x  u_y  u_z  TE (ms)\n"
    return head + _columns(lambda b, n: (b * 1e-3, 1, *n, ECHO))


_SECONDS = f'"EchoTime": {ECHO / 1e3}'
_SPECIFIED = (
    f'"DiffusionGradientDuration": {DELTA / 1e3}, "DiffusionGradientSeparation": {SEPARATION / 1e3}'
)
_IN_MS = f'"SmallDelta": [{", ".join([str(DELTA)] * 5)}], "LargeDelta": {SEPARATION}'
_SCHEME = _columns(lambda b, n: (*n, tesla_per_metre(b), SEPARATION / 1e3, DELTA / 1e3, ECHO / 1e3))

#: By format: what stands in the study, and the files.
FORMATS: dict[str, tuple[str, Mapping[str, str]]] = {
    "fsl": (f"{WAVEFORM}\n    acquisition: {{bval: a.bval, bvec: a.bvec}}", _fsl()),
    "mrtrix": (
        f"{WAVEFORM}\n    acquisition: {{grad: a.b}}",
        {"a.b": "# command_history: none\n" + _columns(lambda b, n: (*n, b))},
    ),
    "camino": (
        "acquisition: {scheme: a.scheme}",
        {"a.scheme": f"VERSION: STEJSKALTANNER\n{_SCHEME}"},
    ),
    "mcdc": ("acquisition: {scheme: a.scheme}", {"a.scheme": f"version: PGSE\n{_SCHEME}"}),
    "headless": ("acquisition: {scheme: a.scheme}", {"a.scheme": _SCHEME}),
    "bvector": (
        f"{WAVEFORM}\n    acquisition: {{scheme: a.scheme}}",
        {"a.scheme": "VERSION: BVECTOR\n" + _columns(lambda b, n: (*n, b * 1e6))},
    ),
    "steps": ("acquisition: {scheme: a.scheme}", {"a.scheme": _steps()}),
    "bids": (
        "acquisition: {bval: a.bval, bvec: a.bvec, sidecar: a.json}",
        {**_fsl(), "a.json": f"{{{_SECONDS}, {_SPECIFIED}}}"},
    ),
    "bids in ms": (
        "acquisition: {bval: a.bval, bvec: a.bvec, sidecar: a.json}",
        {**_fsl(), "a.json": f"{{{_SECONDS}, {_IN_MS}}}"},
    ),
    "bids with a waveform": (
        f"waveform: {PULSES}}}\n    acquisition: {{bval: a.bval, bvec: a.bvec, sidecar: a.json}}",
        {**_fsl(), "a.json": f"{{{_SECONDS}}}"},
    ),
    "b-tensors": (
        f"{WAVEFORM}\n    acquisition: {{bval: a.bval, bvec: a.bvec, bdelta: a.bdelta}}",
        {**_fsl(), "a.bdelta": "1\n"},
    ),
    "columns": ("acquisition: {table: a.tsv}", {"a.tsv": _table()}),
    "columns with a waveform": (
        f"waveform: {PULSES}}}\n    acquisition: {{table: a.txt}}",
        {"a.txt": _shapes()},
    ),
    "dvs": (
        f"{WAVEFORM}\n    acquisition: {{dvs: a.dvs, b: 2000 s/mm^2}}",
        {"a.dvs": _dvs()},
    ),
}


class Sequence:
    """What is used of `pypulseq.Sequence`: trapezoids of the protocol, read from no file."""

    rise = 0.3e-3

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}

    def read(self, path: str, detect_rf_use: bool | None = None) -> None:
        """Refuse what a test says is broken."""
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if "[VERSION]" not in text:
            raise RuntimeError("Pulseq file MUST include [VERSION]\nsection")
        if "TE" in text:
            self.definitions["TE"] = [float(text.split("TE")[1].split()[0])]
        self.unrefocused = "no refocusing" in text

    def waveforms_and_times(self) -> tuple[Any, ...]:
        """Gradients in Hz/m by time in s, and the times of the pulses."""
        hertz = PROTON_GYROMAGNETIC_RATIO / (2 * math.pi)
        axes: list[list[tuple[float, float]]] = [[], [], []]
        starts = [0.1 * i for i in range(len(ROWS))]
        for start, (b, n) in zip(starts, ROWS, strict=True):
            for lobe in (0.0, SEPARATION * 1e-3):
                begin = start + 10e-3 + lobe
                end = begin + DELTA * 1e-3
                for axis, component in zip(axes, n, strict=True):
                    level = hertz * tesla_per_metre(b) * component
                    if level:
                        axis += [(begin, 0.0), (begin + self.rise, level), (end, level)]
                        axis.append((end + self.rise, 0.0))
        waves = [np.array(axis).T.reshape(2, -1) for axis in axes]
        middle = [] if self.unrefocused else [start + ECHO / 2e3 for start in starts]
        rf = [
            np.array([times, [0.0] * len(times), [0.0] * len(times)]) for times in (starts, middle)
        ]
        return waves, *rf, np.array([]), np.array([])


PYPULSEQ = SimpleNamespace(Sequence=Sequence)
