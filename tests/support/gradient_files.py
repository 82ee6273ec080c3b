"""Configurations with other gradients, and the files that they name."""

from __future__ import annotations

from pathlib import Path

from support.configurations import B_VALUES, edited

WAVEFORM = "waveform: {kind: pgse, delta: [4 ms], Delta: [12 ms, 20 ms]}"
DIRECTIONS = "directions: [[1, 0]]"
GRADIENTS = f"    {WAVEFORM}\n    {B_VALUES}\n    {DIRECTIONS}\n"

ONE_PGSE = "waveform: {kind: pgse, delta: 4 ms, Delta: 12 ms}"
FSL = "acquisition: {bval: dwi.bval, bvec: dwi.bvec}"

FILES = {
    "dwi.bval": "0 1000 3000 850\n",
    "dwi.bvec": "0 1 0 0.6\n0 0 1 -0.8\n0 0 0 0\n",
    "line.bvec": "0 1 -1 1\n0 0 0 0\n0 0 0 0\n",
    "tilted.bvec": "0 1 0 0.6\n0 0 1 0\n0 0 0 -0.8\n",
    "long.bvec": "0 1 0\n0 0 1\n0 0 0\n",
    "words.bval": "0 1000\n3000 many\n",
    "negative.bval": "0 1000 -5 850\n",
    "pulses.scheme": (
        "# two shells\nVERSION: STEJSKALTANNER\n"
        "0 0 0 0 0 0 0.08\n0.6 0.8 0 0.04 0.02 0.01 0.06\n0 -1 0 0.08 0.03 0.005 0.06\n"
    ),
    "tilted.scheme": "VERSION: 1\n1 0 0 0.04 0.02 0.01 0.06\n0 0.6 0.8 0.04 0.02 0.01 0.06\n",
    "table.scheme": "VERSION: BVECTOR\n1 0 0 1e9\n",
    "short.scheme": "VERSION: 1\n\n1 0 0 0.04 0.02\n",
    "played.txt": "4\n40\n0\n0\n40\n",
    "five.csv": "time (ms),g (mT/m)\n0,1\n1,1\n1,-0.33333\n4,-0.33333\n",
    "bipolar.csv": "time (ms),g (mT/m)\n0,40\n3,40\n3,0\n9,0\n9,-40\n12,-40\n",
    "open.csv": "time (ms),g (mT/m)\n0,40\n3,40\n3,0\n9,0\n9,-40\n11,-40\n",
    "turn.csv": "time (ms),qx (rad/mm),qy (rad/mm)\n0,0,0\n4,100,0\n8,0,50\n12,0,0\n",
    "bare.csv": "time,g\n0,40\n3,40\n",
    "broken.csv": "time (ms),g (mT/m)\n0,40\n3,4o\n",
}


def write_files(directory: Path) -> None:
    for name, text in FILES.items():
        (directory / name).write_text(text, encoding="utf-8")


def with_gradients(*lines: str) -> str:
    """The good file with other lines on the gradients of its study."""
    return edited(GRADIENTS, "".join(f"    {line}\n" for line in lines))


def double(**changes: str | None) -> str:
    """The line of a double PGSE with some values changed; None leaves a key out."""
    values = {
        "kind": "double-pgse",
        "delta": "3 ms",
        "Delta": "9 ms",
        "mixing_time": "1 ms",
        "angle": "90 deg",
    } | changes
    return f"waveform: {{{', '.join(f'{k}: {v}' for k, v in values.items() if v)}}}"
