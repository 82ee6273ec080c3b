"""Examples of kinds that their own descriptions do not give."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

#: Of geometries that ask for a file, or for one of several keys.
GEOMETRIES: Final[Mapping[str, str]] = {
    "packing": "{kind: packing, box: 40 um, radius: {uniform: [1 um, 5 um]}, fraction: 0.4}",
    "mesh": "{kind: mesh, file: cell.msh}",
    "polygons": "{kind: polygons, cells: [{points: [[0.2, 0.2], [0.8, 0.2], [0.5, 0.7]]}]}",
    "surfaces": "{kind: surfaces, files: [cell.ply], box: [20, 20, 20]}",
    "image": "{kind: image, file: cells.png}",
}
_MEDIUM: Final = "geometry: NAME, diffusivity: 2 um^2/ms, period: 10 um"
_BLOCH: Final[Mapping[str, str]] = {
    "bands": "directions: [[1, 0]], pulses: 6, resolution: 0.1",
    "narrow-maps": "directions: [[1, 0]], turns: 0.5, diffusion_lengths: [0.3], resolution: 0.1",
    "narrow-signals": "directions: [[1, 0]], turns: [0.5, 1], diffusion_lengths: [0.3], "
    "resolution: 0.1",
    "sampling": "delta: 2 ms, Delta: 9 ms, turns: 3.3, pulses: 1",
    "schemes": "direction: [1, 0], gradient_length: 0.2, ratio: 2, pulses: [6], modes: [9], "
    "resolution: 0.1",
    "maps": "directions: [[1, 0]], gradient_lengths: [0.2], ratio: 2",
    "strengths": "directions: [[1, 0]], pulse_lengths: [0.3], strengths: [1, 10]",
    "spectrum": "direction: [1, 0], strengths: [1, 10], count: 4",
    "modes": "direction: [1, 0], gradient_lengths: [0.2], count: 4",
    "dispersion": "directions: [[1, 0]], times: [1 ms, 10 ms], frequencies: [10 Hz, 100 Hz]",
}
BLOCH: Final[Mapping[str, str]] = {
    kind: f"{{kind: {kind}, {_MEDIUM}, {rest}}}" for kind, rest in _BLOCH.items()
}
INVERSIONS: Final[Mapping[str, str]] = {
    "karger": "{kind: karger, studies: [NAME], data: [reference]}",
    "physical": "{kind: physical, studies: [NAME], models: [R2], parameters: [kappa]}",
    "exchange": "{kind: exchange, studies: [NAME], model: karger}",
}
#: Values of parameters of waveforms that fit together, in the order of their use.
TIMES: Final[Mapping[str, str]] = {
    "delta": "5 ms",
    "Delta": "20 ms",
    "rise_time": "0.2 ms",
    "cycles": "2",
    "mixing_time": "10 ms",
    "angle": "90 deg",
    "b_delta": "0",
    "tau": "8 ms",
    "delta_filter": "3 ms",
    "Delta_filter": "10 ms",
    "b_filter": "500 s/mm^2",
}


def given(description: str) -> str:
    """Return the example in a description, ``a list of discs, such as {center: ...}``.

    Nothing where there is none. Quotation marks are left out: units need none in YAML.

    >>> given('a length with its unit, such as "6 um" (side of the square)')
    '6 um'
    """
    found = re.search(r"such as (\"[^\"]*\"|\[.*\]|\{.*\}|[^ ,;:(]+)", description)
    return found[1].strip('"') if found else ""


def waveform(kind: str, names: Iterable[str], values: Mapping[str, str] | None = None) -> str:
    """Return a waveform as a configuration has it.

    Parameters
    ----------
    kind : str
    names : iterable of str
        Of its parameters.
    values : mapping, optional
        Values in the place of those of `TIMES`.
    """
    chosen = {**TIMES, **(values or {})}
    said = ", ".join(f"{name}: {chosen.get(name, '...')}" for name in names)
    return f"{{kind: {kind}, {said}}}"
