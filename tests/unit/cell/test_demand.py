"""Meshes beyond those that are kept: made from files when asked for, within limits, and said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from torrey.base.provenance import Provenance
from torrey.cell import demand
from torrey.cell.assembly import assemble, assemble_levels
from torrey.cell.demand import Levels, read_levels
from torrey.cell.files import write_operators
from torrey.cell.material import Material
from torrey.cell.refinement import end_of
from torrey.geometry import Disc, Discs, Layers, MeshOptions, RadiusLaw, RandomPacking, Shape
from torrey.geometry.files import write_meshes
from torrey.geometry.levels import placed_shape
from torrey.geometry.meshing import build_meshes, mesh_cell
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.reference.full import ToleranceError, reference_signal

MADE = Provenance("test")
DISC = Discs((Disc((0.1, 0.5), 0.3),))
PAIR = Material((3.0, 1.7))


def sides(shape: Shape) -> np.ndarray:
    pairs = [(m.outside, m.inside) for m in shape.membranes()]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def written(folder: Path, shape: Shape, options: MeshOptions, material: Material) -> Levels:
    """Operators of files, as the workflow writes them."""
    made = mesh_cell(shape, options.kept_only(shape.dimension))
    write_meshes(folder / "mesh.nc", shape, made.meshes, MADE, (), options)
    operators = assemble_levels(made.meshes, sides(shape), shape.measures())
    write_operators(folder / "operators.nc", operators, MADE)
    return read_levels(folder / "operators.nc", folder / "mesh.nc", material)


def test_files_hold_few_meshes_and_give_those_that_are_asked_for(tmp_path):
    levels = written(tmp_path, DISC, MeshOptions(0.4, 4), PAIR)
    assert len(levels) == 5
    assert len(levels.at_hand) == 3
    assert levels.said(1e-6) == []
    finer = levels[3]
    direct = assemble(build_meshes(DISC, MeshOptions(0.4, 3))[3], sides(DISC))
    assert finer.cell.n_dofs == direct.n_dofs
    np.testing.assert_allclose(finer.cell.mass, direct.mass, atol=1e-16)
    np.testing.assert_array_equal(finer.cell.indices, direct.indices)
    (said,) = levels.said(1e-6)
    words = f"mesh 3 (elements of size 0.05, {direct.n_dofs:,} unknowns)"
    assert said == f"{words} was made for the tolerance 1e-06"
    assert levels.describe(3) == {"finest_mesh": words}
    assert levels[3] is finer


@pytest.mark.slow
def test_discs_that_were_placed_are_found_again(tmp_path):
    """Their gaps may be smaller than those of discs in a configuration."""
    placed = RandomPacking(30.0, RadiusLaw(uniform=(1.0, 5.0)), count=4, gap=0.02).balls
    assert placed_shape(placed.to_dict()) == placed
    levels = written(tmp_path, placed, MeshOptions(0.4, 3), Material((3.0,) * 5))
    before, after = (abs(levels[k].cell.measures() - placed.measures()).max() for k in (2, 3))
    assert np.log2(before / after) == pytest.approx(4, abs=0.05)


def test_layers_are_refined_too(tmp_path):
    levels = written(tmp_path, Layers((0.3, 0.7)), MeshOptions(0.3), Material((1.0, 2.0)))
    assert len(levels) == 7
    assert levels[6].cell.n_dofs == 2 * levels[5].cell.n_dofs - 2


def test_what_ends_the_search_is_said_with_what_helps(tmp_path, monkeypatch):
    point = Point(10.0, 0.05, Pgse(5.0, 25.0), 1.0, (0.0, 1.0))
    levels = written(tmp_path, DISC, MeshOptions(0.4, 1), PAIR)
    with pytest.raises(ToleranceError) as raised:
        reference_signal(levels, point, 1e-8)
    assert "the finest mesh (number 1) gives S = " in str(raised.value)
    assert "mesh.refinements allows no finer one (1). What helps: " in str(raised.value)
    monkeypatch.setattr(demand, "memory_bytes", lambda: 1e6)
    poor = written(tmp_path, DISC, MeshOptions(0.4, 6), PAIR)
    assert len(poor) == 3
    assert "mesh 3 would have about " in poor.end
    assert "and this machine has 0.001 GB" in poor.end
    # Where nothing is known of meshes, the advice is the usual one.
    assert "What helps: more mesh.refinements" in end_of(list(levels.at_hand))
