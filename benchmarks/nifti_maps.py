"""Maps of a made volume by the workflow, from NIfTI files to NIfTI files.

    OMP_NUM_THREADS=1 python benchmarks/nifti_maps.py [--cores 2] [--write]

20 x 20 x 4 voxels in a round mask, two shells of 32 directions at three Delta, Rician noise
at an SNR of 100; Karger's model. With --write the table replaces benchmarks/nifti_maps.md, and the
picture docs/images/fit_maps.png.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.measured_files import Volumes, write_volumes  # noqa: E402

CONFIGURATION = """\
data:
  made:
    nifti: dwi.nii.gz
    mask: mask.nii.gz
    acquisition: {table: rows.tsv}
    sigma: 5
    noise: rician
inversions:
  exchange: {data: made, model: karger}
figures:
  fit_maps: {inversions: exchange}
"""
HEADER = """\
# Maps of a made volume

{machine}, Python {python}, {date}, {cores} cores that others used at the same time.

    OMP_NUM_THREADS=1 python benchmarks/nifti_maps.py --write

{voxels} of {grid} voxels are in the mask; {rows} volumes: two shells of 32 directions at three
Delta. Rician noise at an SNR of 100; `karger` with standard errors. From the NIfTI files to the
maps and their picture by `snakemake -j{cores}`: **{wall:.0f} s**, of processor time {cpu:.0f} s,
jobs and Snakemake included.

*Off* is the mean of (map - truth) / error over the voxels, *spread* its standard deviation: 0 and 1
if errors are true. *Inside* is the part of the voxels whose truth is within 1.96 errors.

| map | voxels with a value | median error | off | spread | inside |
|-|-|-|-|-|-|
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--cores", type=int, default=2)
    arguments.add_argument("--write", action="store_true")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = write_volumes(folder, (20, 20, 4), 32)
        (folder / "made.yaml").write_text(CONFIGURATION, encoding="utf-8")
        wall, cpu = _run(folder, options.cores)
        text = _table(folder, made, wall, cpu, options.cores)
        print(text, end="")
        if options.write:
            (ROOT / "benchmarks" / "nifti_maps.md").write_text(text, encoding="utf-8")
            picture = folder / "results" / "figures" / "fit_maps.png"
            shutil.copy(picture, ROOT / "docs" / "images" / "fit_maps.png")


def _run(folder: Path, cores: int) -> tuple[float, float]:
    words = ["-m", "snakemake", f"-j{cores}", "studies", "figures", "--configfile", "made.yaml"]
    words += ["--snakefile", str(ROOT / "Snakefile")]
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, cpu


def _table(folder: Path, made: Volumes, wall: float, cpu: float, cores: int) -> str:
    maps = folder / "results" / "inversions" / "exchange" / "maps"
    volumes: Any = nibabel.load(folder / "dwi.nii.gz")
    text = HEADER.format(
        machine=f"{platform.processor() or platform.machine()}",
        python=platform.python_version(),
        date=date.today(),
        cores=cores,
        voxels=f"{made.inside.sum():,}",
        grid=" x ".join(map(str, made.inside.shape)),
        rows=volumes.shape[3],
        wall=wall,
        cpu=cpu,
    )
    for i, name in enumerate(("D_e", "D_c", "f", "t_ex")):
        image: Any = nibabel.load(maps / f"{name}.nii.gz")
        of_error: Any = nibabel.load(maps / f"{name}_error.nii.gz")
        assert np.allclose(image.affine, volumes.affine, atol=1e-6)
        values, error = image.get_fdata(), of_error.get_fdata()
        assert np.isnan(values[~made.inside]).all()
        away = ((values - made.truth[..., i]) / error)[made.inside]
        known = away[np.isfinite(away)]
        text += (
            f"| {name} | {len(known):,} | {np.nanmedian(error):.3g} | {known.mean():+.2f} "
            f"| {known.std():.2f} | {100 * (np.abs(known) < 1.96).mean():.1f} % |\n"
        )
    return text


if __name__ == "__main__":
    main()
