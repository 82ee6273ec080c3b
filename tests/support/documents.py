"""Valid configurations and files of acquisitions, one for each kind of thing: what is mutated."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]

GEOMETRIES = """\
geometries:
  cells:
    kind: discs
    cells:
      - {center: [0.30, 0.35], radius: 0.21}
      - {center: [0.72, 0.66], radius: 0.17}
    mesh: {size: 0.05}
  stones: {kind: discs, cells: [{center: [0.5, 0.5], radius: 0.3}], interior: obstacle}
  coated: {kind: discs, cells: [{center: [0.5, 0.5], radius: 0.3}], layer: 0.05}
  oblique: {kind: discs, cells: [{center: [0.5, 0.5], radius: 0.2}], lattice: [[1, 0], [0.5, 0.9]]}
  balls: {kind: spheres, cells: [{center: [0.5, 0.5, 0.5], radius: 0.4}]}
  layers: {kind: layers, thicknesses: [0.6, 0.4]}
  strips: {kind: layers, thicknesses: [0.3, 0.5, 0.2], dimension: 2}
"""

STUDY = """\
  mine:
    geometry: cells
    diffusivity: {outside: 2.5e-3 mm^2/s, inside: [1.2e-3 mm^2/s, 1 um^2/ms]}
    period: [6 um, 12 um]
    permeability: [8e-5 m/s]
    waveform: {kind: pgse, delta: [4 ms], Delta: [12 ms, 20 ms]}
    b: [0.5 ms/um^2, 1000 s/mm^2]
    directions: [[1, 0]]
    models: [reference, R0, R2]
    tolerance: 1e-5
"""

#: By the files that are mutated: what an acquisition says, and whether the study has a waveform.
ACQUISITIONS: dict[str, tuple[str, bool]] = {
    "dwi.b": ("grad: dwi.b, b0_threshold: 80 s/mm^2, skip: [0]", True),
    "dwi.json": ("bval: dwi.bval, bvec: dwi.bvec, sidecar: dwi.json", False),
    "dwi.bdelta": ("bval: dwi.bval, bvec: dwi.bvec, bdelta: dwi.bdelta", True),
    "dwi.tsv": ("table: dwi.tsv, scaled_vectors: true", False),
    "dwi.dvs": ("dvs: dwi.dvs, b: 2000 s/mm^2, directions: 2", True),
    "table.scheme": ("scheme: table.scheme", True),
    "steps.scheme": ("scheme: steps.scheme", False),
    "samples.scheme": ("scheme: samples.scheme, skip: 1", False),
}

#: Lines of the study above, and what may stand in their place.
VARIANTS: tuple[dict[str, str], ...] = (
    {},
    {"geometry": "stones", "diffusivity": "{outside: 3 um^2/ms}", "permeability": "0 m/s"},
    {"permeability": "", "sigma0": "{start: 1e-3 m/s, stop: 2e-2 m/s, num: 5, scale: log}"},
    {"T2": "{outside: 80 ms, inside: infinite}", "density": "{outside: 1, inside: [0.8, 0.5]}"},
    {"permeability_factors": "[1, 0.5]", "models": "[R0, P3]", "reference": "{method: projected}"},
    {
        "geometry": "coated",
        "permeability": "0 m/s",
        "diffusivity": "{outside: 2 um^2/ms, inside: 1 um^2/ms, layer: 0.01 um^2/ms}",
    },
    {
        "geometry": "stones",
        "diffusivity": "{outside: 3 um^2/ms}",
        "permeability": "",
        "surface_relaxivity": "1e-5 m/s",
    },
    {
        "diffusivity": '{outside: [["3e-3 mm^2/s", "0 mm^2/s"], ["0 mm^2/s", "1e-3 mm^2/s"]], '
        "inside: 1 um^2/ms}"
    },
    {"geometry": "balls", "directions": "[[1, 0, 0], [0, 1, 1]]", "q": "[0.2 rad/um]", "b": ""},
    {"geometry": "layers", "directions": "[[1]]", "gradient": "[40 mT/m]", "b": ""},
    {"geometry": "strips", "diffusivity": "{outside: 2 um^2/ms, inside: 1 um^2/ms}"},
    {
        "waveform": "{kind: trapezoid, delta: 5 ms, Delta: 20 ms, rise_time: 0.5 ms, "
        "echo_time: 60 ms}"
    },
    {"waveform": "{kind: sine-ogse, delta: 10 ms, Delta: 20 ms, cycles: [1, 2]}"},
    {"waveform": "{kind: cosine-ogse, delta: 10 ms, Delta: 20 ms, cycles: 4}"},
    {
        "waveform": "{kind: trapezoid-ogse, delta: 10 ms, Delta: 20 ms, cycles: 2, "
        "rise_time: 0.2 ms}",
        "models": "[Pade, R0]",
        "permeability": "0 m/s",
    },
    {
        "waveform": "{kind: double-pgse, delta: 3 ms, Delta: 9 ms, mixing_time: 1 ms, "
        "angle: 90 deg}",
        "models": "[R2, P2]",
    },
    {"waveform": "{kind: file, path: bipolar.csv}"},
    {
        "acquisition": "{bval: dwi.bval, bvec: dwi.bvec}",
        "b": "",
        "directions": "",
        "waveform": "{kind: pgse, delta: 4 ms, Delta: 12 ms}",
    },
    {"acquisition": "{scheme: pulses.scheme}", "b": "", "directions": "", "waveform": ""},
    *(
        {
            "acquisition": f"{{{said}}}",
            "b": "",
            "directions": "",
            "waveform": "{kind: pgse, delta: 4 ms, Delta: 12 ms}" if has_waveform else "",
        }
        for said, has_waveform in ACQUISITIONS.values()
    ),
)

FITS = """\
  fitted:
    geometry: single
    diffusivity: {outside: 2.5e-3 mm^2/s, inside: 1.2e-3 mm^2/s}
    period: 6 um
    permeability: [8e-5 m/s]
    waveform: {kind: pgse, delta: 4 ms, Delta: 12 ms}
    b: {start: 0 s/mm^2, stop: 4000 s/mm^2, num: 9}
    directions: [[1, 0], [0, 1]]
    models: [reference, R0]
inversions:
  exchange:
    kind: karger
    studies: fitted
    data: [reference, R0]
    starts: [2, 3]
    noise: {kind: rician, snr: [20, 50], repeats: 3}
  membrane:
    kind: physical
    studies: fitted
    models: [R2, P2]
    parameters: [kappa, radius]
figures:
  inversion_noise: {inversions: exchange}
  along_x:
    kind: signals
    studies: fitted
    x: b
    at: {direction: [1, 0], period: 6 um}
    models: [reference, R0]
  by_b: {kind: errors, studies: [fitted], colour: direction}
tables:
  chl14_table5_1: {inversions: [exchange]}
"""

DERIVED = {
    "models": "[reference, R0, P3]",
    "reference": "{method: projected}",
    "derivatives": "[kappa, D, L]",
}
DESIGNS = """\
designs:
  best:
    study: mine
    model: reference
    parameters: [kappa, D_outside, D_cell_2]
    sigma: 0.02
    choose: 3
    criterion: A
    of: [kappa]
    repeated: true
  whole: {study: mine, sigma: 0.1}
"""

_MEDIUM = "geometry: stones, diffusivity: 3 um^2/ms, period: 10 um"
_RUNS = (
    "kind: bands, directions: [[1, 0], [1, 1]], pulses: 6, resolution: 0.1",
    "kind: maps, directions: [[1, 0]], gradient_lengths: [0.2], ratio: 2",
    "kind: narrow-signals, directions: [[1, 0]], turns: {start: 0.1, stop: 2, num: 9}, "
    "diffusion_lengths: [0.3], resolution: 0.1",
    "kind: spectrum, direction: [1, 0], strengths: [1, 10], count: 4",
    "kind: schemes, direction: [1, 0], gradient_length: 0.2, ratio: 2, pulses: [6], modes: [9], "
    "resolution: 0.1",
    "kind: sampling, delta: 2 ms, Delta: 9 ms, turns: 3.3, pulses: 1",
)
BLOCH = "bloch:\n" + "".join(f"  run{i}: {{{_MEDIUM}, {run}}}\n" for i, run in enumerate(_RUNS))

FILES = {
    "dwi.bval": "0 1000 3000 850\n",
    "dwi.bvec": "0 1 0 0.6\n0 0 1 -0.8\n0 0 0 0\n",
    "pulses.scheme": (
        "# two shells\nVERSION: STEJSKALTANNER\n"
        "0 0 0 0 0 0 0.08\n0.6 0.8 0 0.04 0.02 0.01 0.06\n0 -1 0 0.08 0.03 0.005 0.06\n"
    ),
    "dwi.b": "# made here\n0 0 0 0\n1 0 0 1000\n0.6 -0.8 0 850\n",
    "dwi.json": '{"EchoTime": 0.08,\n"SmallDelta": 0.01, "BigDelta": [0.02, 0.02, 0.03, 0.03]}\n',
    "dwi.bdelta": "1 1 1 1\n",
    "dwi.tsv": (
        "b (s/mm^2)\tx\ty\tz\tb_delta\tdelta (ms)\tDelta (us)\tTE (s)\tS\n"
        "0\t0\t0\t0\t1\t\t\t0.06\tn/a\n1000\t0.6\t0.8\t0\t1\t5\t20e3\t0.06\t0.5\n"
    ),
    "dwi.dvs": (
        "[directions=2]\nCoordinateSystem = xyz\nNormalisation = none\n"
        "Vector[0] = (0, 0, 0)\nVector[1] = ( 0.6, -0.5, 0 )\n"
    ),
    "table.scheme": "VERSION: BVECTOR\n0 0 0 0\n0 -1 0 1e9\n",
    "steps.scheme": (
        "VERSION: GRADIENT_WAVEFORM\n4 0.005 0.04 0 0 0 0 0 0 0 0 -0.04 0 0\n2 0.01 0 0 0 0 0 0\n"
    ),
    "samples.scheme": (
        "VERSION: WAVEFORM\n0.04 5 2\n0 0 0\n0.04 0 0\n0 0 0\n-0.04 0 0\n0 0 0\n"
        "0 0 0\n0 0.04 0\n0 0 0\n0 -0.04 0\n0 0 0\n"
    ),
    "bipolar.csv": "time (ms),g (mT/m)\n0,40\n3,40\n3,0\n9,0\n9,-40\n12,-40\n",
    "turn.txt": "# time (ms) qx (rad/mm) qy (rad/mm)\n0 0 0\n4 100 0\n8 0 50\n12 0 0\n",
}


def study(changes: dict[str, str]) -> str:
    """The study with other lines; an empty one leaves its key out."""
    (name, *lines) = STUDY.splitlines()
    entries = dict(line.strip().split(": ", 1) for line in lines) | changes
    if changes.get("geometry", "cells") != "cells" and "diffusivity" not in changes:
        entries["diffusivity"] = "{outside: 2.5e-3 mm^2/s, inside: 1.2e-3 mm^2/s}"
    return "\n".join([name, *(f"    {key}: {text}" for key, text in entries.items() if text), ""])


@cache
def configurations() -> tuple[str, ...]:
    """Texts that are accepted as they are, beside the files of `FILES`."""
    single = "  single: {kind: discs, cells: [{center: [0.5, 0.5], radius: 0.3}]}\n"
    own = [f"{GEOMETRIES}studies:\n{study(changes)}" for changes in VARIANTS]
    own.append(f"{GEOMETRIES}{single}studies:\n{FITS}")
    own.append(f"{GEOMETRIES}studies:\n{study(DERIVED)}{DESIGNS}")
    own.append(f"{GEOMETRIES}{BLOCH}")
    own.append((ROOT / "config" / "minimal.yaml").read_text(encoding="utf-8"))
    return (*own, *_pieces())


def _pieces() -> list[str]:
    """Each study, inversion and entry of bloch of the default with what it needs."""
    text = (ROOT / "config" / "default.yaml").read_text(encoding="utf-8")
    whole: dict[str, dict[str, Any]] = yaml.safe_load(text)
    pieces = []
    for section in ("studies", "inversions", "bloch", "voxels"):
        for name, entry in whole[section].items():
            piece: dict[str, dict[str, Any]] = {section: {name: entry}}
            named = entry.get("studies", [])
            for other in [named] if isinstance(named, str) else named:
                piece.setdefault("studies", {})[other] = whole["studies"][other]
            users = [entry, *piece.get("studies", {}).values()]
            geometries = {user["geometry"] for user in users if "geometry" in user}
            piece["geometries"] = {each: whole["geometries"][each] for each in geometries}
            pieces.append(yaml.safe_dump(piece, sort_keys=False))
    return pieces


def write_files(folder: Path) -> None:
    """Write what the configurations name."""
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
