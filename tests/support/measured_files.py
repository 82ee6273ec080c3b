"""Made files of measured signals: tables, and volumes with a mask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from torrey.inversion.measured import MeasuredProtocol, protocol_of_columns
from torrey.inversion.table_models import table_signals

Array = NDArray[np.float64]

#: Not along the axes, mirrored, and with different sides of a voxel.
AFFINE = np.array([[-2.0, 0.1, 0, 90], [0.1, 2.2, 0, -126], [0, 0.2, 2.5, -72], [0, 0, 0, 1.0]])
HEAD = "voxel,b (s/mm^2),delta (ms),Delta (ms),S\n"
DELTA = 8.0
#: The sections of a configuration with a study whose cell can be fitted to signals.
CELL = """\
geometries:
  disc: {kind: discs, cells: [{center: [0.5, 0.5], radius: 0.4}]}
studies:
  cell:
    geometry: disc
    diffusivity: {outside: 2.5 um^2/ms, inside: 1.5 um^2/ms}
    period: 5 um
    permeability: 5e-5 m/s
    waveform: {kind: pgse, delta: 4 ms, Delta: 10 ms}
    b: 1 ms/um^2
    directions: [[1, 0]]
    models: [R0]
"""


def shells(directions: int = 1, Deltas: tuple[float, ...] = (15.0, 40.0, 80.0)) -> MeasuredProtocol:
    """Two shells and a row without gradients at each of some times."""
    rng = np.random.default_rng(1)
    n = rng.normal(size=(directions, 3))
    b = np.concatenate([[0.0], np.repeat([1.0, 4.0], directions)])
    vectors = np.concatenate([np.zeros((1, 3)), n, n])
    count = len(Deltas)
    return protocol_of_columns(
        np.tile(b, count),
        DELTA,
        np.repeat(Deltas, len(b)),
        directions=np.tile(vectors, (count, 1)),
    )


def parameters(shape: tuple[int, ...]) -> Array:
    """D_e, D_c, f along the first axis and t_ex along the second, shape (*shape, 4)."""
    i, j = np.indices(shape)[:2]
    f = 0.4 + 0.3 * i / max(shape[0] - 1, 1)
    t_ex = 12.0 * 4.0 ** (j / max(shape[1] - 1, 1))
    return np.stack([np.full(shape, 2.4), np.full(shape, 0.4), f, t_ex], axis=-1)


def table_text(
    voxels: Mapping[str, tuple[float, ...]], noise: float = 0.0, size: float = 1.0
) -> str:
    """Signals of Karger's model, voxel after voxel."""
    protocol = shells()
    rng = np.random.default_rng(2)
    text = HEAD
    for name, x in voxels.items():
        signals = size * (
            table_signals("karger", protocol, x)[0] + rng.normal(0.0, noise, len(protocol))
        )
        for b, D, s in zip(protocol.b, protocol.Delta, signals, strict=True):
            text += f"{name},{1e3 * b:g},{DELTA:g},{D:g},{s:.8g}\n"
    return text


@dataclass(frozen=True)
class Volumes:
    """What was made: parameters of the voxels (x, y, z, 4) and which are in the mask."""

    truth: Array
    inside: NDArray[np.bool_]


def write_volumes(
    folder: Path,
    shape: tuple[int, int, int],
    directions: int,
    noise: float = 0.01,
    size: float = 500.0,
) -> Volumes:
    """Write ``dwi.nii.gz``, ``mask.nii.gz`` and ``rows.tsv`` of a round thing with Rician noise."""
    import nibabel

    protocol = shells(directions)
    truth = parameters(shape)
    i, j, _ = np.indices(shape)
    middle = (np.array(shape[:2]) - 1) / 2
    inside = np.hypot(i - middle[0], j - middle[1]) < middle.max()
    rng = np.random.default_rng(3)
    signals = table_signals("karger", protocol, truth[inside])
    parts = rng.normal(0.0, noise, (2, *signals.shape))
    volume = np.zeros((*shape, len(protocol)), dtype=np.float32)
    volume[inside] = size * np.hypot(signals + parts[0], parts[1])
    image = nibabel.Nifti1Image(volume, None)
    image.header.set_xyzt_units("mm", "sec")
    image.set_sform(AFFINE, code=2)
    image.set_qform(None, code=0)
    nibabel.save(image, folder / "dwi.nii.gz")
    nibabel.save(nibabel.Nifti1Image(inside.astype(np.uint8), AFFINE), folder / "mask.nii.gz")
    text = "b (s/mm^2)\tx\ty\tz\tdelta (ms)\tDelta (ms)\n"
    for b, n, D in zip(protocol.b, protocol.directions, protocol.Delta, strict=True):
        text += f"{1e3 * b:g}\t" + "\t".join(f"{x:.8f}" for x in n) + f"\t{DELTA:g}\t{D:g}\n"
    (folder / "rows.tsv").write_text(text, encoding="utf-8")
    return Volumes(truth, inside)
