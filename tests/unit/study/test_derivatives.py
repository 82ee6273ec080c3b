"""Derivatives of a study beside those of its cells one by one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import torrey as tr
from torrey.base import artifacts
from torrey.base.lazy import Lazy
from torrey.base.provenance import Provenance
from torrey.base.stored import Group
from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.cell.radii import radius_slopes
from torrey.geometry import Disc, Discs, Layers, MeshOptions
from torrey.geometry.meshing import build_meshes
from torrey.gradients.slabs import slabs_of
from torrey.gradients.sweep import Acquisition, Product, Sweep, WaveformGrid
from torrey.reference.ladder_levels import models_to_store
from torrey.reference.sensitive import MaterialLadders
from torrey.reference.slab import solve_slab
from torrey.reference.slab_files import table_variables
from torrey.reference.span import Span
from torrey.study.derivatives import Asked, derive_signals, spans_of

TOLERANCE = 1e-3
LAYERS, MESH = Layers((0.6, 0.4)), MeshOptions(0.1, 2)
MATERIAL = Material((2.0, 1.0))
GRID = WaveformGrid("pgse", (("delta", (4.0,)), ("Delta", (10.0, 16.0))))
SWEEP = Sweep((8.0, 12.0), "permeability", (0.05,), Product(GRID, "b", (0.0, 0.8), ((1.0,),)))


def slab_files(folder: Path, meshes: Sequence[BlochTorrey], sweep: Sweep) -> list[Path]:
    """Reference signals of the slabs of a sweep, as the workflow makes them."""
    ladders, files = MaterialLadders(meshes), []
    for number, slab in enumerate(slabs_of(sweep)):
        table = solve_slab(slab.sweep, TOLERANCE, ladders.of(Span.of(slab.sweep)), meshes)
        files.append(folder / f"{number}.nc")
        artifacts.write(files[-1], table_variables(table), Provenance("solve_projected"))
    return files


def asked(sweep: Sweep, by: Sequence[str], regions: Sequence[str]) -> Asked:
    return Asked(sweep, ("reference", "P2"), tuple(by), TOLERANCE, tuple(regions))


def derived(table: Group, by: str) -> np.ndarray:
    return np.asarray(table[f"dS_d{by}_real"].values) + 1j * np.asarray(
        table[f"dS_d{by}_imag"].values
    )


@pytest.fixture(scope="module")
def meshes() -> Sequence[BlochTorrey]:
    return levels(LAYERS, MESH, MATERIAL)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, meshes: Sequence[BlochTorrey]) -> list[Path]:
    return slab_files(tmp_path_factory.mktemp("slabs"), meshes, SWEEP)


@pytest.mark.parametrize("by", [("kappa", "D", "L", "b"), ("kappa", "L", "b")])
def test_they_are_those_of_the_cells_of_a_study(
    by: tuple[str, ...], files: list[Path], meshes: Sequence[BlochTorrey]
) -> None:
    wanted = asked(SWEEP, by, LAYERS.region_names)
    bases = [models_to_store(meshes, span.axes, span.rungs) for span in spans_of(SWEEP)]
    found = derive_signals(meshes, wanted, files, [] if "D" in by else bases)
    assert found["dS_dkappa_error"].dims == ("model", *SWEEP.axes())
    models = ["reference", "P2"]
    for i, period in enumerate(SWEEP.periods):
        for k, kappa in enumerate(SWEEP.permeabilities):
            cell = tr.Cell(LAYERS, [2.0, 1.0], period, kappa, mesh=MESH)
            for j, Delta in enumerate((10.0, 16.0)):
                one = cell.signal(
                    tr.Pgse(4.0, Delta),
                    b=[0.0, 0.8],
                    derivatives=list(by),
                    model=models,
                    tolerance=TOLERANCE,
                )
                at = (slice(None), i, k, 0, j, slice(None), 0)
                for name in by:
                    labels = [name]
                    if name == "D":
                        labels = [f"D_{region}" for region in LAYERS.region_names]
                    for number, label in enumerate(labels):
                        place = (*at, number) if name == "D" else at
                        value = one[f"dS_d{label}"].values
                        error = one[f"dS_d{label}_error"].values
                        np.testing.assert_allclose(
                            derived(found, name)[place], value, rtol=1e-9, atol=1e-12
                        )
                        stored = np.asarray(found[f"dS_d{name}_error"].values)[place]
                        np.testing.assert_allclose(stored, error, rtol=1e-3, atol=1e-10)


def test_by_the_direction_each_slab_has_its_own_place(tmp_path: Path) -> None:
    shape, mesh = Discs((Disc((0.5, 0.5), 0.4),)), MeshOptions(0.2, 2)
    # Rows of two waveforms and directions, in no order: two slabs.
    rows = Product(GRID, "b", (0.5,), ((0.6, 0.8), (0.0, 1.0))).measurements
    order = (2, 1, 0, 3)
    sweep = Sweep((10.0,), "permeability", (0.05,), Acquisition("b", tuple(rows[i] for i in order)))
    material = Material((3.0, 1.7))
    meshes = levels(shape, mesh, material)
    files = slab_files(tmp_path, meshes, sweep)
    asked_for = ("b", "direction", "R")
    wanted = Asked(sweep, ("reference",), asked_for, TOLERANCE, shape.region_names, ("cell_1",))
    moving = Lazy.over(build_meshes(shape, mesh), lambda one: radius_slopes(one, shape, material))
    found = derive_signals(meshes, wanted, files, slopes=moving)
    cell = tr.Cell(shape, [3.0, 1.7], 10.0, 0.05, mesh=mesh)
    one = cell.signal(
        [tr.Pgse(4.0, 10.0), tr.Pgse(4.0, 16.0)],
        b=0.5,
        direction=[[0.6, 0.8], [0.0, 1.0]],
        derivatives=list(asked_for),
        tolerance=TOLERANCE,
    )
    by_b = one.dS_db.values.ravel()[list(order)]
    np.testing.assert_allclose(derived(found, "b")[0, 0, 0], by_b, rtol=1e-9)
    by_radius = one.dS_dR_cell_1.values.ravel()[list(order)]
    np.testing.assert_allclose(derived(found, "R")[0, 0, 0, :, 0], by_radius, rtol=1e-6)
    assert found["dS_dR_error"].dims == (*found["dS_db_error"].dims, "radius")
    vectors = np.stack([one.dS_ddirection_x, one.dS_ddirection_y], axis=-1).reshape(4, 2)
    turned = derived(found, "direction")[0, 0, 0]
    np.testing.assert_allclose(turned, vectors[list(order)], rtol=1e-7, atol=1e-9)
    assert found["dS_ddirection_real"].dims == (
        "model",
        "period",
        "permeability",
        "measurement",
        "axis",
    )
    assert np.abs(turned).max() > 1e-2


def test_what_there_is_none_of_is_no_number(
    files: list[Path], meshes: Sequence[BlochTorrey], tmp_path: Path
) -> None:
    wanted = asked(SWEEP, ("D",), LAYERS.region_names)
    said: list[str] = []
    table = derive_signals(meshes, wanted, files, say=said.append)
    count = 2 * SWEEP.size
    assert said[-1].startswith(f"{count} of {count} signals in ")
    artifacts.write(tmp_path / "derivatives.nc", table, Provenance("derive_signals"))
    read = artifacts.open_dataset(tmp_path / "derivatives.nc")
    assert np.isfinite(read.dS_dD_real.sel(model="reference")).all()
    assert np.isnan(read.dS_dD_real.sel(model="P2")).all()
    assert np.isinf(read.dS_dD_error.sel(model="P2")).all()
    assert read.region.values.tolist() == list(LAYERS.region_names)
    assert read.dS_dD_real.attrs["units"] == "ms um-2"
