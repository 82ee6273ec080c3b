"""The installed library carries its workflow: it runs where there is no clone of the project."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SIGNAL = """
import torrey as tr
disc = tr.Discs((tr.Disc((0.5, 0.5), 0.4),))
diffusivity = {"outside": "3e-3 mm^2/s", "inside": "1.7e-3 mm^2/s"}
cell = tr.Cell(disc, diffusivity, period="10 um", permeability="5e-5 m/s")
print(tr.__file__, cell.signal(tr.Pgse("5 ms", "25 ms"), b="4000 s/mm^2", direction=(0, 1)).item())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the project."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (found,) = folder.glob("torrey-*.whl")
    return found


def test_the_wheel_holds_the_workflow_as_the_clone_has_it(wheel):
    inside = "torrey/snakemake_files"
    parts = ["Snakefile", "environment.yml"]
    for folder in ("workflow", "profiles", "config"):
        files = (ROOT / folder).rglob("*")
        parts += [str(f.relative_to(ROOT)) for f in files if f.is_file() and f.suffix != ".pyc"]
    with zipfile.ZipFile(wheel) as archive:
        assert {name for name in archive.namelist() if name.startswith(inside)} == {
            f"{inside}/{part}" for part in parts
        }
        for part in parts:
            assert archive.read(f"{inside}/{part}") == (ROOT / part).read_bytes(), part


@pytest.mark.slow
def test_the_wheel_works_without_the_clone(wheel, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    # All but the library itself comes from the environment of this test. A path in a .pth is read
    # without the .pth files there, of which one leads to the clone.
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib"))
    install = ["-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index"]
    subprocess.run([sys.executable, *install, str(wheel)], check=True, capture_output=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "SNAKEMAKE"))}
    path = f"{python.parent}{os.pathsep}{kept['PATH']}"
    environment = {**kept, "PATH": path, "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}

    def run(*words: str | Path) -> str:
        done = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=500
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    torrey = python.parent / "torrey"
    assert "R0, R1, ..., R20" in run(torrey, "models")
    file, signal = run(python, "-c", SIGNAL).split()
    assert file.startswith(str(site))
    assert abs(float(signal) - 0.178721) < 1e-5

    run(torrey, "new", "mine.yaml", "--cell", "layers", "--b", "0 s/mm2", "500 s/mm2")
    said = run(torrey, "check", "mine.yaml")
    command = re.search(r"^  (snakemake .*)$", said, re.M)
    assert command is not None
    assert f"--snakefile {site}/torrey/snakemake_files/Snakefile" in command[1]
    words = command[1].replace("-j8", "-j1").split()[1:]
    run(python, "-m", "snakemake", *words)
    assert (tmp_path / "results/figures/mine_signals.png").stat().st_size > 1000
    assert "validity" in run(torrey, "show", "results/studies/mine/signals.nc")
    run(torrey, "export", "results/studies/mine/signals.nc", "--csv", "signals.csv")
    assert len((tmp_path / "signals.csv").read_text().splitlines()) == 1 + 2 * 3
    assert "nothing will run" in run(torrey, "check", "mine.yaml")
